"""Files under the names of weights: what is said of each, against safetensors itself."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
import safetensors

from llm_widgets.hubs import headers
from llm_widgets.hubs.headers import DamagedError, ReadRange


def tensor(start: int, end: int, **other: Any) -> dict[str, Any]:
    shape = [(end - start) // 2]
    return {"dtype": "BF16", "shape": shape, "data_offsets": [start, end], **other}


def written(entries: Any, size: int = 8, before: bytes = b"") -> bytes:
    """Return a file with a header and so many bytes of values."""
    head = before + (entries if isinstance(entries, bytes) else json.dumps(entries).encode())
    return struct.pack("<Q", len(head)) + head + bytes(size)


WHOLE = {
    "one tensor": written({"a": tensor(0, 8)}),
    "not in the order of their places": written({"b": tensor(4, 8), "a": tensor(0, 4)}),
    "with metadata": written({"__metadata__": {"format": "pt"}, "a": tensor(0, 8)}),
    "metadata that are null": written({"__metadata__": None, "a": tensor(0, 8)}),
    "a single number": written({"a": tensor(0, 2, shape=[])}, 2),
    "white space around the header": written(b'\n{"a":%b}   ' % json.dumps(tensor(0, 8)).encode()),
    "a field that is not known": written({"a": tensor(0, 8, more=1)}),
    "an empty tensor between others": written(
        {"a": tensor(0, 4), "b": tensor(4, 4), "c": tensor(4, 8)}
    ),
    "four bits": written({"a": tensor(0, 8, dtype="F4", shape=[16])}),
    "eight bits of AMD": written({"a": tensor(0, 8, dtype="F8_E4M3FNUZ", shape=[8])}),
}
BROKEN = {
    "a gap between tensors": (written({"a": tensor(0, 4), "b": tensor(6, 8)}), "b does not lie"),
    "tensors in one place": (written({"a": tensor(0, 6), "b": tensor(4, 8)}), "b does not lie"),
    "a gap before the first": (written({"a": tensor(2, 8)}), "a does not lie"),
    "a type in torch's words": (written({"a": tensor(0, 8, dtype="bfloat16")}), "type bfloat16"),
    "a type of GGUF": (written({"a": tensor(0, 8, dtype="Q4_K", shape=[4])}), "type Q4_K"),
    "a type that is a number": (written({"a": tensor(0, 8, dtype=7)}), "type 7"),
    "a type that is a list": (written({"a": tensor(0, 8, dtype=[])}), ""),
    "a shape of another size": (written({"a": tensor(0, 8, shape=[5])}), "can't take 8 bytes"),
    "a shape in words": (written({"a": tensor(0, 8, shape="4")}), ""),
    "no shape": (written({"a": {"dtype": "BF16", "data_offsets": [0, 8]}}), "shape"),
    "places that are fractions": (written({"a": tensor(0, 8, data_offsets=[0, 8.0])}), ""),
    "places the wrong way round": (written({"a": tensor(0, 8, data_offsets=[8, 0])}), ""),
    "numbers in the metadata": (
        written({"__metadata__": {"step": 5}, "a": tensor(0, 8)}),
        "something else than texts",
    ),
    "metadata that are a list": (written({"__metadata__": ["pt"]}, 0), "not an object"),
    "a list for a header": (written(b"[]"), "not a JSON object"),
    "no header": (written(b"", 50), "zeros"),
    "a name that is no text": (written(b'{"\xff":{}}'), ""),
    "its last byte missing": (written({"a": tensor(0, 8)}, 7), "its tensors take"),
    "a byte too many": (written({"a": tensor(0, 8)}, 9), "its tensors take"),
    "cut in its header": (written({"a": tensor(0, 8)})[:40], "announces a header"),
    "seven bytes": (b"\1\2\3\4\5\6\7", "too short"),
    "zeros behind its begin": (written({"a": tensor(0, 8)})[:20] + bytes(3000), ""),
    "a GGUF file": (b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + bytes(99), "GGUF file"),
    "an archive of PyTorch": (b"PK\3\4" + bytes(99), "PyTorch"),
    "what was compressed": (b"\x1f\x8b\x08" + bytes(99), "gzip"),
    "what was compressed otherwise": (b"\x28\xb5\x2f\xfd" + bytes(99), "Zstandard"),
    "a file of Keras": (b"\x89HDF\r\n\x1a\n" + bytes(99), "HDF5"),
    "a page after a mark": (b"\xef\xbb\xbf<!DOCTYPE html><html>", "web page"),
    "a page in UTF-16": ("<!doctype html>".encode("utf-16"), "web page"),
    "an answer of storage": (b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code>", "web page"),
    "a pointer with other ends": (
        b"version https://git-lfs.github.com/spec/v1\r\noid sha256:" + b"0" * 64,
        "pointer of Git LFS",
    ),
    "a pointer of long ago": (b"version https://hawser.github.com/spec/v1\noid", "pointer"),
    "a pointer of Xet": (b"# xet version 0\nfilesize = 123\nhash = 'abc'\n", "pointer"),
    "an error in JSON": (b'{"error":"Entry not found"}', "text stands there"),
    "an error in Chinese": ("文件不存在".encode() * 10, "announces a header"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_what_safetensors_reads_is_taken(name: str) -> None:
    safetensors.deserialize(WHOLE[name])
    (table,) = read(WHOLE[name])
    assert table


@pytest.mark.parametrize("name", BROKEN)
def test_what_safetensors_refuses_is_refused(name: str) -> None:
    content, said = BROKEN[name]
    with pytest.raises(safetensors.SafetensorError):
        safetensors.deserialize(content)
    with pytest.raises(DamagedError) as caught:
        read(content)
    assert said in caught.value.cause
    assert caught.value.cause


def test_types_are_those_of_safetensors() -> None:
    with pytest.raises(safetensors.SafetensorError, match="unknown variant") as caught:
        safetensors.deserialize(written({"a": tensor(0, 8, dtype="X")}))
    known = str(caught.value).partition("expected one of ")[2]
    for dtype in (part for part in known.split("`") if part.isupper()):
        read(written({"a": tensor(0, 0, dtype=dtype, shape=[0])}, 0))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\3\4" + bytes(5000), "no end"),
        (b"PK\3\4" + bytes(5000) + b"PK\5\6" + bytes(18), ""),
        (b"\x80\2" + bytes(500), ""),
        (written({"a": tensor(0, 8)}), "file of PyTorch begins"),
        (b"GGUF" + bytes(500), "GGUF file"),
    ],
)
def test_files_of_pytorch_are_whole(content: bytes, said: str) -> None:
    if not said:
        headers.check_pytorch("m.bin", len(content), ranges(content))
        return
    with pytest.raises(DamagedError) as caught:
        headers.check_pytorch("m.bin", len(content), ranges(content))
    assert said in caught.value.cause


def ranges(content: bytes) -> ReadRange:
    return lambda _, start, end: content[start:end]


def read(content: bytes) -> list[list[Any]]:
    located = [("https://hub/model.safetensors", len(content))]
    return list(headers.tables(located, ranges(content)))
