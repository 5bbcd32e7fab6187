"""Buckets that hold models: those with the metadata file in their root."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import names
from llm_widgets.domain.bucket_settings import BucketSettings, LifecycleRule
from llm_widgets.domain.metadata import METADATA_NAME, MetadataFile
from llm_widgets.domain.services import MANAGED_BY
from llm_widgets.domain.tables import Shown, Values
from llm_widgets.errors import (
    AlreadyExistsError,
    ConflictError,
    Fix,
    InvalidInputError,
    ManagerError,
)
from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.client.failures import explained
from llm_widgets.gcp.client.parallel import outcomes
from llm_widgets.gcp.project import projects
from llm_widgets.gcp.storage.objects import NEW, SmallObjects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from llm_widgets.gcp.client.clients import Clients

_TIMEOUT = 20  # seconds for one answer
_NOT_IN_USE = frozenset(
    {"numNewerVersions", "daysSinceNoncurrentTime", "noncurrentTimeBefore"}
    | {"daysSinceCustomTime", "customTimeBefore"}
)
"""Conditions of noncurrent versions, and of a time that no import sets.
Source: https://cloud.google.com/storage/docs/lifecycle#conditions"""

_UNFINISHED_DAYS = 7  # after which Cloud Storage throws away what an import did not finish


@dataclass(frozen=True, slots=True)
class BucketListing(Shown):
    """A bucket of models.

    Attributes
    ----------
    location
        Lower case: a region such as ``europe-west1``, or a multi-region such as ``eu``.
    location_type
        ``region``, ``dual-region`` or ``multi-region``.
    reason
        Why it can't be told whether it holds models; ``None`` when it can be read.
    settings
        What matters to models; where only names were listed, the defaults.
    """

    name: str
    location: str
    location_type: str
    labels: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None
    reason: ManagerError | None = None
    settings: BucketSettings = field(default_factory=BucketSettings)

    @property
    def is_readable(self) -> bool:
        """Whether its metadata file may be read."""
        return self.reason is None

    @property
    def is_labelled(self) -> bool:
        """Whether this product made it, or was told to use it: it holds models most likely."""
        return self.labels.get(MANAGED_BY[0]) == MANAGED_BY[1]

    @property
    def is_regional(self) -> bool:
        """Whether it lies in one region, so that a service can be beside it."""
        return self.location_type == "region"

    def shown(self) -> Values:
        """Return what a list of buckets tells of it."""
        return {
            "name": self.name,
            "location": self.location,
            "location_type": self.location_type,
            "created_at": self.created_at,
            "reason": self.reason.message if self.reason else "",
        }


def list_buckets(clients: Clients, project: str) -> list[BucketListing]:
    """List all buckets of a project, in the order of their names, without looking into them.

    Raises
    ------
    ManagerError
        The project's buckets can't be listed.
    """
    with explained(
        f"list the buckets of {project}",
        clients=clients,
        project=project,
        permission="storage.buckets.list",
    ):
        found = [
            _listing(bucket, None)
            for bucket in clients.storage(project).list_buckets(
                fields="items(name,location,locationType,labels,timeCreated),nextPageToken",
                timeout=_TIMEOUT,
                retry=_retry(),
            )
        ]
    return sorted(found, key=lambda listing: listing.name)


def list_model_buckets(clients: Clients, project: str) -> list[BucketListing]:
    """Find the buckets of a project that hold models, in the order of their names.

    Every bucket is looked into, many at once. A bucket that may not be looked into is given
    with the reason; the others don't suffer from it.

    Raises
    ------
    ManagerError
        The project's buckets can't be listed at all.
    """

    def has_metadata(bucket: BucketListing) -> bool:
        return holds_models(clients, bucket.name, project=project)

    return [
        replace(outcome.key, reason=outcome.error)
        for outcome in outcomes(has_metadata, list_buckets(clients, project))
        if outcome.value or outcome.error
    ]


def holds_models(clients: Clients, bucket: str, *, project: str = "") -> bool:
    """Look whether the metadata file lies in the root of a bucket.

    Raises
    ------
    ManagerError
        The bucket can't be looked into.
    """
    with explained(
        f"look into the bucket {bucket}",
        clients=clients,
        project=project,
        bucket=bucket,
        permission="storage.objects.get",
    ):
        blob = clients.storage(project).bucket(bucket).blob(METADATA_NAME)
        return bool(blob.exists(timeout=_TIMEOUT, retry=_retry()))


def create_bucket(clients: Clients, project: str, name: str, region: str) -> BucketListing:
    """Create a bucket of models: uniform access, never public, labelled, with no model in it.

    Raises
    ------
    ManagerError
        :class:`InvalidInputError` for a name or region that can't be one,
        :class:`AlreadyExistsError` for a name that is taken.
    """
    name, region = names.bucket(name), names.region(region)
    bucket = clients.storage(project).bucket(name)
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    bucket.iam_configuration.public_access_prevention = "enforced"
    # Imports delete what they put together: nobody should pay a week for deleted parts.
    bucket.soft_delete_policy.retention_duration_seconds = 0
    # Parts of imports that nobody resumes are not paid for for ever.
    bucket.add_lifecycle_abort_incomplete_multipart_upload_rule(age=_UNFINISHED_DAYS)
    bucket.labels = {MANAGED_BY[0]: MANAGED_BY[1]}
    try:
        with explained(
            f"create the bucket {name}",
            clients=clients,
            project=project,
            permission="storage.buckets.create",
        ):
            clients.storage(project).create_bucket(bucket, location=region, timeout=60)
    except AlreadyExistsError as error:
        raise _taken(clients, name, error) from error
    except InvalidInputError as error:
        raise InvalidInputError(
            error.message, cause=error.cause, fix=error.fix, field="region"
        ) from error
    adopt(clients, name, project=project)
    return _listing(bucket, None)


def adopt(clients: Clients, bucket: str, *, project: str = "") -> None:
    """Make an existing bucket a bucket of models; one that is stays as it is.

    It gets the metadata file, and the label by which it is found sooner where it may be labelled.

    Raises
    ------
    ManagerError
        The metadata file can't be written.
    """
    try:
        with explained(
            f"write {METADATA_NAME} into the bucket {bucket}",
            clients=clients,
            project=project,
            bucket=bucket,
            permission="storage.objects.create",
        ):
            clients.storage(project).bucket(bucket).blob(METADATA_NAME).upload_from_string(
                MetadataFile().to_json(),
                content_type="application/json",
                if_generation_match=0,
                timeout=_TIMEOUT,
            )
    except ConflictError:
        return  # it is there
    with suppress(ManagerError):
        _label(clients, bucket, project)


def _label(clients: Clients, name: str, project: str) -> None:
    with explained(f"label the bucket {name}", clients=clients, project=project, bucket=name):
        bucket = clients.storage(project).get_bucket(name, timeout=_TIMEOUT, retry=_retry())
        if bucket.labels.get(MANAGED_BY[0]) != MANAGED_BY[1]:
            bucket.labels = {**bucket.labels, MANAGED_BY[0]: MANAGED_BY[1]}
            bucket.patch(timeout=_TIMEOUT, if_metageneration_match=bucket.metageneration)


def delete_bucket(
    clients: Clients, name: str, generation: int, old: Iterable[int] = (), *, project: str = ""
) -> None:
    """Delete a bucket that holds nothing but its metadata file; that comes back where it fails.

    Parameters
    ----------
    generation
        That of the metadata file, as it was read.
    old
        Generations of the file's noncurrent versions.

    Raises
    ------
    ConflictError
        The file was changed since it was read; nothing was deleted.
    ManagerError
        The bucket refuses; or it is not empty any more.
    """
    objects = SmallObjects(clients.storage(project), name)
    kept = objects.read(METADATA_NAME)
    if kept is None or kept[1] != generation:
        raise ConflictError(f"The list of models of {name} was changed a moment ago.")
    with explained(
        f"delete the bucket {name}",
        clients=clients,
        project=project,
        bucket=name,
        permission="storage.buckets.delete",
    ):
        found = clients.storage(project).get_bucket(name, timeout=_TIMEOUT, retry=_retry())
        for each in (generation, *old):
            # With its number, so that versioning keeps no copy of it.
            found.blob(METADATA_NAME, generation=each).delete(timeout=_TIMEOUT, retry=_retry())
        try:
            found.delete(if_metageneration_match=found.metageneration, timeout=_TIMEOUT)
        except lazy.api_exceptions.GoogleAPICallError:
            objects.write(METADATA_NAME, kept[0], generation=NEW)
            raise


def get_bucket(clients: Clients, name: str, *, project: str = "") -> BucketListing:
    """Look a bucket up, whether it holds models or not.

    Raises
    ------
    ManagerError
        There is no such bucket, or it is not to be seen.
    """
    with explained(
        f"open the bucket {name}",
        clients=clients,
        project=project,
        bucket=name,
        permission="storage.buckets.get",
    ):
        found = clients.storage(project).get_bucket(name, timeout=_TIMEOUT, retry=_retry())
    return replace(_listing(found, None), settings=_settings(found))


def project_of(clients: Clients, name: str) -> str:
    """Return the id of the project that a bucket lies in.

    Raises
    ------
    ManagerError
        There is no such bucket, or it is not to be seen; or its project is not.
    """
    with explained(
        f"open the bucket {name}", clients=clients, bucket=name, permission="storage.buckets.get"
    ):
        found = clients.storage().get_bucket(name, timeout=_TIMEOUT, retry=_retry())
    return projects.of_number(clients, str(found.project_number))


def _taken(clients: Clients, name: str, error: AlreadyExistsError) -> AlreadyExistsError:
    """Return the error for a name that is taken: by a bucket of this project, or of another."""
    try:
        get_bucket(clients, name)
    except ManagerError:
        fix = Fix(text="Choose another name: names of buckets are shared by all of Google Cloud.")
        return AlreadyExistsError(
            f"The bucket name {name} is already taken.", cause=error.cause, fix=fix
        )
    return AlreadyExistsError(
        f"You have a bucket {name} already.",
        cause=error.cause,
        fix=Fix(text="Use it, or choose another name."),
    )


def _settings(bucket: Any) -> BucketSettings:
    return BucketSettings(
        retention=int(bucket.retention_period or 0),
        holds=bool(bucket.default_event_based_hold),
        kms_key=bucket.default_kms_key_name or "",
        requester_pays=bool(bucket.requester_pays),
        versioning=bool(bucket.versioning_enabled),
        soft_delete=int(bucket.soft_delete_policy.retention_duration_seconds or 0),
        storage_class=bucket.storage_class or "STANDARD",
        hierarchical=bool(bucket.hierarchical_namespace_enabled),
        rules=tuple(filter(None, map(_rule, bucket.lifecycle_rules))),
    )


def _rule(rule: Mapping[str, Any]) -> LifecycleRule | None:
    """Read a rule of the lifecycle; ``None`` for one that touches no object that is in use."""
    condition, action = rule.get("condition", {}), rule.get("action", {})
    if action.get("type") not in {"Delete", "SetStorageClass"}:
        return None
    if condition.get("isLive") is False or _NOT_IN_USE & condition.keys():
        return None
    return LifecycleRule(
        days=condition.get("age"),
        storage_class=action.get("storageClass", ""),
        prefixes=tuple(condition.get("matchesPrefix", ())),
    )


def _listing(bucket: Any, reason: ManagerError | None) -> BucketListing:
    return BucketListing(
        name=bucket.name,
        location=(bucket.location or "").lower(),
        location_type=bucket.location_type or "region",
        labels=dict(bucket.labels),
        created_at=bucket.time_created,
        reason=reason,
    )


def _retry() -> Any:
    """Try again for as long as a person waits, not for the two minutes of the package."""
    return lazy.storage.retry.DEFAULT_RETRY.with_timeout(_TIMEOUT)
