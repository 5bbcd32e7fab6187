"""Subnets and connectors in the regions that have GPUs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.domain import gpus
from llm_widgets.domain.networks import NetworkChoice, NetworkKind
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

    def holds(self, choice: NetworkChoice) -> bool:
        """Return whether the subnet or the connector of a choice was found."""
        if choice.kind is NetworkKind.SUBNET:
            return any((s.network, s.name) == (choice.network, choice.name) for s in self.subnets)
        return any(each.id == choice.name for each in self.connectors)


SUBNETS, CONNECTORS = "subnets", "connectors"


def survey(context: Context, tell: Callable[[Found], None]) -> None:
    """Ask every region for both, all at once.

    Parameters
    ----------
    tell
        Called with each answer as it comes, from several threads.
    """

    def one(wanted: tuple[str, str]) -> None:
        tell(look(context, *wanted))

    wanted = [(region, kind) for region in gpus.regions() for kind in (SUBNETS, CONNECTORS)]
    with ThreadPoolExecutor(len(wanted), thread_name_prefix="network") as pool:
        list(pool.map(one, wanted))


def look(context: Context, region: str, kind: str) -> Found:
    """Ask a region for its subnets or its connectors."""
    clients, project = context.clients, context.project_id
    try:
        if kind == SUBNETS:
            return Found(region, kind, subnets=network.subnets(clients, project, region))
        return Found(region, kind, connectors=network.connectors(clients, project, region))
    except ManagerError as error:
        return Found(region, kind, error=error)


def kind_of(choice: NetworkChoice) -> str:
    """Return what is asked for to find the network of a choice."""
    return SUBNETS if choice.kind is NetworkKind.SUBNET else CONNECTORS


def has(context: Context, region: str, choice: NetworkChoice) -> bool:
    """Return whether a region has the network of a choice; it has where that can't be told."""
    if choice.kind is NetworkKind.NONE:
        return True
    found = look(context, region, kind_of(choice))
    return bool(found.error) or found.holds(choice)
