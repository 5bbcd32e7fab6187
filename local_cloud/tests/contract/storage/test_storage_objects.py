"""Objects through the unmodified google-cloud-storage client."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import random
from typing import TYPE_CHECKING

import google_crc32c
import pytest
from google.api_core.exceptions import (
    BadRequest,
    NotFound,
    NotModified,
    PreconditionFailed,
    RequestRangeNotSatisfiable,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests
    from google.cloud import storage

    from local_cloud.cloud import LocalCloud

BYTES = random.Random(1).randbytes(3_000_000)


def crc32c(data: bytes) -> str:
    return base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()


def names(bucket: storage.Bucket, **options: object) -> list[str]:
    return [blob.name for blob in bucket.client.list_blobs(bucket, **options)]


def fill(bucket: storage.Bucket, *names: str) -> None:
    for name in names:
        bucket.blob(name).upload_from_string(name)


def test_an_object_has_its_checksums_and_metadata(bucket: storage.Bucket) -> None:
    blob = bucket.blob("folder/file.bin")
    blob.metadata = {"digest": "sha256-1"}
    blob.cache_control = "no-store"
    blob.custom_time = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    blob.upload_from_string(BYTES, content_type="application/x-model")
    found = bucket.get_blob("folder/file.bin")
    assert found is not None
    assert found.size == len(BYTES)
    assert found.crc32c == crc32c(BYTES)
    assert found.md5_hash == base64.b64encode(hashlib.md5(BYTES).digest()).decode()
    assert found.metadata == {"digest": "sha256-1"}
    assert found.cache_control == "no-store"
    assert found.content_type == "application/x-model"
    assert found.custom_time == blob.custom_time
    assert found.storage_class == "STANDARD"
    assert found.metageneration == 1
    assert found.generation == blob.generation
    assert found.id == f"{bucket.name}/folder/file.bin/{blob.generation}"
    assert found.download_as_bytes() == BYTES


def test_an_object_is_a_plain_file(cloud_folder: Path, bucket: storage.Bucket) -> None:
    folder = cloud_folder / "buckets" / bucket.name
    fill(bucket, "models/a/config.json", "models/b")
    assert (folder / "models/a/config.json").read_text() == "models/a/config.json"
    bucket.blob("models/a/config.json").delete()
    assert [p.relative_to(folder).as_posix() for p in folder.rglob("*")] == ["models", "models/b"]


@pytest.mark.parametrize(
    "odd",
    ["dir/", "a//b", "../up", "x/./y", "\u00e4\U0001f600", "%2F %", "a" * 1024, "a/b+c?d#e&f"],
)
def test_every_name_works(cloud_folder: Path, bucket: storage.Bucket, odd: str) -> None:
    blob = bucket.blob(odd)
    blob.upload_from_string(b"odd")
    assert names(bucket) == [odd]
    assert bucket.get_blob(odd).download_as_bytes() == b"odd"
    copy = bucket.copy_blob(blob, bucket, f"copy of {odd}"[:1024])
    assert copy.download_as_bytes() == b"odd"
    outside = {p.name for p in cloud_folder.iterdir()}
    blob.delete()
    assert not blob.exists()
    assert "up" not in outside


def test_an_object_and_a_folder_may_have_one_name(bucket: storage.Bucket) -> None:
    fill(bucket, "a", "a/b", "c/d", "c")
    for name in ("a", "a/b", "c/d", "c"):
        assert bucket.blob(name).download_as_text() == name
    bucket.blob("a").delete()
    assert bucket.blob("a/b").download_as_text() == "a/b"
    fill(bucket, "a/b")
    assert names(bucket) == ["a/b", "c", "c/d"]


@pytest.mark.parametrize("wrong", ["a\nb", "", "x" * 1025, ".."])
def test_names_that_cannot_be_are_refused(
    call: Callable[..., requests.Response], bucket: storage.Bucket, wrong: str
) -> None:
    answer = call(
        "POST",
        f"/upload/storage/v1/b/{bucket.name}/o",
        params={"uploadType": "media", "name": wrong},
        data=b"x",
    )
    assert answer.status_code == 400


def test_ranges(call: Callable[..., requests.Response], bucket: storage.Bucket) -> None:
    blob = bucket.blob("x")
    blob.upload_from_string(BYTES)
    assert blob.download_as_bytes(start=10, end=19) == BYTES[10:20]
    assert blob.download_as_bytes(start=len(BYTES) - 5) == BYTES[-5:]
    path = f"/download/storage/v1/b/{bucket.name}/o/x?alt=media"
    tail = call("GET", path, headers={"Range": "bytes=-7"})
    assert (tail.status_code, tail.content) == (206, BYTES[-7:])
    assert tail.headers["Content-Range"] == f"bytes {len(BYTES) - 7}-{len(BYTES) - 1}/{len(BYTES)}"
    assert call("GET", path, headers={"Range": "lines=1-2"}).status_code == 200
    with pytest.raises(RequestRangeNotSatisfiable):
        blob.download_as_bytes(start=len(BYTES))


def test_preconditions_on_writing(bucket: storage.Bucket) -> None:
    blob = bucket.blob("x")
    blob.upload_from_string(b"1", if_generation_match=0)
    first = blob.generation
    with pytest.raises(PreconditionFailed, match="At least one of the pre-conditions"):
        blob.upload_from_string(b"2", if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        blob.upload_from_string(b"2", if_generation_not_match=first)
    blob.upload_from_string(b"2", if_generation_match=first)
    assert blob.generation > first
    blob.metadata = {"a": "1"}
    blob.patch(if_metageneration_match=1)
    assert blob.metageneration == 2
    with pytest.raises(PreconditionFailed):
        blob.patch(if_metageneration_match=1)
    with pytest.raises(PreconditionFailed):
        blob.patch(if_metageneration_not_match=2)
    with pytest.raises(PreconditionFailed):
        blob.delete(if_generation_match=first)
    assert blob.download_as_bytes() == b"2"
    blob.delete(if_generation_match=blob.generation)


def test_preconditions_on_reading(bucket: storage.Bucket) -> None:
    blob = bucket.blob("x")
    blob.upload_from_string(b"1")
    generation = blob.generation
    with pytest.raises(PreconditionFailed):
        blob.download_as_bytes(if_generation_match=generation + 1)
    with pytest.raises(NotModified):
        blob.reload(if_generation_not_match=generation)
    with pytest.raises(NotModified):
        blob.reload(if_metageneration_not_match=1)
    with pytest.raises(NotFound, match="No such object"):
        bucket.blob("x", generation=generation + 1).download_as_bytes()
    assert bucket.get_blob("x", generation=generation).name == "x"
    assert bucket.get_blob("y") is None


def test_wrong_checksums_are_refused(
    call: Callable[..., requests.Response], bucket: storage.Bucket
) -> None:
    blob = bucket.blob("x")
    blob.crc32c = crc32c(b"other")
    with pytest.raises(BadRequest, match="doesn't match calculated CRC32C"):
        blob.upload_from_string(b"these", checksum=None)
    path = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=x"
    for header in (f"crc32c={crc32c(b'other')}", "md5=" + "A" * 22 + "=="):
        answer = call("POST", path, data=b"these", headers={"x-goog-hash": header})
        assert answer.status_code == 400
    assert names(bucket) == []
    right = call("POST", path, data=b"these", headers={"x-goog-hash": f"crc32c={crc32c(b'these')}"})
    assert right.json()["crc32c"] == crc32c(b"these")


def test_patch_and_update(bucket: storage.Bucket) -> None:
    blob = bucket.blob("x")
    blob.metadata = {"a": "1", "b": "2"}
    blob.upload_from_string(b"x")
    blob.metadata = {"a": "uno", "b": None}
    blob.content_type = "text/x-new"
    blob.patch()
    found = bucket.get_blob("x")
    assert (found.metadata, found.content_type) == ({"a": "uno"}, "text/x-new")
    fresh = bucket.blob("x")
    fresh.content_language = "de"
    fresh.update()
    found = bucket.get_blob("x")
    assert (found.metadata, found.content_language) == (None, "de")


def test_compose(bucket: storage.Bucket) -> None:
    parts = [bucket.blob(f"part-{n}") for n in range(33)]
    for n, part in enumerate(parts):
        part.upload_from_string(BYTES[n * 1000 : (n + 1) * 1000])
    whole = bucket.blob("whole")
    whole.content_type = "text/x-whole"
    whole.compose(parts[:32], if_generation_match=0)
    found = bucket.get_blob("whole")
    assert found.download_as_bytes() == BYTES[:32_000]
    assert (found.crc32c, found.md5_hash) == (crc32c(BYTES[:32_000]), None)
    assert (found.component_count, found.content_type) == (32, "text/x-whole")
    whole.compose([whole, parts[32]])
    assert bucket.get_blob("whole").component_count == 33
    assert whole.download_as_bytes() == BYTES[:33_000]
    with pytest.raises(PreconditionFailed):
        whole.compose(parts[:2], if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        whole.compose(parts[:2], if_source_generation_match=[1, 2])
    with pytest.raises(BadRequest, match=r"components provided \(33\) exceeds the maximum \(32\)"):
        bucket.blob("more").compose(parts)
    with pytest.raises(NotFound, match="not found"):
        bucket.blob("more").compose([bucket.blob("missing")])
    assert not bucket.blob("more").exists()


def test_compose_may_delete_its_sources(
    call: Callable[..., requests.Response], bucket: storage.Bucket
) -> None:
    fill(bucket, "a", "b")
    answer = call(
        "POST",
        f"/storage/v1/b/{bucket.name}/o/ab/compose",
        json={"sourceObjects": [{"name": "a"}, {"name": "b"}], "deleteSourceObjects": True},
    )
    assert answer.status_code == 200
    assert names(bucket) == ["ab"]
    assert bucket.blob("ab").download_as_bytes() == b"ab"


def test_copies(client: storage.Client, bucket: storage.Bucket) -> None:
    source = bucket.blob("a/source")
    source.metadata = {"k": "v"}
    source.upload_from_string(BYTES, content_type="text/x-a")
    other = client.create_bucket(f"{bucket.name}-other")
    target = other.blob("target")
    token, written, total = target.rewrite(source)
    assert (token, written, total) == (None, len(BYTES), len(BYTES))
    found = other.get_blob("target")
    assert (found.metadata, found.content_type, found.md5_hash) == (
        {"k": "v"},
        "text/x-a",
        source.md5_hash,
    )
    assert found.download_as_bytes() == BYTES
    with pytest.raises(PreconditionFailed):
        target.rewrite(source, if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        target.rewrite(source, if_source_generation_match=source.generation + 1)
    copied = bucket.copy_blob(source, bucket, "b", if_generation_match=0)
    assert copied.metadata == {"k": "v"}
    source.update_storage_class("NEARLINE")
    assert bucket.get_blob("a/source").storage_class == "NEARLINE"
    assert bucket.get_blob("a/source").metadata == {"k": "v"}


def test_move(cloud_folder: Path, bucket: storage.Bucket) -> None:
    source = bucket.blob("tmp/model")
    source.metadata = {"k": "v"}
    source.upload_from_string(BYTES)
    inode = (cloud_folder / "buckets" / bucket.name / "tmp/model").stat().st_ino
    moved = bucket.move_blob(source, "final/model", if_generation_match=0)
    assert (moved.metadata, moved.crc32c) == ({"k": "v"}, crc32c(BYTES))
    assert moved.generation > source.generation
    assert names(bucket) == ["final/model"]
    assert (cloud_folder / "buckets" / bucket.name / "final/model").stat().st_ino == inode
    fill(bucket, "tmp/model")
    with pytest.raises(PreconditionFailed):
        bucket.move_blob(bucket.blob("tmp/model"), "final/model", if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        bucket.move_blob(bucket.blob("tmp/model"), "other", if_source_generation_match=1)
    with pytest.raises(NotFound):
        bucket.move_blob(bucket.blob("missing"), "other")
    assert names(bucket) == ["final/model", "tmp/model"]


def test_lists_by_prefix_and_delimiter(bucket: storage.Bucket) -> None:
    fill(bucket, "a", "b/1", "b/2", "b/c/3", "d/", "d/4", "e")
    found = bucket.client.list_blobs(bucket, delimiter="/")
    assert ([b.name for b in found], sorted(found.prefixes)) == (["a", "e"], ["b/", "d/"])
    found = bucket.client.list_blobs(bucket, prefix="b/", delimiter="/")
    assert ([b.name for b in found], sorted(found.prefixes)) == (["b/1", "b/2"], ["b/c/"])
    found = bucket.client.list_blobs(bucket, delimiter="/", include_trailing_delimiter=True)
    assert ([b.name for b in found], sorted(found.prefixes)) == (["a", "d/", "e"], ["b/", "d/"])
    assert names(bucket, prefix="b/c") == ["b/c/3"]
    assert names(bucket, start_offset="b/2", end_offset="d/4") == ["b/2", "b/c/3", "d/"]


def test_lists_by_glob(bucket: storage.Bucket) -> None:
    fill(bucket, "a.json", "b/x.json", "b/c/y.json", "b/z.txt")
    assert names(bucket, match_glob="*.json") == ["a.json"]
    assert names(bucket, match_glob="**.json") == ["a.json", "b/c/y.json", "b/x.json"]
    assert names(bucket, match_glob="b/**/*.json") == ["b/c/y.json", "b/x.json"]
    assert names(bucket, match_glob="b/[w-y].{json,txt}") == ["b/x.json"]
    assert names(bucket, match_glob="b/[!x].*") == ["b/z.txt"]


def test_lists_come_in_pages(bucket: storage.Bucket) -> None:
    wanted = [*(f"{folder}/{n}" for folder in "abc" for n in range(7)), "z"]
    fill(bucket, *wanted)
    pages = [[b.name for b in p] for p in bucket.client.list_blobs(bucket, page_size=4).pages]
    assert [len(page) for page in pages] == [4, 4, 4, 4, 4, 2]
    assert [name for page in pages for name in page] == wanted
    found = bucket.client.list_blobs(bucket, delimiter="/", page_size=1)
    assert [[b.name for b in page] for page in found.pages] == [[], [], [], ["z"]]
    assert sorted(found.prefixes) == ["a/", "b/", "c/"]


def test_bandwidth_is_limited(
    switches: Callable[..., None], cloud: LocalCloud, bucket: storage.Bucket
) -> None:
    blob = bucket.blob("x")
    switches(bandwidth=4_000_000)
    started = dt.datetime.now(dt.UTC)
    blob.upload_from_string(BYTES[:2_000_000])
    assert blob.download_as_bytes() == BYTES[:2_000_000]
    assert cloud.faults.bandwidth == 4_000_000
    passed = dt.datetime.now(dt.UTC) - started
    assert passed.total_seconds() > 0.9


def test_failures_come_and_go(
    switches: Callable[..., None], call: Callable[..., requests.Response], bucket: storage.Bucket
) -> None:
    switches(failures=[{"match": "^GET /storage/v1/b/", "status": 429, "times": 1}])
    path = f"/storage/v1/b/{bucket.name}"
    assert [call("GET", path).status_code for _ in range(2)] == [429, 200]
    switches(failures=[{"match": "^GET /storage/v1/b/", "status": 503, "times": 2}])
    assert bucket.exists()  # the client tries again by itself
