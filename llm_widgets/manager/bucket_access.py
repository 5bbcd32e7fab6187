"""Letting the account of a service read the bucket of its model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import members
from llm_widgets.errors import DeniedError, InvalidInputError, ManagerError
from llm_widgets.gcp.iam import bucket_readers, policy

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment
    from llm_widgets.gcp.client.clients import Clients


def may_read(clients: Clients, wanted: Deployment) -> bool:
    """Return whether the account of a deployment may read its bucket.

    The policies of the bucket and of the project are looked at, without their conditions.

    Raises
    ------
    ManagerError
        The bucket's policy may not be read, and the project's lets the account not read.
    """
    member = _member(wanted)
    denied: ManagerError | None = None
    try:
        if bucket_readers.may_read(clients, wanted.bucket, member, project=wanted.project):
            return True
    except DeniedError as error:
        denied = error
    if _reads_by_the_project(clients, wanted.project, member):
        return True
    if denied:
        raise denied
    return False


def grant(clients: Clients, wanted: Deployment) -> None:
    """Let the account of a deployment read its bucket.

    Raises
    ------
    ManagerError
        The bucket's policy may not be changed.
    """
    bucket_readers.grant_reader(clients, wanted.bucket, _member(wanted), project=wanted.project)


def ensure(clients: Clients, wanted: Deployment) -> None:
    """Let the account of a deployment read its bucket, unless it may already.

    Raises
    ------
    InvalidInputError
        Who deploys may not grant that; the field is the one that asks for it.
    ManagerError
        The grant failed.
    """
    if not wanted.service_account:
        return
    try:
        if not may_read(clients, wanted):
            grant(clients, wanted)
    except DeniedError as error:
        raise InvalidInputError(
            f"{error.message} Deploy without the grant if it reads by another way.",
            field="grant_access",
            cause=error.cause,
            fix=error.fix,
        ) from error


def _reads_by_the_project(clients: Clients, project: str, member: str) -> bool:
    try:
        found = policy.roles_of(clients, policy.of_project(project), member)
    except ManagerError:
        return False  # nobody must be allowed to look there
    return bool(found & bucket_readers.READING_ROLES)


def _member(wanted: Deployment) -> str:
    return members.service_account(wanted.service_account)
