"""Rules of Cloud Storage that need no server: checksums, preconditions, names, ranges, globs."""

from __future__ import annotations

import google_crc32c
import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers

from local_cloud.storage.backend import merge
from local_cloud.storage.digests import (
    Digest,
    combine,
    declared_in_headers,
    decode_crc,
    encode_crc,
)
from local_cloud.storage.download import wanted_range
from local_cloud.storage.failures import StorageError
from local_cloud.storage.listing import glob_pattern
from local_cloud.storage.names import check_bucket, check_labels
from local_cloud.storage.preconditions import check
from local_cloud.storage.regions import placement
from local_cloud.storage.uploads import split_related

LIVE = {"generation": "7", "metageneration": "2"}


@given(st.binary(max_size=2000), st.binary(max_size=2000))
def test_checksums_combine(first: bytes, second: bytes) -> None:
    crc = combine(google_crc32c.value(first), google_crc32c.value(second), len(second))
    assert crc == google_crc32c.value(first + second)
    assert decode_crc(encode_crc(crc)) == crc


def test_checksums_of_long_zeros_combine() -> None:
    zeros = bytes(1 << 24)
    one = google_crc32c.value(b"1")
    assert combine(one, google_crc32c.value(zeros), len(zeros)) == google_crc32c.value(b"1" + zeros)


def test_a_digest_knows_what_was_declared() -> None:
    digest = Digest()
    digest.update(b"1234")
    digest.update(b"56789")
    # The check value of CRC-32C, and the MD5 hash of the same digits.
    assert (digest.size, digest.crc32c) == (9, "4waSgw==")
    assert digest.md5_hex == "25f9e794323b453885f5181f1b624d0b"
    headers = Headers({"x-goog-hash": "md5=AAAA, crc32c=4waSgw==", "Content-MD5": "BBBB"})
    assert declared_in_headers(headers) == {"md5": "BBBB", "crc32c": "4waSgw=="}
    digest.check({"crc32c": "4waSgw=="})
    with pytest.raises(StorageError) as caught:
        digest.check({"crc32c": "AAAAAA=="})
    assert (caught.value.status, caught.value.xml) == (400, "BadDigest")


@pytest.mark.parametrize(
    ("condition", "resource", "status"),
    [
        ({}, None, 0),
        ({"ifGenerationMatch": "0"}, None, 0),
        ({"ifGenerationMatch": "0"}, LIVE, 412),
        ({"ifGenerationMatch": "7"}, LIVE, 0),
        ({"ifGenerationNotMatch": "7"}, LIVE, 412),
        ({"ifGenerationNotMatch": "0"}, None, 412),
        ({"ifMetagenerationMatch": "2"}, LIVE, 0),
        ({"ifMetagenerationMatch": "1"}, LIVE, 412),
        ({"ifMetagenerationNotMatch": "2"}, LIVE, 412),
        ({"ifGenerationMatch": "7", "ifMetagenerationMatch": "3"}, LIVE, 412),
        ({"ifSourceGenerationMatch": "1"}, LIVE, 0),
        ({"ifGenerationMatch": "x"}, LIVE, 400),
    ],
)
def test_preconditions(
    condition: dict[str, str], resource: dict[str, str] | None, status: int
) -> None:
    found = 0
    try:
        check(condition, resource)
    except StorageError as error:
        found = error.status
    assert found == status


def test_reading_what_has_not_changed() -> None:
    with pytest.raises(StorageError) as caught:
        check({"ifGenerationNotMatch": "7"}, LIVE, reading=True)
    assert caught.value.status == 304


@pytest.mark.parametrize("name", ["abc", "my-models_2", "0a0", "a" * 63])
def test_good_bucket_names(name: str) -> None:
    check_bucket(name)


@pytest.mark.parametrize(
    ("name", "status"),
    [("ab", 400), ("a" * 64, 400), ("A-b", 400), ("1.2.3.4", 400), ("a..b", 400), ("a.com", 403)],
)
def test_bad_bucket_names(name: str, status: int) -> None:
    with pytest.raises(StorageError) as caught:
        check_bucket(name)
    assert caught.value.status == status


def test_labels() -> None:
    check_labels({"managed-by": "a_tool", "old": None})
    refused: tuple[dict[str, str | None], ...] = (
        {"Key": "v"},
        {"1k": "v"},
        {"k": "Value"},
        {"k": "x" * 64},
    )
    for labels in refused:
        with pytest.raises(StorageError):
            check_labels(labels)
    with pytest.raises(StorageError):
        check_labels({f"k{n}": "v" for n in range(65)})


def test_custom_dual_regions() -> None:
    made = placement("eu", ["europe-west1", "europe-west4"])
    assert made["locationType"] == "dual-region"
    assert made["customPlacementConfig"] == {"dataLocations": ["EUROPE-WEST1", "EUROPE-WEST4"]}


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", (0, 10, False)),
        ("bytes=0-", (0, 10, True)),
        ("bytes=3-5", (3, 6, True)),
        ("bytes=3-99", (3, 10, True)),
        ("bytes=-4", (6, 10, True)),
        ("bytes=-99", (0, 10, True)),
        ("bytes=5-3", (0, 10, False)),
        ("bytes=-", (0, 10, False)),
        ("bytes=1-2,4-5", (0, 10, False)),
    ],
)
def test_ranges(header: str, found: tuple[int, int, bool]) -> None:
    assert wanted_range(header, 10) == found


def test_a_range_after_the_end() -> None:
    for header in ("bytes=10-", "bytes=-0"):
        with pytest.raises(StorageError) as caught:
            wanted_range(header, 10)
        assert caught.value.status == 416


@pytest.mark.parametrize(
    ("glob", "yes", "no"),
    [
        ("*.txt", ["a.txt"], ["a/b.txt", "a.txt2"]),
        ("**/x", ["x", "a/x", "a/b/x"], ["ax"]),
        ("a**z", ["az", "a/b/z"], ["b/az"]),
        ("a?c", ["abc"], ["a/c", "ac"]),
        ("[!a]b", ["xb"], ["ab"]),
        ("{a,b*}/c", ["a/c", "bb/c"], ["c/c"]),
        ("a.b+(c)", ["a.b+(c)"], ["axb+(c)"]),
        ("a[b", ["a[b"], ["ab"]),
    ],
)
def test_globs(glob: str, yes: list[str], no: list[str]) -> None:
    pattern = glob_pattern(glob)
    assert [name for name in yes + no if pattern.fullmatch(name)] == yes


@given(
    st.binary(max_size=300).filter(lambda content: b"--bnd" not in content),
    st.integers(min_value=1, max_value=40),
    st.sampled_from([b"\n", b"\r\n"]),
)
def test_multipart_bodies_in_any_blocks(content: bytes, size: int, end: bytes) -> None:
    head = end.join([b"--bnd", b"Content-Type: application/json", b"", b'{"name":"x"}', b"--bnd"])
    body = head + end + b"Content-Type: a/b" + end * 2 + content + end + b"--bnd--" + end
    blocks = iter([body[start : start + size] for start in range(0, len(body), size)])
    metadata, content_type, rest = split_related('multipart/related; boundary="bnd"', blocks)
    assert (metadata, content_type) == ({"name": "x"}, "a/b")
    assert b"".join(rest) == content


def test_merge_patches() -> None:
    target = {"a": 1, "b": {"c": 2, "d": 3}, "e": "text"}
    merge(target, {"a": None, "b": {"c": None, "x": 4}, "e": {"y": 5}, "z": [None]})
    assert target == {"b": {"d": 3, "x": 4}, "e": {"y": 5}, "z": [None]}
