"""Starting services and jobs in the name of an account that is new, or newly let in."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from llm_widgets.domain import members
from llm_widgets.errors import DeniedError
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.iam import policy, propagation

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.errors import ManagerError
    from llm_widgets.gcp.client.clients import Clients

T = TypeVar("T")


def until_allowed(clients: Clients, start: Callable[[], T], project: str, email: str) -> T:
    """Start something, and again while a refusal may be due to what was granted moments ago.

    Parameters
    ----------
    email
        The account in whose name; empty for the default one.

    Raises
    ------
    ManagerError
        It is refused all the time, or fails in another way.
    """
    granted = _left_to_caller(clients, project, email)
    made = propagation.of(clients)
    new = propagation.left(made.youngest(members.service_account(email))) if email else 0.0

    def passes(error: ManagerError) -> bool:
        if isinstance(error, DeniedError) and granted:
            return True
        return bool(new) and email in f"{error.message} {error.cause}"

    sentence = f"Waiting for the new grant, which takes {propagation.HOW_LONG}."
    return propagation.until_effective(
        start, tell=propagation.once(made, sentence), longest=max(granted, new), passes=passes
    )


def _left_to_caller(clients: Clients, project: str, email: str) -> float:
    """Return for how long grants to the caller, on project and account, may have no effect."""
    own = identity.current(clients).member
    places = [policy.of_project(project)]
    if email:
        places.append(policy.of_service_account(email, project=project))
    made = propagation.of(clients)
    return max(propagation.left(made.age(place.path, own)) for place in places)
