"""The header of a GGUF file, as far as the hub tells of it in its lists.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3.
"""

from __future__ import annotations

import math
import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path

_VERSIONS = (2, 3)
_STRING, _ARRAY = 8, 9
# struct's codes of the other types of values, by their numbers.
_CODES = zip((0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12), "BbHhIif?Qqd", strict=True)
_NUMBERS = dict(_CODES)
_MOST = 1 << 20  # entries of an array, and tensors
_LONGEST = 16 << 20  # bytes of a text
_TOLD = ("general.architecture", "tokenizer.chat_template")


@lru_cache(maxsize=64)
def read(path: Path) -> dict[str, Any]:
    """Return what the hub calls ``gguf``: parameters, architecture, context, chat template.

    Parameters
    ----------
    path
        Of a file that never changes, as blobs are named by their digests.

    Returns
    -------
    dict
        Empty for what is no such file.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    except (KeyError, OSError, OverflowError, ValueError, struct.error):
        return {}


def _read(file: BinaryIO) -> dict[str, Any]:
    magic, version, tensors, count = struct.unpack("<4sIQQ", file.read(24))
    if magic != b"GGUF" or version not in _VERSIONS or max(tensors, count) > _MOST:
        return {}
    values = dict(_entry(file) for _ in range(count))
    total = sum(_elements(file) for _ in range(tensors))
    architecture, template = (values.get(key) for key in _TOLD)
    told = {
        "total": total,
        "architecture": architecture,
        "context_length": values.get(f"{architecture}.context_length"),
        "chat_template": template,
    }
    return {key: value for key, value in told.items() if value is not None}


def _entry(file: BinaryIO) -> tuple[str, Any]:
    return _text(file), _value(file, _number(file, "I"))


def _elements(file: BinaryIO) -> int:
    """Count the elements of a tensor."""
    _text(file)
    shape = [_number(file, "Q") for _ in range(_number(file, "I"))]
    _number(file, "I")
    _number(file, "Q")
    return math.prod(shape)


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _text(file)
    if kind != _ARRAY:
        return _number(file, _NUMBERS[kind])
    inner, length = _number(file, "I"), _number(file, "Q")
    if length > _MOST:
        raise ValueError("an array that is too long")
    return [_value(file, inner) for _ in range(length)]


def _text(file: BinaryIO) -> str:
    length = _number(file, "Q")
    if length > _LONGEST:
        raise ValueError("a text that is too long")
    return file.read(length).decode("utf-8", "replace")


def _number(file: BinaryIO, code: str) -> Any:
    size = struct.calcsize(f"<{code}")
    return struct.unpack(f"<{code}", file.read(size))[0]
