"""Uploads: in one request, and resumable in chunks."""

from __future__ import annotations

import base64
import io
import random
from typing import TYPE_CHECKING, Any

import google_crc32c
import pytest
import requests
from google.api_core.exceptions import BadRequest, PreconditionFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.cloud import storage

KIB = 1024
GRANULE = 256 * KIB
BYTES = random.Random(2).randbytes(3 * 1024 * KIB + 17)


def crc32c(data: bytes) -> str:
    return base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()


class Session:
    """A resumable session, driven request by request."""

    def __init__(self, call: Callable[..., requests.Response], bucket: str, **start: Any) -> None:
        self.call = call
        answer = call(
            "POST", f"/upload/storage/v1/b/{bucket}/o?uploadType=resumable&name=x", **start
        )
        assert answer.status_code == 200, answer.text
        self.url = answer.headers["Location"]

    def put(
        self, data: bytes | Iterator[bytes], content_range: str, **headers: str
    ) -> requests.Response:
        return self.call(
            "PUT", self.url, data=data, headers={"Content-Range": content_range, **headers}
        )

    def have(self, total: str = "*") -> str | None:
        answer = self.put(b"", f"bytes */{total}")
        assert answer.status_code == 308
        return answer.headers.get("Range")


@pytest.fixture
def session(call: Callable[..., requests.Response], bucket: storage.Bucket) -> Session:
    return Session(call, bucket.name)


def test_the_client_uploads_in_chunks(bucket: storage.Bucket) -> None:
    blob = bucket.blob("x", chunk_size=GRANULE)
    blob.metadata = {"k": "v"}
    blob.upload_from_file(io.BytesIO(BYTES), if_generation_match=0, checksum="crc32c")
    found = bucket.get_blob("x")
    assert (found.size, found.crc32c, found.metadata) == (len(BYTES), crc32c(BYTES), {"k": "v"})
    assert found.md5_hash is not None
    assert found.download_as_bytes() == BYTES
    with pytest.raises(PreconditionFailed):
        blob.upload_from_file(io.BytesIO(BYTES), if_generation_match=0)


def test_the_client_writes_without_knowing_the_size(bucket: storage.Bucket) -> None:
    with bucket.blob("x").open("wb", chunk_size=GRANULE, if_generation_match=0) as file:
        for start in range(0, len(BYTES), 100_000):
            file.write(BYTES[start : start + 100_000])
    assert bucket.blob("x").download_as_bytes() == BYTES
    with bucket.blob("whole").open("wb", chunk_size=GRANULE) as file:
        file.write(BYTES[: 2 * GRANULE])  # ends with a chunk
    assert bucket.blob("whole").download_as_bytes() == BYTES[: 2 * GRANULE]


def test_empty_objects(
    call: Callable[..., requests.Response], bucket: storage.Bucket, session: Session
) -> None:
    bucket.blob("media").upload_from_string(b"")
    assert session.put(b"", "bytes */0").json()["size"] == "0"
    other = Session(call, bucket.name)
    assert call("PUT", other.url, data=b"").json()["crc32c"] == "AAAAAA=="
    assert bucket.blob("media").download_as_bytes() == b""


def test_the_session_says_how_far_it_is(session: Session) -> None:
    assert session.have() is None
    answer = session.put(BYTES[:GRANULE], f"bytes 0-{GRANULE - 1}/{len(BYTES)}")
    assert (answer.status_code, answer.headers["Range"]) == (308, f"bytes=0-{GRANULE - 1}")
    assert answer.reason == "Resume Incomplete"
    assert session.have(str(len(BYTES))) == f"bytes=0-{GRANULE - 1}"
    done = session.put(BYTES[GRANULE:], f"bytes {GRANULE}-{len(BYTES) - 1}/{len(BYTES)}")
    assert done.json()["crc32c"] == crc32c(BYTES)
    again = session.put(b"", f"bytes */{len(BYTES)}")
    assert (again.status_code, again.json()["generation"]) == (200, done.json()["generation"])


def test_a_chunk_is_kept_by_granules(session: Session, bucket: storage.Bucket) -> None:
    odd = GRANULE + 1000
    answer = session.put(BYTES[:odd], f"bytes 0-{odd - 1}/*")
    assert (answer.status_code, answer.headers["Range"]) == (308, f"bytes=0-{GRANULE - 1}")
    done = session.put(BYTES[GRANULE:], f"bytes {GRANULE}-{len(BYTES) - 1}/{len(BYTES)}")
    assert done.status_code == 200
    assert bucket.blob("x").download_as_bytes() == BYTES


def test_a_chunk_sent_again_does_no_harm(session: Session, bucket: storage.Bucket) -> None:
    two = 2 * GRANULE
    session.put(BYTES[:two], f"bytes 0-{two - 1}/{len(BYTES)}")
    answer = session.put(BYTES[:GRANULE], f"bytes 0-{GRANULE - 1}/{len(BYTES)}")
    assert answer.headers["Range"] == f"bytes=0-{two - 1}"
    done = session.put(BYTES[GRANULE:], f"bytes {GRANULE}-{len(BYTES) - 1}/{len(BYTES)}")
    assert done.json()["crc32c"] == crc32c(BYTES)
    assert bucket.blob("x").download_as_bytes() == BYTES


def test_wrong_ranges_are_refused(session: Session) -> None:
    gap = session.put(BYTES[GRANULE:], f"bytes {GRANULE}-{len(BYTES) - 1}/{len(BYTES)}")
    assert gap.status_code == 400
    assert "exceeds already uploaded size of 0 byte(s)" in gap.json()["error"]["message"]
    short = session.put(BYTES[:10], f"bytes 0-{GRANULE - 1}/*")
    assert "There were 10 byte(s) in the request body" in short.json()["error"]["message"]
    assert session.put(b"x", "bytes one-two/3").status_code == 400
    assert session.put(BYTES[:9], "bytes 0-8/5").status_code == 400
    assert session.have() is None


def test_a_broken_chunk_goes_on_from_the_last_granule(
    session: Session, bucket: storage.Bucket
) -> None:
    def breaks_off() -> Iterator[bytes]:
        yield BYTES[: GRANULE + 5000]
        raise ConnectionAbortedError

    with pytest.raises(requests.ConnectionError):
        session.put(breaks_off(), f"bytes 0-{len(BYTES) - 1}/{len(BYTES)}")
    have = session.have()
    start = int(have.partition("-")[2]) + 1 if have else 0
    assert start in {0, GRANULE}
    done = session.put(BYTES[start:], f"bytes {start}-{len(BYTES) - 1}/{len(BYTES)}")
    assert done.json()["crc32c"] == crc32c(BYTES)
    assert bucket.blob("x").download_as_bytes() == BYTES


def test_a_cancelled_session_is_gone(session: Session) -> None:
    assert session.call("DELETE", session.url).status_code == 499
    assert session.put(b"", "bytes */*").status_code == 404
    assert session.call("DELETE", session.url).status_code == 404


def test_declared_checksums_are_checked(
    call: Callable[..., requests.Response], bucket: storage.Bucket
) -> None:
    everything = f"bytes 0-{len(BYTES) - 1}/{len(BYTES)}"
    declared = Session(call, bucket.name, json={"crc32c": crc32c(b"other")})
    answer = declared.put(BYTES, everything)
    assert (answer.status_code, answer.json()["error"]["errors"][0]["reason"]) == (400, "invalid")
    header = Session(call, bucket.name)
    answer = header.put(BYTES, everything, **{"x-goog-hash": f"crc32c={crc32c(b'other')}"})
    assert answer.status_code == 400
    assert not bucket.blob("x").exists()
    right = Session(call, bucket.name, json={"crc32c": crc32c(BYTES)})
    assert right.put(BYTES, everything).status_code == 200


def test_a_precondition_is_checked_at_both_ends(
    call: Callable[..., requests.Response], bucket: storage.Bucket
) -> None:
    path = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=resumable&name=x&ifGenerationMatch=0"
    url = call("POST", path).headers["Location"]
    bucket.blob("x").upload_from_string(b"meanwhile")
    assert call("PUT", url, data=BYTES).status_code == 412
    assert call("POST", path).status_code == 412
    assert bucket.blob("x").download_as_bytes() == b"meanwhile"


def test_the_declared_length_binds(
    call: Callable[..., requests.Response], bucket: storage.Bucket
) -> None:
    session = Session(call, bucket.name, headers={"X-Upload-Content-Length": "10"})
    assert session.put(BYTES[:20], "bytes 0-19/20").status_code == 400
    assert session.put(BYTES[:10], "bytes 0-9/10").status_code == 200


@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("content", [b"", b"\n", b"two\r\n\r\nlines\r\n", b"--b--\r\n", BYTES])
def test_multipart_bodies_with_both_line_ends(
    call: Callable[..., requests.Response], bucket: storage.Bucket, end: bytes, content: bytes
) -> None:
    body = end.join(
        [
            b"--b",
            b"Content-Type: application/json",
            b"",
            b'{"name": "x", "metadata": {"k": "v"}}',
            b"--b",
            b"Content-Type: text/x-part",
            b"",
            content,
            b"--b--",
            b"",
        ]
    )
    answer = call(
        "POST",
        f"/upload/storage/v1/b/{bucket.name}/o?uploadType=multipart",
        data=body,
        headers={"Content-Type": "multipart/related; boundary='b'"},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["contentType"] == "text/x-part"
    assert answer.json()["metadata"] == {"k": "v"}
    assert bucket.blob("x").download_as_bytes() == content


def test_malformed_uploads_are_refused(
    call: Callable[..., requests.Response], bucket: storage.Bucket
) -> None:
    path = f"/upload/storage/v1/b/{bucket.name}/o?uploadType="
    related = {"Content-Type": "multipart/related; boundary=b"}
    assert call("POST", path + "multipart", data=b"no parts", headers=related).status_code == 400
    cut = b"--b\r\n\r\n{}\r\n--b\r\n\r\nno end"
    assert call("POST", path + "multipart&name=x", data=cut, headers=related).status_code == 400
    assert call("POST", path + "multipart", data=b"x").status_code == 400
    assert call("POST", path + "carrier-pigeon", data=b"x").status_code == 400
    with pytest.raises(BadRequest):
        bucket.blob("x" * 1025).upload_from_string(b"")
    assert list(bucket.client.list_blobs(bucket)) == []
