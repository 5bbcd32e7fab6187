"""What the product can do itself about a row of the checklist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import members
from llm_widgets.errors import ManagerError
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.iam import (
    account_roles,
    bucket_readers,
    custom_roles,
    policy,
    propagation,
    service_accounts,
)
from llm_widgets.gcp.iam.propagation import HOW_LONG
from llm_widgets.gcp.project import apis

if TYPE_CHECKING:
    from llm_widgets.checks.context import Context


def carry_out(context: Context, action: str) -> str:
    """Do what a fix offers, and wait until it is done.

    Parameters
    ----------
    action
        The ``action`` of an :class:`llm_widgets.errors.Fix` of a row.

    Returns
    -------
    str
        What was done, in a sentence.

    Raises
    ------
    ManagerError
        It may not be done, or nobody knows how.
    """
    kind, _, rest = action.partition(":")
    clients, project = context.clients, context.project_id
    if kind == "enable-api":
        wanted = rest.split(",")
        apis.enable_all(clients, project, wanted)
        names = ", ".join(apis.NEEDED.get(api, api) for api in wanted)
        return f"Enabled in {project}: {names}."
    if kind == "create-runtime-account":
        account = service_accounts.create(clients, project, service_accounts.RUNTIME)
        return f"Created the service account {account.email}."
    if kind == "create-import-account":
        account = service_accounts.create(clients, project, service_accounts.IMPORTS)
        return f"Created the service account {account.email}."
    if kind == "enable-account":
        service_accounts.enable(clients, project, rest)
        return f"Enabled the service account {rest}."
    if kind == "open-buckets":
        email, _, names = rest.partition(":")
        for bucket in names.split(","):
            bucket_readers.grant_reader(
                clients, bucket, members.service_account(email), project=project
            )
        opened = names.replace(",", ", ")
        return f"{email} can read {opened}: this takes {HOW_LONG} to take effect."
    if kind == "grant":
        return _granted(context, rest)
    raise ManagerError("The manager can't do this.", cause=action)


def spreading(context: Context, action: str) -> float | None:
    """Return for how many seconds a grant that a fix offers has been made without taking effect.

    ``None`` where it was not made here, not lately, or is not known to be there.
    """
    kind, _, rest = action.partition(":")
    if kind != "grant":
        return None
    clients, project = context.clients, context.project_id
    places, wanted = _grant_of(context, rest)
    roles = {_name(role, project) for role in wanted}
    try:
        member = identity.current(clients).member
        ages = [propagation.of(clients).age(each.path, member) for each in places]
        found = [age for age in ages if age is not None and propagation.left(age)]
        if len(found) < len(places):
            return None
        are_there = all(roles <= policy.roles_of(clients, each, member) for each in places)
    except ManagerError:
        return None
    return min(found) if are_there else None


def _grant_of(context: Context, what: str) -> tuple[list[policy.Resource], list[str]]:
    """Return where an action grants, and which roles."""
    place, _, rest = what.partition(":")
    resource, _, names = rest.partition(":")
    project = context.project_id
    if place == "account":
        places = [policy.of_service_account(resource, project=project)]
    elif place == "bucket":
        places = [policy.of_bucket(name, project=project) for name in resource.split(",")]
    else:
        places = [policy.of_project(project)]
    return places, names.split(",")


def _name(role: str, project: str) -> str:
    own = account_roles.CUSTOM_ROLES.get(role)
    return own.name(project) if own else role


def _granted(context: Context, what: str) -> str:
    clients = context.clients
    places, wanted = _grant_of(context, what)
    member = identity.current(clients).member
    roles = [_defined(context, role) for role in wanted]
    for each in places:
        policy.grant(clients, each, roles, member)
    return (
        f"Granted {' and '.join(wanted)} to {members.label(member)}: this takes {HOW_LONG} to "
        "take effect."
    )


def _defined(context: Context, role: str) -> str:
    """Return the name of a role; one of our own is defined in the project first."""
    own = account_roles.CUSTOM_ROLES.get(role)
    return custom_roles.ensure(context.clients, context.project_id, own) if own else role
