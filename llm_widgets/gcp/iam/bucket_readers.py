"""Who may read a bucket of models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import members
from llm_widgets.gcp.iam import policy

if TYPE_CHECKING:
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.iam.policy import Grant

READER = "roles/storage.objectViewer"
READING_ROLES = frozenset(
    {
        READER,
        "roles/storage.objectUser",
        "roles/storage.objectAdmin",
        "roles/storage.admin",
    }
)
"""Roles on a bucket with ``storage.objects.get`` and ``storage.objects.list``."""


def bucket_readers(clients: Clients, bucket: str, *, project: str = "") -> tuple[Grant, ...]:
    """List the members that the bucket's own policy lets read its objects.

    Members of groups, and what is inherited from the project, are not in that policy.

    Raises
    ------
    ManagerError
        The policy may not be read.
    """
    found = policy.grants(clients, policy.of_bucket(bucket, project=project))
    return tuple(each for each in found if each.role in READING_ROLES)


def may_read(clients: Clients, bucket: str, member: str, *, project: str = "") -> bool:
    """Return whether the bucket's own policy lets a member read, without a condition.

    Raises
    ------
    ManagerError
        The policy may not be read.
    """
    return any(
        reader.member in {member, *members.PUBLIC} and not reader.condition
        for reader in bucket_readers(clients, bucket, project=project)
    )


def grant_reader(clients: Clients, bucket: str, member: str, *, project: str = "") -> None:
    """Let a member read the objects of a bucket.

    Raises
    ------
    ManagerError
        The policy may not be changed, or others change it all the time.
    """
    doing = f"let {member} read the bucket {bucket}"
    resource = policy.of_bucket(bucket, project=project)
    policy.grant(clients, resource, [READER], member, doing=doing)
