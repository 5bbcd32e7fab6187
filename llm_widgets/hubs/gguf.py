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
from llm_widgets.hubs.headers import DamagedError, what_stands

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llm_widgets.hubs.headers import ReadRange

LARGEST_HEADER = 32 << 20
"""Bytes up to which a header is read. Vocabularies of 130,000 tokens with their merges take 7 MB,
those of 260,000 tokens with half a million merges 16 MB."""

_PIECE = 2 << 20  # bytes that are read at once
_MAGIC = b"GGUF"
_ALIGNMENT = 32  # bytes; where general.alignment names no other
_VERSIONS = (2, 3)
_KEPT = 1024  # items of a list beyond which only their number is kept
_MOST = 1 << 16  # entries of metadata, and tensors; models have some thousands
_MOST_KEPT = 1 << 18  # items of all lists that are kept
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
    DamagedError
        It is no GGUF file of a known version, or not whole.
    HubError
        Its header is too large, or holds what this version does not know.
    TimeoutError
        It took too long.
    ManagerError
        What ``read`` raises.
    """
    source = _Source(url, min(size, LARGEST_HEADER), read, time.monotonic() + seconds)
    _check_start(source)
    count, entries = source.count(), source.count()
    metadata = {}
    for _ in range(entries):
        key = source.text()
        if key in metadata:
            raise source.damaged(f"it has {key} twice")
        metadata[key] = _value(source, source.number(4), 0)
    tensors, places = [], []
    for _ in range(count):
        tensor, place = _tensor(source)
        tensors.append(tensor)
        places.append(place)
    alignment = metadata.get("general.alignment", _ALIGNMENT)
    _check_places(source, tensors, places, alignment, size)
    return metadata, tuple(tensors)


def described(metadata: Mapping[str, Any], tensors: Sequence[Tensor]) -> dict[str, Any]:
    """Return what an engine judges a file by: its metadata, and the shapes of its tensors.

    Returns
    -------
    dict
        ``metadata``, with the number of items in place of each list, and ``shapes`` by name;
        empty where nothing was read.
    """
    if not metadata:
        return {}
    counted = {
        key: len(value) if isinstance(value, list | Counted) else value
        for key, value in metadata.items()
    }
    return {"metadata": counted, "shapes": {tensor.name: tensor.shape for tensor in tensors}}


def _check_start(source: _Source) -> None:
    """Refuse what is no GGUF file, or one that llama.cpp does not read."""
    magic = source.take(4)
    if magic != _MAGIC:
        raise source.damaged(what_stands(source.seen()) or "it does not begin as a GGUF file")
    version = source.number(4)
    if version in _VERSIONS:
        return
    if int.from_bytes(version.to_bytes(4, "little"), "big") in _VERSIONS:
        raise source.damaged("it was made for big-endian machines")
    raise source.damaged(f"it is of version {version} of the format, which is not read any more")


def _check_places(
    source: _Source, tensors: list[Tensor], places: list[int], alignment: Any, size: int
) -> None:
    """Refuse tensors that don't lie one after the other, or beyond the end of the file."""
    if not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
        raise source.damaged("its alignment is not a power of two")
    if len({tensor.name for tensor in tensors}) < len(tensors):
        raise source.damaged("it has a tensor twice")
    start, expected = -(-source.position // alignment) * alignment, 0
    for tensor, place in zip(tensors, places, strict=True):
        if place != expected:
            raise source.damaged(f"{tensor.name} does not lie where the one before it ends")
        if start + place + tensor.size > size:
            raise source.damaged(
                f"it has {size} bytes, and its tensors take {start + place + tensor.size} or more"
            )
        expected += -(-tensor.size // alignment) * alignment


class _Source:
    """The bytes of a file from its start, fetched when they are needed."""

    def __init__(self, url: str, limit: int, read: ReadRange, deadline: float) -> None:
        self._url = url
        self._limit = limit
        self._read = read
        self._deadline = deadline
        self._data = bytearray()
        self._position = 0
        self._kept = 0

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

    def keep(self, length: int) -> None:
        """Count items of a list that are kept."""
        self._kept += length
        if self._kept > _MOST_KEPT:
            raise self._broken("its lists are too long")

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

    @property
    def position(self) -> int:
        """How many bytes were taken."""
        return self._position

    def seen(self) -> bytes:
        """Return the bytes that were fetched."""
        return bytes(self._data)

    def damaged(self, why: str) -> DamagedError:
        """Make the failure of a file that is no whole GGUF file."""
        return DamagedError("The file of the weights can't be loaded.", cause=f"In it, {why}.")

    def unknown(self, what: str) -> HubError:
        """Make the failure of a file that holds what this version does not know."""
        return self._broken(what)

    def _need(self, length: int) -> None:
        end = self._position + length
        if end > self._limit and self._limit < LARGEST_HEADER:
            raise self.damaged("the header goes beyond the end of the file")
        if end > self._limit:
            raise self._broken(f"its header is longer than {self._limit} bytes")
        while len(self._data) < end:
            if time.monotonic() > self._deadline:
                raise TimeoutError(f"The header of {self._url} took too long.")
            start = len(self._data)
            piece = self._read(self._url, start, min(max(end, start + _PIECE), self._limit))
            if not piece:
                raise self.damaged("the header ends too early")
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
        source.keep(length)
        return [_value(source, kind, depth) for _ in range(length)]
    if kind == _STRING:
        source.skip_texts(length)
    elif kind in _VALUES:
        source.skip(_VALUES[kind].size * length)
    else:
        raise source.unknown(f"it has long lists of type {kind}")
    return Counted(length)


def _tensor(source: _Source) -> tuple[Tensor, int]:
    """Return a tensor and where it begins, in bytes from the first one."""
    name = source.text()
    dimensions = source.number(4)
    if dimensions > _MOST_DIMENSIONS:
        raise source.unknown(f"{name} has {dimensions} dimensions")
    shape = tuple(source.number(8) for _ in range(dimensions))
    kind = source.number(4)
    place = source.number(8)
    if kind not in _TYPES:
        raise source.unknown(f"{name} is of type {kind}")
    dtype, elements, size = _TYPES[kind]
    if shape and shape[0] % elements:
        raise source.damaged(f"rows of {name} don't fill blocks of {elements}")
    return Tensor(name, dtype, shape, prod(shape) // elements * size), place
