"""Subnets and connectors in the regions that have GPUs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.domain import gpus
from llm_widgets.errors import ManagerError
from llm_widgets.gcp.project import network

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.checks.context import Context
    from llm_widgets.gcp.project.network import Connector, Subnet


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one kind in one region, or why it can't be told."""

    region: str
    kind: str
    subnets: tuple[Subnet, ...] = ()
    connectors: tuple[Connector, ...] = ()
    error: ManagerError | None = None


SUBNETS, CONNECTORS = "subnets", "connectors"


def survey(context: Context, tell: Callable[[Found], None]) -> None:
    """Ask every region for both, all at once.

    Parameters
    ----------
    tell
        Called with each answer as it comes, from several threads.
    """
    clients, project = context.clients, context.project_id

    def one(wanted: tuple[str, str]) -> None:
        region, kind = wanted
        try:
            if kind == SUBNETS:
                found = Found(region, kind, subnets=network.subnets(clients, project, region))
            else:
                found = Found(region, kind, connectors=network.connectors(clients, project, region))
        except ManagerError as error:
            found = Found(region, kind, error=error)
        tell(found)

    wanted = [(region, kind) for region in gpus.regions() for kind in (SUBNETS, CONNECTORS)]
    with ThreadPoolExecutor(len(wanted), thread_name_prefix="network") as pool:
        list(pool.map(one, wanted))
