"""Lets members read buckets of models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.gcp.iam import account_roles, policy

if TYPE_CHECKING:
    from llm_widgets.gcp.client.clients import Clients

READER = account_roles.BUCKET_READER


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
