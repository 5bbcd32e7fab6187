"""The rights that an import takes, looked at before anything is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import members
from llm_widgets.errors import DeniedError, Fix, ManagerError
from llm_widgets.gcp import secrets
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.iam import account_roles, permissions, role_catalogue, service_accounts
from llm_widgets.gcp.iam.account_roles import TOKENS
from llm_widgets.imports import account, launch

if TYPE_CHECKING:
    from collections.abc import Collection

    from llm_widgets.config import Settings
    from llm_widgets.gcp.client.clients import Clients

_OPEN_BUCKETS = ("storage.buckets.getIamPolicy", "storage.buckets.setIamPolicy")


def refuse_without(
    clients: Clients, settings: Settings, project: str, bucket: str, *, has_token: bool
) -> None:
    """Refuse an import that could not be started.

    Parameters
    ----------
    bucket
        Where it goes to; empty for a bucket that is to be made.

    Raises
    ------
    DeniedError
        This identity lacks a permission that it takes to run a job, to start it as its account,
        to open the bucket to that account, or to keep a token for it.
    ManagerError
        That can't be asked.
    """
    kept = token_permissions(settings) if has_token else ()
    _refuse_on_project(clients, settings, project, kept)
    if not settings.image:
        return  # a process on this machine has the rights of this identity
    email = service_accounts.of_imports(settings, project)
    _refuse_without_account(clients, project, email)
    if bucket:
        _refuse_without_bucket(clients, project, bucket, email)


def token_permissions(settings: Settings) -> tuple[str, ...]:
    """Return the permissions on the project that it takes to keep a token for an import.

    Reading it again is the job's, or that of this identity where imports run as a process of this
    machine.
    """
    return TOKENS.permissions if settings.image else (*secrets.KEEPING, secrets.ACCESS)


def _refuse_on_project(
    clients: Clients, settings: Settings, project: str, kept: Collection[str]
) -> None:
    wanted = (*launch.needed(settings), *kept)
    missing = permissions.on_project(clients, project, wanted).missing if wanted else frozenset()
    if not missing:
        return
    doing = "keep a token in Secret Manager" if missing <= set(kept) else "run import jobs"
    roles = role_catalogue.least_roles(missing)
    commands = role_catalogue.commands(roles, identity.current(clients).form, project=project)
    raise DeniedError(
        f"You don't have permission to {doing} in {project}.",
        cause=f"Missing: {', '.join(sorted(missing))}.",
        fix=_ask_for(roles, commands),
    )


def _refuse_without_account(clients: Clients, project: str, email: str) -> None:
    """Refuse where the account of jobs may not be used, or is not there and may not be made."""
    wanted = (permissions.ACT_AS,)
    tested, is_there = permissions.on_account_or_project(clients, email, wanted, project=project)
    own = service_accounts.IMPORTS
    is_own = email == own.email(project)
    if not is_there and not (is_own and _may_make_accounts(clients, project)):
        raise DeniedError(
            f"Import jobs run as {email}, and there is no such service account.",
            fix=Fix(
                text="Ask an administrator of the project to create it."
                if is_own
                else "Set LLM_WIDGETS_IMPORT_ACCOUNT to an existing account, or unset it.",
                command=own.command(project) if is_own else "",
            ),
        )
    if not tested.missing:
        return
    roles = [account_roles.ACT_AS]
    commands = role_catalogue.commands(
        roles, identity.current(clients).form, project=project, account=email
    )
    if not is_there:
        commands = f"{own.command(project)}\n{commands}"
    raise DeniedError(
        f"You don't have permission to start import jobs as {email}.",
        cause=f"Missing: {permissions.ACT_AS}.",
        fix=_ask_for(roles, commands, f" on {email}"),
    )


def _may_make_accounts(clients: Clients, project: str) -> bool:
    needed = ["iam.serviceAccounts.create"]
    return not permissions.on_project(clients, project, needed).missing


def _refuse_without_bucket(clients: Clients, project: str, bucket: str, email: str) -> None:
    """Refuse where the account of jobs may not write into the bucket and may not be let in."""
    missing = permissions.on_bucket(clients, bucket, _OPEN_BUCKETS, project=project).missing
    if not missing or _may_write(clients, project, bucket, email):
        return
    commands = role_catalogue.commands(
        [account_roles.BUCKET_WRITER], members.service_account(email), bucket=bucket
    )
    raise DeniedError(
        f"Import jobs can't write to the bucket {bucket}, and you don't have permission to "
        "grant this.",
        cause=f"They run as {email}. Missing for you: {', '.join(sorted(missing))}.",
        fix=Fix(
            text=f"Ask an administrator of the bucket to grant {account_roles.BUCKET_WRITER} to "
            f"{email}.",
            command=commands,
        ),
    )


def _may_write(clients: Clients, project: str, bucket: str, email: str) -> bool:
    try:
        return account.may_write(clients, project, bucket, email)
    except ManagerError:
        return False


def _ask_for(roles: Collection[str], commands: str, where: str = "") -> Fix:
    named = " and ".join(roles)
    return Fix(
        text=f"Ask an administrator of the project to grant {named}{where}.", command=commands
    )
