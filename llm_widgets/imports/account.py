"""The account that import jobs run as: made when it is missing, let into the import's bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import members
from llm_widgets.errors import DeniedError, ManagerError, NotFoundError
from llm_widgets.gcp.iam import account_roles, policy, service_accounts

if TYPE_CHECKING:
    from llm_widgets.config import Settings
    from llm_widgets.gcp.client.clients import Clients

_WRITING_ROLES = frozenset(
    {account_roles.BUCKET_WRITER, "roles/storage.objectAdmin", "roles/storage.admin"}
)
"""Roles with all that a worker does in a bucket: objects, and multipart uploads."""


def ready(clients: Clients, settings: Settings, project: str, bucket: str) -> str:
    """Have the account, and let it write into a bucket; return its address.

    Raises
    ------
    ManagerError
        It is missing and may not be made, or it may not be let into the bucket.
    """
    email = service_accounts.of_imports(settings, project)
    if email == service_accounts.IMPORTS.email(project):
        _ensure(clients, project, email)
    let_in(clients, project, bucket, email)
    return email


def let_in(clients: Clients, project: str, bucket: str, email: str) -> None:
    """Let an account write models into a bucket, unless it may already.

    Raises
    ------
    ManagerError
        The policy of the bucket may not be read or changed.
    """
    if may_write(clients, project, bucket, email):
        return
    doing = f"let {email} write models into the bucket {bucket}"
    resource = policy.of_bucket(bucket, project=project)
    member = members.service_account(email)
    policy.grant(clients, resource, [account_roles.BUCKET_WRITER], member, doing=doing)


def may_write(clients: Clients, project: str, bucket: str, email: str) -> bool:
    """Return whether the policies of a bucket and of its project let an account write models.

    Raises
    ------
    ManagerError
        The bucket's policy may not be read, and the project's does not.
    """
    member = members.service_account(email)
    resource = policy.of_bucket(bucket, project=project)
    try:
        if policy.roles_of(clients, resource, member) & _WRITING_ROLES:
            return True
    except DeniedError:
        if _writes_by_the_project(clients, project, member):
            return True
        raise
    return _writes_by_the_project(clients, project, member)


def _ensure(clients: Clients, project: str, email: str) -> None:
    try:
        service_accounts.get(clients, project, email)
    except NotFoundError:
        service_accounts.create(clients, project, service_accounts.IMPORTS)
    except DeniedError:
        return  # it may not be looked at; Cloud Run says whether it is there


def _writes_by_the_project(clients: Clients, project: str, member: str) -> bool:
    try:
        found = policy.roles_of(clients, policy.of_project(project), member)
    except ManagerError:
        return False  # nobody must be allowed to look there
    return bool(found & _WRITING_ROLES)
