"""Tables of tensors, read from the first bytes of files of weights that stay at their hub.

Safetensors files begin with the length of a JSON text and the text itself; GGUF files with their
metadata, see :mod:`llm_widgets.hubs.gguf`. What a hub sends is not trusted: every length is
checked before so much is read.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import prod
from typing import Any

from llm_widgets.domain.memory import Tensor
from llm_widgets.errors import HubError

ReadRange = Callable[[str, int, int], bytes]
"""Reads the bytes of a URL from a first one up to, but not including, an end."""

LARGEST_HEADER = 8 << 20
"""Bytes of a safetensors header beyond which it is not read; a shard with all experts of some
layers takes 0.1 to 2 MB."""

MOST_FILES = 512
"""Shards beyond which a model's headers are not read."""

_AT_ONCE = 8
_FIRST_READ = 128 << 10  # bytes; holds most headers, so that one request does
_LENGTH = struct.Struct("<Q")
# Bits of an element: the types of the safetensors format.
_BITS = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "F8_E4M3": 8,
    "F8_E5M2": 8,
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


def safetensors(
    files: Sequence[tuple[str, int]], read: ReadRange, *, seconds: float = 20
) -> tuple[Tensor, ...]:
    """Read the tables of the shards of a model.

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
    HubError
        A file is no safetensors file, or its header is too large; or there are too many files.
    TimeoutError
        It took too long.
    ManagerError
        What ``read`` raises.
    """
    if len(files) > MOST_FILES:
        raise HubError(f"The weights are in {len(files)} files; that is too many to look into.")
    pool = ThreadPoolExecutor(_AT_ONCE, "headers")
    try:
        tables = pool.map(lambda file: _shard(file[0], file[1], read), files, timeout=seconds)
        return tuple(tensor for table in tables for tensor in table)
    finally:
        # A read that hangs ends by its own time limit; no one waits for it here.
        pool.shutdown(wait=False, cancel_futures=True)


def _shard(url: str, size: int, read: ReadRange) -> list[Tensor]:
    start = read(url, 0, min(size, _FIRST_READ))
    if len(start) < _LENGTH.size:
        raise HubError("A file of the weights is no safetensors file: it is too short.", cause=url)
    (length,) = _LENGTH.unpack_from(start)
    end = _LENGTH.size + length
    if length > LARGEST_HEADER or end > size:
        raise HubError(f"A file of the weights announces a header of {length} bytes.", cause=url)
    if len(start) < end:
        start += read(url, len(start), end)
    return parse_safetensors(start[_LENGTH.size : end])


def parse_safetensors(header: bytes) -> list[Tensor]:
    """Read the JSON text of a safetensors header.

    Raises
    ------
    HubError
        It is none.
    """
    try:
        entries = json.loads(header)
        return [_tensor(name, entry) for name, entry in entries.items() if name != "__metadata__"]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise HubError(
            "The header of a safetensors file can't be read.", cause=str(error)
        ) from error


def _tensor(name: str, entry: dict[str, Any]) -> Tensor:
    start, end = entry["data_offsets"]
    shape = tuple(int(length) for length in entry["shape"])
    size = int(end) - int(start)
    bits = _BITS.get(entry["dtype"])
    if size < 0 or (bits and (prod(shape) * bits + 7) // 8 != size):
        raise ValueError(f"{name} of shape {shape} can't take {size} bytes")
    return Tensor(name, str(entry["dtype"]), shape, size)
