"""Who may call a service: members as people write them, let in and taken off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import members
from llm_widgets.errors import Fix, InvalidInputError, ManagerError
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.iam import invokers
from llm_widgets.manager.audit import recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.iam.policy import Grant


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
            f"{found} would allow public access. Deploying never does; use the Access tab of "
            "the service.",
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
            _let_in(clients, name, each)
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
        f"{text.strip()} allows public access: anyone can call the service, and you pay for it.",
        field="members",
        fix=Fix(text="Confirm public access, or add members or groups."),
    )


@recorded("service.let_in", on="{name}: {text}")
def add(clients: Clients, name: str, text: str, *, everybody: bool = False) -> None:
    """Let a member call a service, given its resource name.

    Raises
    ------
    ManagerError
        See :func:`allowed`; or the policy may not be changed.
    """
    invokers.add_invoker(clients, name, allowed(text, everybody=everybody))


def add_me(clients: Clients, name: str) -> None:
    """Let the account of the credentials call a service, given its resource name.

    Raises
    ------
    ManagerError
        Nothing tells whose they are; or the policy may not be changed.
    """
    _let_in(clients, name, identity.current(clients).member)


@recorded("service.shut_out", on="{name}: {grant.member}")
def take_off(clients: Clients, name: str, grant: Grant) -> None:
    """Let a member call a service no more, given its resource name.

    Raises
    ------
    ManagerError
        The policy may not be changed.
    """
    invokers.remove_invoker(clients, name, grant)


@recorded("service.let_in", on="{name}: {member}")
def _let_in(clients: Clients, name: str, member: str) -> None:
    invokers.add_invoker(clients, name, member)
