"""Letting the account of a service read the bucket of its model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import members
from llm_widgets.errors import DeniedError, InvalidInputError
from llm_widgets.gcp.iam import bucket_readers, effective_access
from llm_widgets.gcp.iam.effective_access import Access
from llm_widgets.manager.audit import recorded

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.iam.effective_access import Verdict


def reading(clients: Clients, wanted: Deployment) -> Verdict:
    """Tell whether the account of a deployment may read its bucket.

    Raises
    ------
    ManagerError
        The bucket's policy may not be read, and the project's does not let the account read.
    """
    known = effective_access.Known(clients, wanted.project)
    found = effective_access.reading(known, wanted.bucket, _member(wanted), folder=wanted.folder)
    if found.error:
        raise found.error
    return found


def grant(clients: Clients, wanted: Deployment) -> None:
    """Let the account of a deployment read its bucket.

    Raises
    ------
    ManagerError
        The bucket's policy may not be changed.
    """
    let_read(clients, wanted.project, wanted.bucket, _member(wanted))


@recorded("bucket.grant", on="{bucket}: reading for {member}")
def let_read(clients: Clients, project: str, bucket: str, member: str) -> None:
    """Let a member read the models of a bucket.

    Raises
    ------
    ManagerError
        The bucket's policy may not be changed.
    """
    bucket_readers.grant_reader(clients, bucket, member, project=project)


def ensure(clients: Clients, wanted: Deployment) -> None:
    """Let the account of a deployment read its bucket, unless it surely may already.

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
        if reading(clients, wanted).access is not Access.GRANTED:
            grant(clients, wanted)
    except DeniedError as error:
        raise InvalidInputError(
            f"{error.message} Deploy without the grant if it reads by another way.",
            field="grant_access",
            cause=error.cause,
            fix=error.fix,
        ) from error


def _member(wanted: Deployment) -> str:
    return members.service_account(wanted.service_account)
