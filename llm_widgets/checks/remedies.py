"""What the product can do itself about a row of the checklist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import members
from llm_widgets.errors import ManagerError
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.iam import bucket_readers, policy, service_accounts
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
        account = service_accounts.create_runtime_account(clients, project)
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
        return f"{email} may read {names.replace(',', ', ')}."
    if kind == "grant":
        return _granted(context, rest)
    raise ManagerError("The manager can't do this by itself.", cause=action)


def _granted(context: Context, what: str) -> str:
    place, _, rest = what.partition(":")
    resource, _, names = rest.partition(":")
    wanted = names.split(",")
    clients, project = context.clients, context.project_id
    member = identity.current(clients).member
    if place == "account":
        places = [policy.of_service_account(resource, project=project)]
    elif place == "bucket":
        places = [policy.of_bucket(name, project=project) for name in resource.split(",")]
    else:
        places = [policy.of_project(project)]
    for each in places:
        policy.grant(clients, each, wanted, member)
    return f"Granted {' and '.join(wanted)} to {members.label(member)}."
