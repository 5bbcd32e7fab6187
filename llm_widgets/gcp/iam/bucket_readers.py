"""Who may read a bucket of models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llm_widgets.errors import ConflictError
from llm_widgets.gcp.client.failures import explained

if TYPE_CHECKING:
    from llm_widgets.gcp.client.clients import Clients

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

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Reader:
    """A member that a bucket's own policy lets read; ``condition`` is its title, or empty."""

    member: str
    role: str
    condition: str = ""


def bucket_readers(clients: Clients, bucket: str, *, project: str = "") -> tuple[Reader, ...]:
    """List the members that the bucket's own policy lets read its objects.

    Members of groups, and what is inherited from the project, are not in that policy.

    Raises
    ------
    ManagerError
        The policy may not be read.
    """
    return tuple(
        Reader(member, binding["role"], (binding.get("condition") or {}).get("title", ""))
        for binding in _policy(clients, bucket, project).bindings
        if binding["role"] in READING_ROLES
        for member in sorted(binding["members"])
    )


def may_read(clients: Clients, bucket: str, member: str, *, project: str = "") -> bool:
    """Whether the bucket's own policy lets a member read, without a condition.

    Raises
    ------
    ManagerError
        The policy may not be read.
    """
    public = {"allUsers", "allAuthenticatedUsers"}
    return any(
        (reader.member == member or reader.member in public) and not reader.condition
        for reader in bucket_readers(clients, bucket, project=project)
    )


def grant_reader(clients: Clients, bucket: str, member: str, *, project: str = "") -> None:
    """Let a member read the objects of a bucket; other bindings and conditions are kept.

    Raises
    ------
    ManagerError
        The policy may not be changed, or others change it all the time.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        policy = _policy(clients, bucket, project)
        if not _add(policy, member):
            return
        try:
            with explained(
                f"let {member} read the bucket {bucket}",
                clients=clients,
                project=project,
                bucket=bucket,
                permission="storage.buckets.setIamPolicy",
            ):
                clients.storage(project).bucket(bucket).set_iam_policy(policy)
        except ConflictError:
            if attempt == _ATTEMPTS:
                raise
        else:
            return


def _add(policy: Any, member: str) -> bool:
    """Add the member to the binding without a condition; say whether that changed anything."""
    policy.version = 3
    for binding in policy.bindings:
        if binding["role"] == READER and not binding.get("condition"):
            members = set(binding["members"])
            binding["members"] = members | {member}
            return member not in members
    policy.bindings.append({"role": READER, "members": {member}})
    return True


def _policy(clients: Clients, bucket: str, project: str) -> Any:
    with explained(
        f"read who may use the bucket {bucket}",
        clients=clients,
        project=project,
        bucket=bucket,
        permission="storage.buckets.getIamPolicy",
    ):
        return clients.storage(project).bucket(bucket).get_iam_policy(requested_policy_version=3)
