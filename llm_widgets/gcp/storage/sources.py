"""Buckets of archives that images are built from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.errors import AlreadyExistsError, Fix, NotFoundError
from llm_widgets.gcp.client.failures import explained
from llm_widgets.gcp.storage.objects import SmallObjects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.gcp.client.clients import Clients

_TIMEOUT = 60  # seconds
_KEPT_DAYS = 7
"""Days after which an archive is deleted: only its build reads it."""


def labels(clients: Clients, project: str, name: str, number: str) -> Mapping[str, str] | None:
    """Return the labels of a bucket; ``None`` if there is none.

    Parameters
    ----------
    number
        Of the project. Names of buckets are the whole world's: somebody else may have one that is
        called and labelled as ours.

    Raises
    ------
    AlreadyExistsError
        It belongs to another project.
    ManagerError
        It is not to be seen.
    """
    try:
        with explained(
            f"open the bucket {name}",
            clients=clients,
            project=project,
            bucket=name,
            permission="storage.buckets.get",
        ):
            found = clients.storage(project).get_bucket(name, timeout=_TIMEOUT)
    except NotFoundError:
        return None
    if str(found.project_number) != number:
        raise AlreadyExistsError(
            f"The bucket {name} belongs to another project, so that nothing is written to it.",
            cause=f"The number of its project is {found.project_number}, not {number}.",
            fix=Fix(text="Name an image with --image."),
        )
    return dict(found.labels)


def create(
    clients: Clients, project: str, name: str, region: str, made_by: Mapping[str, str]
) -> None:
    """Create a bucket of archives: uniform access, never public, emptied by itself.

    Raises
    ------
    ManagerError
        It may not be created, or the name is taken.
    """
    client = clients.storage(project)
    bucket = client.bucket(name)
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    bucket.iam_configuration.public_access_prevention = "enforced"
    bucket.soft_delete_policy.retention_duration_seconds = 0
    bucket.add_lifecycle_delete_rule(age=_KEPT_DAYS)
    bucket.labels = dict(made_by)
    with explained(
        f"create the bucket {name}",
        clients=clients,
        project=project,
        permission="storage.buckets.create",
    ):
        client.create_bucket(bucket, location=region, timeout=_TIMEOUT)


def put(clients: Clients, project: str, bucket: str, name: str, content: bytes) -> int:
    """Write an archive, and return its generation.

    Raises
    ------
    ManagerError
        It may not be written.
    """
    objects = SmallObjects(clients.storage(project), bucket)
    return objects.write(name, content, content_type="application/gzip")


def delete(clients: Clients, project: str, name: str) -> None:
    """Delete a bucket with all its archives.

    Raises
    ------
    ManagerError
        It may not be deleted.
    """
    SmallObjects(clients.storage(project), name).delete_all("")
    with explained(
        f"delete the bucket {name}",
        clients=clients,
        project=project,
        bucket=name,
        permission="storage.buckets.delete",
    ):
        clients.storage(project).bucket(name).delete(timeout=_TIMEOUT)
