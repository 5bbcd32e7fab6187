"""Who may call a service: members as people write them, let in and taken off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import members
from llm_widgets.errors import Fix, InvalidInputError, ManagerError
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.iam import invokers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from llm_widgets.gcp.client.clients import Clients


def member(text: str) -> str:
    """Return whom a deployment is opened to.

    Raises
    ------
    InvalidInputError
        It is no member, or everybody.
    """
    found = members.parsed(text)
    if found in members.PUBLIC:
        raise InvalidInputError(
            f"{found} would let everybody call the service; a deployment never does that.",
            field="members",
        )
    return found


def is_everybody(text: str) -> bool:
    """Return whether a text means everybody, with or without a Google account."""
    return text.strip() in members.PUBLIC


def let_in(
    clients: Clients,
    name: str,
    who: Iterable[str] = (),
    tell: Callable[[ManagerError], None] = lambda _: None,
) -> None:
    """Let whoever deploys a service call it, and others.

    The service is there by then, and those with broader roles may call it all the same: who can't
    be added keeps nobody else out.

    Parameters
    ----------
    name
        Resource name of the service.
    who
        See :func:`member`.
    tell
        Called with why somebody can't be added.
    """
    for each in filter(None, (identity.current(clients).member, *who)):
        try:
            invokers.add_invoker(clients, name, each)
        except ManagerError as error:
            tell(error)


def allowed(text: str, *, everybody: bool) -> str:
    """Check whom a service that is there is to be opened to.

    Parameters
    ----------
    text
        See :func:`member`; ``allUsers`` and ``allAuthenticatedUsers`` too.
    everybody
        Whether ``text`` may mean everybody.

    Raises
    ------
    InvalidInputError
        It is no member, or everybody though that was not said.
    """
    if not is_everybody(text):
        return member(text)
    if everybody:
        return text.strip()
    raise InvalidInputError(
        f"{text.strip()} lets everybody call the service, and you pay for it.",
        field="members",
        fix=Fix(text="Confirm that, or add single members or groups."),
    )


def add(clients: Clients, name: str, text: str, *, everybody: bool = False) -> None:
    """Let a member call a service, given its resource name.

    Raises
    ------
    ManagerError
        See :func:`allowed`; or the policy may not be changed.
    """
    invokers.add_invoker(clients, name, allowed(text, everybody=everybody))
