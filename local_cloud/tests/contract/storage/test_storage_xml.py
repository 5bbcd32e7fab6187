"""The XML API: objects, and multipart uploads."""

from __future__ import annotations

import base64
import random
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import google_crc32c
import pytest
from google.cloud.storage import transfer_manager

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import requests
    from google.cloud import storage

MIB = 1 << 20
PART = 5 * MIB
BYTES = random.Random(3).randbytes(2 * PART + 1234)
PIECES = [BYTES[:PART], BYTES[PART : 2 * PART], BYTES[2 * PART :]]


def crc32c(data: bytes) -> str:
    return base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()


def code(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, ET.fromstring(answer.content).findtext("Code", "")


class Upload:
    """A multipart upload, driven request by request."""

    def __init__(self, call: Callable[..., requests.Response], path: str, **headers: str) -> None:
        self.call = call
        self.path = path
        answer = call("POST", f"{path}?uploads", headers=headers)
        assert answer.status_code == 200, answer.text
        self.id = ET.fromstring(answer.content).findtext("{*}UploadId", "")
        self.etags: dict[int, str] = {}

    def put(self, number: int, data: bytes | Iterator[bytes], **headers: str) -> requests.Response:
        if isinstance(data, bytes) and not headers:
            headers = {"x-goog-hash": f"crc32c={crc32c(data)}"}
        answer = self.call(
            "PUT",
            f"{self.path}?partNumber={number}&uploadId={self.id}",
            data=data,
            headers=headers,
        )
        if answer.status_code == 200:
            self.etags[number] = answer.headers["ETag"]
        return answer

    def parts(self, **options: Any) -> tuple[list[tuple[int, int]], str | None]:
        answer = self.call("GET", self.path, params={"uploadId": self.id, **options})
        root = ET.fromstring(answer.content)
        found = [
            (int(part.findtext("{*}PartNumber", "")), int(part.findtext("{*}Size", "")))
            for part in root.iterfind("{*}Part")
        ]
        more = root.findtext("{*}IsTruncated") == "true"
        return found, root.findtext("{*}NextPartNumberMarker") if more else None

    def complete(self, *numbers: int, etags: dict[int, str] | None = None) -> requests.Response:
        root = ET.Element("CompleteMultipartUpload")
        for number in numbers:
            part = ET.SubElement(root, "Part")
            ET.SubElement(part, "PartNumber").text = str(number)
            ET.SubElement(part, "ETag").text = {**self.etags, **(etags or {})}.get(number, "no")
        return self.call("POST", f"{self.path}?uploadId={self.id}", data=ET.tostring(root))


@pytest.fixture
def upload(call: Callable[..., requests.Response], bucket: storage.Bucket) -> Upload:
    return Upload(call, f"/{bucket.name}/dir/x", **{"x-goog-meta-k": "v", "Content-Type": "a/b"})


def test_parts_become_an_object(upload: Upload, bucket: storage.Bucket) -> None:
    for number in (2, 3, 1):  # any order
        answer = upload.put(number, PIECES[number - 1])
        assert answer.headers["x-goog-hash"].startswith(f"crc32c={crc32c(PIECES[number - 1])}")
    assert upload.parts() == ([(n, len(p)) for n, p in enumerate(PIECES, 1)], None)
    assert not bucket.blob("dir/x").exists()
    done = upload.complete(1, 2, 3)
    assert done.status_code == 200
    assert done.headers["x-goog-hash"] == f"crc32c={crc32c(BYTES)}"
    found = bucket.get_blob("dir/x")
    assert (found.size, found.crc32c, found.md5_hash) == (len(BYTES), crc32c(BYTES), None)
    assert (found.metadata, found.content_type) == ({"k": "v"}, "a/b")
    assert str(found.generation) == done.headers["x-goog-generation"]
    assert found.download_as_bytes() == BYTES
    assert code(upload.complete(1, 2, 3)) == (404, "NoSuchUpload")


@pytest.mark.parametrize(
    "order",
    [[3, 1, 2], [1, 2, 3], [3, 2, 1]],
    ids=["last part first", "in order", "backwards"],
)
@pytest.mark.parametrize("first", [PART, PART + 600], ids=["even", "uneven"])
def test_parts_of_all_sizes_in_all_orders(
    upload: Upload, bucket: storage.Bucket, order: list[int], first: int
) -> None:
    pieces = [BYTES[:first], BYTES[first : first + PART], BYTES[first + PART :]]
    for number in order:
        upload.put(number * 7, pieces[number - 1])  # numbers may have gaps
    assert upload.complete(7, 14, 21).status_code == 200
    assert bucket.blob("dir/x").download_as_bytes() == BYTES


def test_a_part_sent_again_replaces_the_first(upload: Upload, bucket: storage.Bucket) -> None:
    upload.put(1, PIECES[1])
    upload.put(2, PIECES[1])
    stale = dict(upload.etags)
    upload.put(1, PIECES[0])
    upload.put(3, PIECES[2])
    upload.put(4, b"not used")
    assert code(upload.complete(1, 2, 3, etags={1: stale[1]})) == (400, "InvalidPart")
    assert upload.complete(1, 2, 3).status_code == 200
    assert bucket.blob("dir/x").download_as_bytes() == BYTES


def test_a_part_without_a_length(upload: Upload, bucket: storage.Bucket) -> None:
    pieces = (PIECES[0][start : start + 99_999] for start in range(0, PART, 99_999))
    upload.put(1, pieces, **{"Content-Type": "a/b"})
    upload.put(2, b"tail")
    upload.complete(1, 2)
    assert bucket.blob("dir/x").download_as_bytes() == PIECES[0] + b"tail"


def test_a_wrong_checksum_leaves_the_part_out(upload: Upload) -> None:
    answer = upload.put(1, PIECES[0], **{"x-goog-hash": f"crc32c={crc32c(b'other')}"})
    assert code(answer) == (400, "BadDigest")
    assert upload.parts() == ([], None)
    assert upload.put(1, PIECES[0]).status_code == 200


def test_completing_is_strict(upload: Upload, bucket: storage.Bucket) -> None:
    upload.put(1, b"small")
    upload.put(2, PIECES[1])
    assert code(upload.complete(2, 1)) == (400, "InvalidPartOrder")
    assert code(upload.complete(1, 2, 3)) == (400, "InvalidPart")
    assert code(upload.complete(1, 2)) == (400, "EntityTooSmall")
    assert code(upload.complete()) == (400, "MalformedCompleteMultipartUploadRequest")
    assert code(upload.put(0, b"x")) == (400, "InvalidArgument")
    assert code(upload.put(10_001, b"x")) == (400, "InvalidArgument")
    assert upload.complete(2).status_code == 200
    assert bucket.blob("dir/x").download_as_bytes() == PIECES[1]


def test_completing_ignores_preconditions(upload: Upload, bucket: storage.Bucket) -> None:
    bucket.blob("dir/x").upload_from_string(b"meanwhile")
    upload.put(1, b"parts")
    answer = upload.call(
        "POST",
        f"{upload.path}?uploadId={upload.id}",
        headers={"x-goog-if-generation-match": "0"},
        data=f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{upload.etags[1]}"
        "</ETag></Part></CompleteMultipartUpload>",
    )
    assert answer.status_code == 200
    assert bucket.blob("dir/x").download_as_bytes() == b"parts"


def test_parts_are_listed_in_pages(upload: Upload) -> None:
    for number in range(1, 6):
        upload.put(number, b"x" * number)
    assert upload.parts(**{"max-parts": 2}) == ([(1, 1), (2, 2)], "2")
    assert upload.parts(**{"max-parts": 3, "part-number-marker": 2}) == (
        [(3, 3), (4, 4), (5, 5)],
        None,
    )


def test_an_aborted_upload_is_gone(
    upload: Upload, bucket: storage.Bucket, cloud_folder: Path
) -> None:
    upload.put(1, b"x")
    folder = cloud_folder / "uploads" / upload.id
    assert folder.exists()
    assert upload.call("DELETE", f"{upload.path}?uploadId={upload.id}").status_code == 204
    assert code(upload.put(2, b"x")) == (404, "NoSuchUpload")
    assert code(upload.complete(1)) == (404, "NoSuchUpload")
    assert not folder.exists()
    assert not bucket.blob("dir/x").exists()


def test_open_uploads_are_listed(
    call: Callable[..., requests.Response], bucket: storage.Bucket
) -> None:
    for key in ("b", "a/2", "a/1", "a/1"):
        Upload(call, f"/{bucket.name}/{key}")

    def listed(**options: Any) -> ET.Element:
        answer = call("GET", f"/{bucket.name}?uploads", params=options)
        return ET.fromstring(answer.content)

    def keys(root: ET.Element) -> list[str | None]:
        return [upload.findtext("{*}Key") for upload in root.iterfind("{*}Upload")]

    assert keys(listed()) == ["a/1", "a/1", "a/2", "b"]
    assert keys(listed(prefix="a/")) == ["a/1", "a/1", "a/2"]
    page = listed(**{"max-uploads": 1})
    assert keys(page) == ["a/1"]
    after = {
        "key-marker": page.findtext("{*}NextKeyMarker"),
        "upload-id-marker": page.findtext("{*}NextUploadIdMarker"),
    }
    assert keys(listed(**after)) == ["a/1", "a/2", "b"]


@pytest.mark.parametrize("checksum", ["auto", "md5", None])
def test_the_clients_transfer_manager(
    bucket: storage.Bucket, tmp_path: Path, checksum: str | None
) -> None:
    file = tmp_path / "x"
    file.write_bytes(BYTES)
    blob = bucket.blob("x")
    blob.metadata = {"k": "v"}
    transfer_manager.upload_chunks_concurrently(
        file,
        blob,
        chunk_size=PART,
        worker_type=transfer_manager.THREAD,
        max_workers=3,
        checksum=checksum,
    )
    found = bucket.get_blob("x")
    assert (found.crc32c, found.metadata) == (crc32c(BYTES), {"k": "v"})
    transfer_manager.download_chunks_concurrently(
        found, tmp_path / "y", chunk_size=MIB, worker_type=transfer_manager.THREAD
    )
    assert (tmp_path / "y").read_bytes() == BYTES


def test_objects(call: Callable[..., requests.Response], bucket: storage.Bucket) -> None:
    path = f"/{bucket.name}/a%2Fb c"
    headers = {"Content-Type": "a/b", "x-goog-meta-k": "v", "x-goog-if-generation-match": "0"}
    made = call("PUT", path, data=b"0123456789", headers=headers)
    assert made.status_code == 200
    assert made.headers["x-goog-hash"].startswith(f"crc32c={crc32c(b'0123456789')},md5=")
    assert code(call("PUT", path, data=b"x", headers=headers)) == (412, "PreconditionFailed")
    assert bucket.blob("a/b c").generation is None
    assert str(bucket.get_blob("a/b c").generation) == made.headers["x-goog-generation"]
    head = call("HEAD", path)
    assert (head.headers["Content-Length"], head.headers["x-goog-meta-k"]) == ("10", "v")
    assert re.fullmatch(r'"[0-9a-f]{32}"', head.headers["ETag"])
    assert call("GET", path).content == b"0123456789"
    assert call("GET", path, headers={"Range": "bytes=2-4"}).content == b"234"
    assert code(call("GET", path, headers={"Range": "bytes=10-"})) == (416, "InvalidRange")
    wrong = {"x-goog-hash": f"crc32c={crc32c(b'other')}"}
    assert code(call("PUT", path, data=b"x", headers=wrong)) == (400, "BadDigest")
    stale = {"x-goog-if-generation-match": "1"}
    assert code(call("GET", path, headers=stale)) == (412, "PreconditionFailed")
    assert code(call("DELETE", path, headers=stale)) == (412, "PreconditionFailed")
    assert call("DELETE", path).status_code == 204
    assert code(call("DELETE", path)) == (404, "NoSuchKey")
    assert code(call("GET", path)) == (404, "NoSuchKey")


def test_refusals(
    call: Callable[..., requests.Response],
    switches: Callable[..., None],
    bucket: storage.Bucket,
    stranger: storage.Client,
) -> None:
    assert code(call("PUT", "/no-such-bucket/x", data=b"")) == (404, "NoSuchBucket")
    assert code(call("POST", "/no-such-bucket/x?uploads")) == (404, "NoSuchBucket")
    answer = stranger._http.post(f"{stranger._connection.API_BASE_URL}/{bucket.name}/x?uploads")
    assert code(answer) == (403, "AccessDenied")
    assert "stranger@" in answer.text
    switches(denied_permissions=["storage.multipartUploads.create"])
    answer = call("POST", f"/{bucket.name}/x?uploads")
    assert code(answer) == (403, "AccessDenied")
    assert "storage.multipartUploads.create" in answer.text
