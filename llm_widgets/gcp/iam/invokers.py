"""Who may call a service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llm_widgets.errors import ConflictError
from llm_widgets.gcp.client.failures import explained

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.gcp.client.clients import Clients

INVOKER = "roles/run.invoker"
PUBLIC = frozenset({"allUsers", "allAuthenticatedUsers"})
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Invoker:
    """A member that a service's own policy lets call it; ``condition`` is its title, or empty."""

    member: str
    condition: str = ""


def invokers(clients: Clients, name: str) -> tuple[Invoker, ...]:
    """List who may call a service by its own policy; roles on the project are not in there.

    Raises
    ------
    ManagerError
        The policy may not be read.
    """
    return tuple(
        Invoker(member, binding.condition.title)
        for binding in _policy(clients, name).bindings
        if binding.role == INVOKER
        for member in binding.members
    )


def add_invoker(clients: Clients, name: str, member: str) -> None:
    """Let a member call a service; all other bindings are kept.

    Raises
    ------
    ManagerError
        The policy may not be changed, or others change it all the time.
    """

    def add(policy: Any) -> bool:
        binding = _plain(policy)
        if binding is None:
            policy.bindings.add(role=INVOKER, members=[member])
        elif member in binding.members:
            return False
        else:
            binding.members.append(member)
        return True

    _change(clients, name, f"let {member} call", add)


def remove_invoker(clients: Clients, name: str, invoker: Invoker) -> None:
    """Take the right to call away again; a right with another condition is kept.

    Raises
    ------
    ManagerError
        See :func:`add_invoker`.
    """

    def remove(policy: Any) -> bool:
        found = [
            binding
            for binding in policy.bindings
            if binding.role == INVOKER
            and binding.condition.title == invoker.condition
            and invoker.member in binding.members
        ]
        for binding in found:
            binding.members.remove(invoker.member)
        kept = [binding for binding in policy.bindings if binding.members]
        del policy.bindings[:]
        policy.bindings.extend(kept)
        return bool(found)

    _change(clients, name, f"take {invoker.member} off those who may call", remove)


def _change(clients: Clients, name: str, doing: str, change: Callable[[Any], bool]) -> None:
    """Change the policy as it is; its etag makes sure that nobody else's change is lost."""
    _, project, _, _, _, service_id = name.split("/")
    for attempt in range(1, _ATTEMPTS + 1):
        policy = _policy(clients, name)
        if not change(policy):
            return
        policy.version = 3
        try:
            with explained(
                f"{doing} the service {service_id}",
                clients=clients,
                project=project,
                permission="run.services.setIamPolicy",
            ):
                clients.services.set_iam_policy(request={"resource": name, "policy": policy})
        except ConflictError:
            if attempt == _ATTEMPTS:
                raise
        else:
            return


def _plain(policy: Any) -> Any:
    """Find the binding without a condition."""
    return next(
        (b for b in policy.bindings if b.role == INVOKER and not b.condition.expression), None
    )


def _policy(clients: Clients, name: str) -> Any:
    _, project, _, _, _, service_id = name.split("/")
    with explained(
        f"read who may call the service {service_id}",
        clients=clients,
        project=project,
        permission="run.services.getIamPolicy",
    ):
        return clients.services.get_iam_policy(
            request={"resource": name, "options": {"requested_policy_version": 3}}
        )
