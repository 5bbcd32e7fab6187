"""Noncurrent versions and soft-deleted objects: what stays of an object that is gone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests
    from google.cloud import storage

WEEK = timedelta(days=7)


@pytest.fixture
def versioned(client: storage.Client, name: str) -> storage.Bucket:
    """A bucket that keeps noncurrent versions, and nothing for a while."""
    made = client.bucket(name)
    made.versioning_enabled = True
    made.soft_delete_policy.retention_duration_seconds = 0
    return client.create_bucket(made)


def write(bucket: storage.Bucket, name: str, text: str) -> int:
    blob = bucket.blob(name)
    blob.upload_from_string(text)
    return int(blob.generation)


def listed(bucket: storage.Bucket, **options: Any) -> list[tuple[str, int]]:
    return [(blob.name, int(blob.generation)) for blob in bucket.list_blobs(**options)]


def test_a_replaced_object_becomes_a_noncurrent_version(versioned: storage.Bucket) -> None:
    first, second = write(versioned, "x", "one"), write(versioned, "x", "other")
    assert listed(versioned) == [("x", second)]
    assert listed(versioned, versions=True) == [("x", first), ("x", second)]
    old, live = versioned.list_blobs(versions=True)
    assert old.time_deleted is not None
    assert live.time_deleted is None
    assert versioned.blob("x", generation=first).download_as_bytes() == b"one"
    assert versioned.blob("x").download_as_bytes() == b"other"


def test_a_deleted_object_becomes_a_noncurrent_version(versioned: storage.Bucket) -> None:
    first = write(versioned, "folder/x", "one")
    versioned.blob("folder/x").delete()
    assert listed(versioned) == []
    assert versioned.get_blob("folder/x") is None
    assert listed(versioned, versions=True) == [("folder/x", first)]
    second = write(versioned, "folder/x", "again")
    versioned.blob("folder/x", generation=first).delete()
    versioned.blob("folder/x", generation=second).delete()  # for good: it names the generation
    assert listed(versioned, versions=True) == []


def test_noncurrent_versions_come_in_pages(versioned: storage.Bucket) -> None:
    made = [(name, write(versioned, name, "x")) for name in ("a/1", "a/1", "a/2", "b")]
    assert listed(versioned, versions=True, page_size=1) == made
    assert listed(versioned, versions=True, prefix="a/") == made[:3]
    found = versioned.list_blobs(versions=True, delimiter="/")
    assert [blob.name for blob in found] == ["b"]
    assert found.prefixes == {"a/"}


def test_a_deleted_object_is_kept_for_a_week(bucket: storage.Bucket) -> None:
    first, second = write(bucket, "x", "one"), write(bucket, "x", "other")
    bucket.blob("x").delete()
    assert listed(bucket) == listed(bucket, versions=True) == []
    assert listed(bucket, soft_deleted=True) == [("x", first), ("x", second)]
    kept = bucket.get_blob("x", generation=second, soft_deleted=True)
    assert kept is not None
    assert kept.size == len("other")
    assert kept.hard_delete_time - kept.soft_delete_time == WEEK
    with pytest.raises(NotFound):
        bucket.blob("x", generation=second).download_as_bytes()


def test_a_bucket_without_soft_delete_keeps_nothing(bucket: storage.Bucket) -> None:
    write(bucket, "before", "x")
    bucket.blob("before").delete()
    bucket.soft_delete_policy.retention_duration_seconds = 0
    bucket.patch()
    write(bucket, "after", "x")
    bucket.blob("after").delete()
    assert [name for name, _ in listed(bucket, soft_deleted=True)] == ["before"]


def test_versions_and_soft_deleted_objects_exclude_each_other(bucket: storage.Bucket) -> None:
    with pytest.raises(BadRequest):
        listed(bucket, versions=True, soft_deleted=True)


def test_a_bucket_with_noncurrent_versions_is_not_empty(versioned: storage.Bucket) -> None:
    generation = write(versioned, "x", "one")
    versioned.blob("x").delete()
    with pytest.raises(Conflict, match="not empty"):
        versioned.delete()
    versioned.blob("x", generation=generation).delete()
    versioned.delete()


def test_unfinished_uploads_and_soft_deleted_objects_keep_no_bucket(
    client: storage.Client, bucket: storage.Bucket, call: Callable[..., requests.Response]
) -> None:
    write(bucket, "x", "one")
    bucket.blob("x").delete()
    assert call("POST", f"/{bucket.name}/parts?uploads").status_code == 200
    bucket.delete()
    again = client.create_bucket(bucket.name)
    assert listed(again, soft_deleted=True) == []


def test_changing_a_noncurrent_version_leaves_the_live_one(versioned: storage.Bucket) -> None:
    first, second = write(versioned, "x", "one"), write(versioned, "x", "other")
    old = versioned.get_blob("x", generation=first)
    assert old is not None
    old.metadata = {"k": "v"}
    old.patch()
    assert listed(versioned) == [("x", second)]
    live = versioned.get_blob("x")
    assert live is not None
    assert live.metadata is None
