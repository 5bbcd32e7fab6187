"""JSON bodies of Cloud Storage that are none, or hold something else than they may."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_cloud.storage import bodies
from local_cloud.storage.failures import StorageError

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"1",
        b"{",
        b"\xff\xfe{",
        b"[" * 100_000,
        b'{"metadata": ' + b"[" * 100_000,
        b'{"a":"' + b"x" * (16 << 20) + b'"}',
    ],
    ids=["list", "number", "half", "latin", "deep", "deep inside", "large"],
)
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(StorageError) as caught:
        bodies.read(body)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"labels": []}, "labels"),
        ({"labels": {"a": 1}}, "labels.a"),
        ({"lifecycle": {"rule": [{"action": 5}]}}, "lifecycle.rule.action"),
        ({"lifecycle": {"rule": [None]}}, "lifecycle.rule"),
        ({"bindings": [{"role": 5}]}, "bindings.role"),
        ({"bindings": [{"members": "x"}]}, "bindings.members"),
        ({"bindings": {}}, "bindings"),
        ({"iamConfiguration": {"uniformBucketLevelAccess": True}}, "uniformBucketLevelAccess"),
        ({"softDeletePolicy": 1}, "softDeletePolicy"),
        ({"metadata": {"a": {}}}, "metadata.a"),
        ({"contentType": {}}, "contentType"),
        ({"sourceObjects": [{"name": 1}]}, "sourceObjects.name"),
    ],
)
def test_a_field_of_another_kind_is_named(body: dict[str, Any], where: str) -> None:
    with pytest.raises(StorageError, match=where):
        bodies.read(json.dumps(body).encode())


def test_what_clients_send_is_read() -> None:
    body = {
        "name": "b",
        "labels": {"a": "b", "gone": None},
        "lifecycle": {"rule": [{"action": {"type": "Delete"}, "condition": {"age": 7}}]},
        "metadata": {"a": "b"},
        "unknown": {"deep": [1, {}]},
    }
    text = json.dumps(body).encode()
    assert bodies.read(text) == bodies.read(gzip.compress(text), compressed=True) == body
    assert bodies.read(b"") == {}


@pytest.mark.parametrize("body", [gzip.compress(bytes(256 << 20), 1), b"no gzip"])
def test_a_compressed_body_counts_decompressed(body: bytes) -> None:
    with pytest.raises(StorageError):
        bodies.read(body, compressed=True)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(bodies._KINDS)), ANY, max_size=3))
def test_any_body_is_read_or_refused(body: dict[str, Any]) -> None:
    try:
        bodies.read(json.dumps(body).encode())
    except StorageError as error:
        assert error.status == 400  # noqa: PT017 - not each one is refused
