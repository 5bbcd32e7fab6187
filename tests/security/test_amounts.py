"""Short texts that would become large: what strangers wrote takes little memory."""

from __future__ import annotations

import json
import struct
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets.documents import mending, metadata, plans
from llm_widgets.domain import json_text
from llm_widgets.domain.metadata import MetadataFileError
from llm_widgets.errors import DocumentError, HubError
from llm_widgets.gcp.client import messages
from llm_widgets.gcp.refusals import reading
from llm_widgets.hubs import documents, gguf, headers
from llm_widgets.hubs.failures import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1 << 20
LENGTH, SHORT = 3 * MIB, MIB // 8
LITTLE = 8 * MIB
"""Bytes that mending a short text may take; one as long as it may be took 2 GB."""


def filled(
    piece: str, *, before: str = '{"models":[', after: str = "]}", length: int = LENGTH
) -> bytes:
    """Return a text of some pieces."""
    return (before + piece * (length // len(piece.encode())) + after).encode()


WELL_FORMED = {
    "lists": filled("[],", after="[]]}"),
    "objects": filled("{},", after="{}]}"),
    "numbers": filled("1,", after="1]}"),
    "texts": filled('"",', after='""]}'),
    "keys": json.dumps({"models": [{f"{each:x}": 1 for each in range(410_000)}]}).encode(),
    "escaped": filled('"\\"\\\\",', after='""]}'),
    "in UTF-16": filled("[],", after="[]]}").decode()[: LENGTH // 2].encode("utf-16"),
}
HAND_MADE = {
    "lists": ("[],", ",]}"),
    "blanks": (" ", "]}"),
    "a text without its end": ('"' + "a" * SHORT, ""),
    "escapes without an end": ('"' + '\\"' * SHORT, ""),
    "backslashes": ('"' + "\\" * SHORT, ""),
    "comments": ("//\n", "]}"),
    "opened comments": ("/*", "]}"),
    "words": ("true ", "]}"),
    "keys": ("{a:1},", "]}"),
    "marks": ("\ufeff", "]}"),
}


@pytest.fixture
def watched() -> Iterator[None]:
    """Measure the memory of a test."""
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < LITTLE


@pytest.mark.parametrize("text", WELL_FORMED.values(), ids=WELL_FORMED)
def test_a_text_that_holds_too_much_is_not_parsed(text: bytes) -> None:
    with pytest.raises(json_text.TooManyValuesError):
        json_text.loads(text)


def test_it_is_told_as_what_it_is() -> None:
    text = WELL_FORMED["lists"]
    with pytest.raises(DocumentError, match="holds more than"):
        plans.read(text, bucket="planted", import_id="abc")
    with pytest.raises(HubError, match="holds too much"):
        documents.parsed(text, name="The answer")
    with pytest.raises(MetadataFileError):
        metadata.read(text)


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize(("piece", "after"), HAND_MADE.values(), ids=HAND_MADE)
def test_a_list_that_was_edited_is_mended_within_limits(piece: str, after: str) -> None:
    text = filled(piece, after=after, length=max(SHORT, len(piece)))
    assert len(mending.mended(text).value["models"]) <= SHORT


def test_what_is_mended_holds_no_more_than_other_texts() -> None:
    found = mending.mended("[" + "1 " * (json_text.MOST_VALUES + 9) + "]")
    assert not found.is_whole
    assert len(found.value) < json_text.MOST_VALUES


@pytest.mark.parametrize(
    "value",
    [{}, [], "", 1, {"a": ['"', "\\", '\\"', "[,{", "é"]}, [[], [[]], {"b": {}}], "\\" * 99],
    ids=str,
)
def test_what_holds_little_is_parsed_as_it_is(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        assert json_text.loads(text) == json_text.loads(text.encode()) == value


def test_commas_in_texts_are_no_values() -> None:
    many = ["[,{" * json_text.MOST_VALUES, '"\\' * 9]
    assert json_text.loads(json.dumps(many)) == many
    with pytest.raises(json_text.TooManyValuesError):
        json_text.loads("[1" + ",1" * json_text.MOST_VALUES)


def of_shape(shape: str, offsets: str = "[0,4]") -> bytes:
    """Return the header of a safetensors file with one tensor."""
    return f'{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}}}'.encode()


@pytest.mark.parametrize(
    "header",
    [
        of_shape("[1e999]"),
        of_shape("[Infinity]"),
        of_shape("[NaN]"),
        of_shape("[1]", "[0,1e999]"),
        of_shape("[-1,-1]"),
        of_shape("[true]"),
        of_shape('["1"]'),
        of_shape("{}", "[0,0]"),
        of_shape(f"[{','.join(['9' * 4000] * 2000)}]"),
        of_shape(f"[{','.join(['1'] * 100)}]"),
        of_shape("1"),
        b'{"a":' + b"[" * 100_000,
    ],
    ids=range(12),
)
def test_a_table_of_tensors_of_odd_numbers_is_damaged(header: bytes) -> None:
    with pytest.raises(headers.DamagedError):
        headers.parse_safetensors(header)


def test_a_table_of_too_many_tensors_is_not_told_as_damaged() -> None:
    with pytest.raises(HubError, match="too many tensors") as caught:
        headers.parse_safetensors(filled("[],", before='{"a":[', after="[]]}"))
    assert not isinstance(caught.value, headers.DamagedError)


def test_tensors_are_counted_over_all_shards() -> None:
    entry = '"{}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'
    text = ("{" + ",".join(entry.format(each) for each in range(20_000)) + "}").encode()
    shard = struct.pack("<Q", len(text)) + text
    with pytest.raises(HubError, match="more than 300000 tensors"):
        headers.safetensors(
            [("https://example.com/x", len(shard))] * 20,
            lambda _, start, end: shard[start:end],
            seconds=300,
        )


def gguf_key(number: int) -> bytes:
    """Return a key that no other entry has."""
    return struct.pack("<Q8s", 8, b"%08d" % number)


@pytest.mark.parametrize(
    ("count", "value"),
    [
        (1 << 20, struct.pack("<IB", 7, 1)),
        (20_000, struct.pack("<IIQ", 9, 0, 1024) + b"\0" * 1024),
    ],
    ids=["entries", "lists"],
)
def test_the_metadata_of_a_gguf_file_are_bounded_in_all(count: int, value: bytes) -> None:
    entries = b"".join(gguf_key(number) + value for number in range(count))
    file = b"GGUF" + struct.pack("<IQQ", 3, 0, count) + entries
    with pytest.raises(HubError, match="can't be read"):
        gguf.header("https://example.com/x", len(file), lambda _, start, end: file[start:end])


@pytest.mark.usefixtures("watched")
def test_what_a_hub_refuses_with_is_not_parsed_whatever_it_holds() -> None:
    refusal = Refusal(403, body=WELL_FORMED["lists"])
    assert refusal.told == ""
    assert len(refusal.said) <= 300


@pytest.mark.parametrize("nested", ['{"error":' * 100_000, "[" * 100_000])
def test_what_google_refuses_with_may_be_nested(nested: str) -> None:
    assert len(messages.readable(nested)) <= 2000
    assert reading._error_in(nested) == {}
