"""Tables of tensors, read from the first bytes of files of weights that stay at their hub.

Safetensors files begin with the length of a JSON text and the text itself; GGUF files with their
metadata, see :mod:`llm_widgets.hubs.gguf`. What a hub sends is not trusted: every length is
checked before so much is read.
"""

from __future__ import annotations

import codecs
import struct
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import prod
from typing import Any
from urllib.parse import unquote, urlsplit

from llm_widgets.domain import json_text
from llm_widgets.domain.memory import Tensor
from llm_widgets.errors import HubError


class DamagedError(HubError):
    """What stands at the place of a file of weights is none."""


ReadRange = Callable[[str, int, int], bytes]
"""Reads the bytes of a URL from a first one up to, but not including, an end."""

LARGEST_HEADER = 8 << 20
"""Bytes of a safetensors header beyond which it is not read; a shard with all experts of some
layers takes 0.1 to 2 MB."""

MOST_FILES = 512
"""Shards beyond which a model's headers are not read."""

MOST_TENSORS = 300_000
"""Tensors of all shards together; models of 384 experts in 60 layers have 140,000."""

_MOST_DIMENSIONS = 16
_LARGEST = 1 << 50  # bytes of a file, and elements of a tensor

_AT_ONCE = 8
_FIRST_BYTES = 256  # that tell what a file is
_LAST_BYTES = 1024  # that hold the end of an archive; PyTorch writes no comment behind it
_ARCHIVE, _ARCHIVE_END, _PICKLE = b"PK\3\4", b"PK\5\6", b"\x80"
_FIRST_READ = 128 << 10  # bytes; holds most headers, so that one request does
_LENGTH = struct.Struct("<Q")
# Bits of an element: the types of the format (``Dtype`` of safetensors 0.8, ``tensor.rs``).
_BITS = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "F8_E4M3": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2": 8,
    "F8_E5M2FNUZ": 8,
    "F8_E8M0": 8,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "I64": 64,
    "U64": 64,
    "F64": 64,
    "C64": 64,
}

# Pointers by Git LFS, by what it was before it had that name, and by Xet.
_POINTERS = (b"version https://git-lfs", b"version https://hawser", b"# xet version")
# First bytes of files that are given the name of a weights file.
_OTHERS = {
    b"GGUF": "a GGUF file",
    b"PK\3\4": "a file of PyTorch, or another ZIP archive,",
    b"\x1f\x8b": "a compressed file (gzip)",
    b"\x28\xb5\x2f\xfd": "a compressed file (Zstandard)",
    b"\x89HDF": "a file of TensorFlow (HDF5)",
    b"\xff\xfe<\0": "a web page",
}


def safetensors(
    files: Sequence[tuple[str, int]], read: ReadRange, *, seconds: float = 20
) -> tuple[Tensor, ...]:
    """Read the tables of the shards of a model: :func:`tables`, put together."""
    found = tables(files, read, seconds=seconds)
    return tuple(tensor for table in found for tensor in table)


def tables(
    files: Sequence[tuple[str, int]], read: ReadRange, *, seconds: float = 20
) -> list[list[Tensor]]:
    """Read the table of each shard of a model.

    Parameters
    ----------
    files
        URL and bytes of each.
    read
        Reads a range; it is called from eight threads.
    seconds
        How long all of it may take.

    Raises
    ------
    DamagedError
        A file is no safetensors file, or its size is not that of its tensors.
    HubError
        A header is too large, or there are too many files or tensors.
    TimeoutError
        It took too long.
    ManagerError
        What ``read`` raises.
    """
    if len(files) > MOST_FILES:
        raise HubError(f"The weights are in {len(files)} files; that is too many to look into.")
    pool = ThreadPoolExecutor(_AT_ONCE, "headers")
    counted = _Counted()

    def shard(file: tuple[str, int]) -> list[Tensor]:
        counted.check()
        found = _shard(*file, read)
        counted.add(len(found))
        return found

    try:
        return list(pool.map(shard, files, timeout=seconds))
    finally:
        # A read that hangs ends by its own time limit; no one waits for it here.
        pool.shutdown(wait=False, cancel_futures=True)


class _Counted:
    """The tensors of a model's shards, counted by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    def add(self, count: int) -> None:
        """Count those of one more shard."""
        with self._lock:
            self._count += count
        self.check()

    def check(self) -> None:
        """Raise HubError once there are more than a model has."""
        if self._count > MOST_TENSORS:
            raise HubError(f"The weights have more than {MOST_TENSORS} tensors.")


def check_pytorch(url: str, size: int, read: ReadRange) -> None:
    """Check that a file is one that PyTorch writes: a whole ZIP archive, or a pickle.

    Raises
    ------
    DamagedError
        It begins as something else, or its archive has no end.
    ManagerError
        What ``read`` raises.
    """
    start = read(url, 0, min(size, _FIRST_BYTES)) if size else b""
    if start.startswith(_ARCHIVE):
        if _ARCHIVE_END not in read(url, max(0, size - _LAST_BYTES), size):
            raise _damaged(url, "it is not whole: its archive has no end")
    elif not start.startswith(_PICKLE):
        raise _damaged(url, what_stands(start) or "no file of PyTorch begins like it")


def _shard(url: str, size: int, read: ReadRange) -> list[Tensor]:
    start = read(url, 0, min(size, _FIRST_READ)) if size else b""
    if reason := what_stands(start):
        raise _damaged(url, reason)
    if len(start) < _LENGTH.size:
        raise _damaged(url, "it is too short")
    (length,) = _LENGTH.unpack_from(start)
    end = _LENGTH.size + length
    if end > size:
        raise _damaged(url, f"it has {size} bytes and announces a header of {length}")
    if length > LARGEST_HEADER:
        raise HubError(f"A file of the weights announces a header of {length} bytes.", cause=url)
    if len(start) < end:
        start += read(url, len(start), end)
    if not start[_LENGTH.size : end].lstrip(b" \t\r\n").startswith(b"{"):
        raise _damaged(url, "its header is not a JSON object")
    table, last = _parsed(start[_LENGTH.size : end])
    if end + last != size:
        raise _damaged(url, f"it has {size} bytes, and its tensors take {end + last}")
    return table


def described(tensors: Iterable[Tensor]) -> dict[str, Any]:
    """Return what an engine judges weights by: ``shapes`` and ``types`` of tensors, by name."""
    found = {tensor.name: tensor for tensor in tensors}
    return {
        "shapes": {name: tensor.shape for name, tensor in found.items()},
        "types": {name: tensor.dtype for name, tensor in found.items()},
    }


def what_stands(start: bytes) -> str:
    """Say what the first bytes of a file are instead of weights; empty where they may be some."""
    text = start[:_FIRST_BYTES].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if not start:
        return "the file is empty"
    if text.startswith(_POINTERS):
        return "a pointer of Git LFS stands there: the weights were never uploaded"
    for first, what in _OTHERS.items():
        if start.startswith(first):
            return f"{what} stands there"
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body", b"<error")):
        return "a web page stands there"
    if not start.strip(b"\0"):
        return "it begins with zeros only"
    # The text of an error; a header of safetensors has zeros in its first eight bytes.
    return "a text stands there" if start[:_FIRST_BYTES].isascii() and _is_text(start) else ""


def _is_text(start: bytes) -> bool:
    return start[:_FIRST_BYTES].decode("ascii", "replace").replace("\n", " ").isprintable()


def _damaged(url: str, reason: str) -> DamagedError:
    name = unquote(urlsplit(url).path.rsplit("/", 1)[-1])
    return DamagedError(f"{name} is not a weights file.", cause=f"{reason[0].upper()}{reason[1:]}.")


def parse_safetensors(header: bytes) -> list[Tensor]:
    """Read the JSON text of a safetensors header.

    Raises
    ------
    DamagedError
        It is none.
    HubError
        It has too many tensors.
    """
    return _parsed(header)[0]


def _parsed(header: bytes) -> tuple[list[Tensor], int]:
    """Read the JSON text of a header: its tensors, and where the last one ends."""
    try:
        entries = json_text.loads(header)
        _check_metadata(entries.get("__metadata__"))
        named = {name: entry for name, entry in entries.items() if name != "__metadata__"}
        table = [_tensor(name, entry) for name, entry in named.items()]
        last = _end({name: entry["data_offsets"] for name, entry in named.items()})
    except json_text.TooManyValuesError as error:
        raise HubError("A file of the weights has too many tensors.", cause=str(error)) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamagedError(
            "The header of a safetensors file can't be read.", cause=str(error)
        ) from error
    return table, last


def _check_metadata(metadata: Any) -> None:
    """Refuse metadata that safetensors itself does not read: it takes texts only."""
    texts = metadata.values() if isinstance(metadata, dict) else ()
    if metadata is not None and not isinstance(metadata, dict):
        raise ValueError("its metadata is not an object")
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("its metadata holds something else than texts")


def _end(offsets: Mapping[str, Sequence[int]]) -> int:
    """Return where the last tensor ends; each begins where the one before it ends."""
    end = 0
    for name, (first, after) in sorted(offsets.items(), key=lambda item: tuple(item[1])):
        if first != end:
            raise ValueError(f"{name} does not lie where the tensor before it ends")
        end = after
    return end


def _tensor(name: str, entry: dict[str, Any]) -> Tensor:
    start, end = entry["data_offsets"]
    if len(entry["shape"]) > _MOST_DIMENSIONS:
        raise ValueError(f"{name} has {len(entry['shape'])} dimensions")
    shape = tuple(map(_whole, entry["shape"]))
    size = _whole(end) - _whole(start)
    dtype = entry["dtype"]
    bits = _BITS.get(dtype)
    if bits is None:
        raise ValueError(f"{name} is of type {dtype}, which the format does not have")
    if size < 0 or (prod(shape) * bits + 7) // 8 != size:
        raise ValueError(f"{name} of shape {shape} can't take {size} bytes")
    return Tensor(name, dtype, shape, size)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST:
        raise ValueError("a number is none, or too large")
    return value
