"""What is left of objects that were deleted or replaced: noncurrent versions, soft-deleted objects.

Of a noncurrent version the bytes are kept, for it can be read. Of a soft-deleted object only the
resource is: nothing reads its bytes but a restore, which there is not.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from local_cloud.storage.backend import noncurrent_of, objects_of, time_text, version_key
from local_cloud.storage.failures import no_object

if TYPE_CHECKING:
    from local_cloud.storage.backend import Backend
    from local_cloud.storage.content import Change


def soft_deleted_of(bucket: str) -> str:
    """Return the kind of record that a bucket's soft-deleted objects are."""
    return f"softdeleted:{bucket}"


def place_of(bucket: str, resource: dict[str, Any]) -> tuple[str, str]:
    """Return kind and name of the record of a live object, or of a noncurrent version."""
    if "timeDeleted" in resource:
        return noncurrent_of(bucket), version_key(resource)
    return objects_of(bucket), resource["name"]


def retire(
    change: Change,
    bucket: dict[str, Any],
    record: dict[str, Any],
    *,
    for_good: bool = False,
) -> None:
    """Add to a change what becomes of an object that is deleted or replaced.

    Parameters
    ----------
    bucket
        The bucket's resource.
    record
        The object's record. The caller drops it, or puts another in its place.
    for_good
        Whether the request names the generation: then no noncurrent version is left.
    """
    resource, name = record["resource"], bucket["name"]
    now = datetime.now(UTC)
    if (bucket.get("versioning") or {}).get("enabled") and not for_good:
        kept = {**resource, "timeDeleted": time_text(now)}
        file = f"versions/{name}/{resource['generation']}"
        change.keeps.append((record["file"], file))
        change.puts.append(
            (noncurrent_of(name), version_key(resource), {"file": file, "resource": kept})
        )
        return
    change.removes.append(record["file"])
    seconds = int((bucket.get("softDeletePolicy") or {}).get("retentionDurationSeconds", 0))
    if seconds:
        kept = {
            **resource,
            "softDeleteTime": time_text(now),
            "hardDeleteTime": time_text(now + timedelta(seconds=seconds)),
        }
        change.puts.append((soft_deleted_of(name), version_key(resource), {"resource": kept}))


def soft_deleted(backend: Backend, bucket: str, name: str, generation: str) -> dict[str, Any]:
    """Return the resource of a soft-deleted object.

    Raises
    ------
    StorageError
        404: there is none of that generation, or its time is over.
    """
    for resource in soft_deleted_objects(backend, bucket, name):
        if (resource["name"], resource["generation"]) == (name, generation):
            return resource
    raise no_object(bucket, name)


def forget(backend: Backend, bucket: str) -> None:
    """Remove the records of a bucket's soft-deleted objects, with the bucket."""
    for key, _ in backend.store.list(soft_deleted_of(bucket)):
        backend.store.delete(soft_deleted_of(bucket), key)


def soft_deleted_objects(backend: Backend, bucket: str, prefix: str = "") -> list[dict[str, Any]]:
    """Return the soft-deleted objects whose time is not over; the others are removed for good."""
    kind, now = soft_deleted_of(bucket), time_text(datetime.now(UTC))
    kept = []
    for key, record in backend.store.list(kind, prefix):
        if record["resource"]["hardDeleteTime"] <= now:
            backend.store.delete(kind, key)
        else:
            kept.append(record["resource"])
    return kept
