"""Who may call a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.gcp.iam import policy

if TYPE_CHECKING:
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.iam.policy import Grant

INVOKER = "roles/run.invoker"


def invokers(clients: Clients, name: str) -> tuple[Grant, ...]:
    """List who may call a service by its own policy; roles on the project are not in there.

    Raises
    ------
    ManagerError
        The policy may not be read.
    """
    found = policy.grants(clients, policy.of_cloud_run(name))
    return tuple(each for each in found if each.role == INVOKER)


def add_invoker(clients: Clients, name: str, member: str) -> None:
    """Let a member call a service.

    Raises
    ------
    ManagerError
        The policy may not be changed, or others change it all the time.
    """
    service = policy.of_cloud_run(name)
    doing = f"let {member} call {service.title}"
    policy.grant(clients, service, [INVOKER], member, doing=doing)


def remove_invoker(clients: Clients, name: str, invoker: Grant) -> None:
    """Take the right to call away again; a right with another condition is kept.

    Raises
    ------
    ManagerError
        See :func:`add_invoker`.
    """
    service = policy.of_cloud_run(name)
    doing = f"take {invoker.member} off those who may call {service.title}"
    policy.revoke(clients, service, invoker, doing=doing)
