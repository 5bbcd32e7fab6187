"""Letting people call a service that has just been deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.errors import ManagerError
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.iam import invokers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.page.session import Session


def let_in(session: Session, name: str, members: Iterable[str] = ()) -> None:
    """Let whoever deploys a service call it, and others; who can't be added is told of.

    The service is there by then, and those with broader roles may call it all the same.

    Parameters
    ----------
    name
        Resource name of the service.
    members
        As IAM policies write them.
    """
    clients = session.clients
    for member in filter(None, (identity.current(clients).member, *members)):
        try:
            invokers.add_invoker(clients, name, member)
        except ManagerError as error:
            session.report(error)
