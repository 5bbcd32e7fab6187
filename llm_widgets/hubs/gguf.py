"""The header of a GGUF file, read from its first bytes while the file stays at its hub.

The format is that of ggml's ``docs/gguf.md``, versions 2 and 3. The table of tensors comes after
the metadata, and those hold the whole vocabulary: so the bytes are read in pieces until the table
ends, and long lists are counted, not kept.
"""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.memory import Tensor
from llm_widgets.errors import HubError

if TYPE_CHECKING:
    from llm_widgets.hubs.headers import ReadRange

LARGEST_HEADER = 32 << 20
"""Bytes up to which a header is read. Vocabularies of 130,000 tokens with their merges take 7 MB,
those of 260,000 tokens with half a million merges 16 MB."""

_PIECE = 2 << 20  # bytes that are read at once
_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_KEPT = 1024  # items of a list beyond which only their number is kept
_MOST = 1 << 20  # entries of metadata, and tensors
_MOST_DIMENSIONS = 8
_DEEPEST = 4  # lists of lists
_STRING, _ARRAY = 8, 9
# The types of single values, by number.
_VALUES = {
    number: struct.Struct(f"<{code}")
    for number, code in {
        0: "B",
        1: "b",
        2: "H",
        3: "h",
        4: "I",
        5: "i",
        6: "f",
        7: "?",
        10: "Q",
        11: "q",
        12: "d",
    }.items()
}
# The types of tensors, by number: name, elements of a block, bytes of a block (ggml-common.h).
_TYPES = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    9: ("Q8_1", 32, 36),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36),
}


@dataclass(frozen=True, slots=True)
class Counted:
    """A long list of which only the number of items is known."""

    length: int

    def __len__(self) -> int:
        """Return the number of items."""
        return self.length


def header(
    url: str, size: int, read: ReadRange, *, seconds: float = 20
) -> tuple[dict[str, Any], tuple[Tensor, ...]]:
    """Read metadata and table of tensors.

    Parameters
    ----------
    url, size
        Of the file, bytes.
    read
        Reads a range.
    seconds
        How long all of it may take.

    Raises
    ------
    HubError
        It is no GGUF file of a known version, or its header is too large.
    TimeoutError
        It took too long.
    ManagerError
        What ``read`` raises.
    """
    source = _Source(url, min(size, LARGEST_HEADER), read, time.monotonic() + seconds)
    if source.take(4) != _MAGIC or source.number(4) not in _VERSIONS:
        raise HubError("The file of the weights is no GGUF file of a known version.", cause=url)
    tensors, entries = source.count(), source.count()
    metadata = {}
    for _ in range(entries):
        key = source.text()
        metadata[key] = _value(source, source.number(4), 0)
    return metadata, tuple(_tensor(source) for _ in range(tensors))


class _Source:
    """The bytes of a file from its start, fetched when they are needed."""

    def __init__(self, url: str, limit: int, read: ReadRange, deadline: float) -> None:
        self._url = url
        self._limit = limit
        self._read = read
        self._deadline = deadline
        self._data = bytearray()
        self._position = 0

    def take(self, length: int) -> bytes:
        """Return the next bytes."""
        self._need(length)
        taken = bytes(self._data[self._position : self._position + length])
        self._position += length
        return taken

    def skip(self, length: int) -> None:
        """Leave out bytes."""
        self._need(length)
        self._position += length

    def number(self, width: int) -> int:
        """Return the next whole number of so many bytes."""
        return int.from_bytes(self.take(width), "little")

    def count(self) -> int:
        """Return the next number of things."""
        found = self.number(8)
        if found > _MOST:
            raise self._broken(f"it announces {found} entries")
        return found

    def text(self) -> str:
        """Return the next text."""
        return self.take(self.number(8)).decode(errors="replace")

    def skip_texts(self, count: int) -> None:
        """Leave out texts; there are hundreds of thousands, so without a call for each."""
        for _ in range(count):
            if len(self._data) - self._position < 8:  # noqa: PLR2004 - bytes of a length
                self._need(8)
            start = self._position + 8
            length = int.from_bytes(self._data[self._position : start], "little")
            self._position = start
            if len(self._data) - start < length:
                self._need(length)
            self._position += length

    def unknown(self, what: str) -> HubError:
        """Make the failure of a file that holds what this version does not know."""
        return self._broken(what)

    def _need(self, length: int) -> None:
        end = self._position + length
        if end > self._limit:
            raise self._broken(f"its header is longer than {self._limit} bytes")
        while len(self._data) < end:
            if time.monotonic() > self._deadline:
                raise TimeoutError(f"The header of {self._url} took too long.")
            start = len(self._data)
            piece = self._read(self._url, start, min(max(end, start + _PIECE), self._limit))
            if not piece:
                raise self._broken("it ends too early")
            self._data += piece

    def _broken(self, why: str) -> HubError:
        return HubError(f"The file of the weights can't be read: {why}.", cause=self._url)


def _value(source: _Source, kind: int, depth: int) -> Any:
    if kind == _STRING:
        return source.text()
    if kind == _ARRAY:
        return _list(source, depth + 1)
    if kind not in _VALUES:
        raise source.unknown(f"it has values of type {kind}")
    (value,) = _VALUES[kind].unpack(source.take(_VALUES[kind].size))
    return value


def _list(source: _Source, depth: int) -> list[Any] | Counted:
    kind, length = source.number(4), source.number(8)
    if depth > _DEEPEST:
        raise source.unknown("its lists lie too deep")
    if length <= _KEPT:
        return [_value(source, kind, depth) for _ in range(length)]
    if kind == _STRING:
        source.skip_texts(length)
    elif kind in _VALUES:
        source.skip(_VALUES[kind].size * length)
    else:
        raise source.unknown(f"it has long lists of type {kind}")
    return Counted(length)


def _tensor(source: _Source) -> Tensor:
    name = source.text()
    dimensions = source.number(4)
    if dimensions > _MOST_DIMENSIONS:
        raise source.unknown(f"{name} has {dimensions} dimensions")
    shape = tuple(source.number(8) for _ in range(dimensions))
    kind = source.number(4)
    source.skip(8)  # where it begins
    if kind not in _TYPES:
        raise source.unknown(f"{name} is of type {kind}")
    dtype, elements, size = _TYPES[kind]
    return Tensor(name, dtype, shape, prod(shape) // elements * size)
