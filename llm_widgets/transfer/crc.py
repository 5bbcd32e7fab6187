"""CRC-32C of parts, and of a whole from its parts: the checksum that Cloud Storage keeps."""

from __future__ import annotations

import base64
from functools import cache, reduce
from typing import TYPE_CHECKING

import google_crc32c

if TYPE_CHECKING:
    from collections.abc import Iterable

_POLYNOMIAL = 0x82F63B78  # Castagnoli, bits reversed (RFC 3720, appendix B.4)
_BITS = 32

Matrix = tuple[int, ...]


def extend(crc: int, data: bytes) -> int:
    """Return a CRC-32C extended by more bytes; the first call starts with 0."""
    return int(google_crc32c.extend(crc, data))


def of_blocks(blocks: Iterable[bytes]) -> int:
    """Return the CRC-32C of blocks, one after the other."""
    return reduce(extend, blocks, 0)


def text(crc: int) -> str:
    """Return a CRC-32C as Cloud Storage writes it: base64 of its four bytes, big-endian."""
    return base64.b64encode(crc.to_bytes(4, "big")).decode()


def combine(first: int, second: int, length: int) -> int:
    """Return the CRC-32C of two concatenated strings of bytes, computed from theirs.

    Parameters
    ----------
    length
        Bytes of the second string.
    """
    power = 0
    while length:
        if length & 1:
            first = _times(_zero_bytes(power), first)
        length >>= 1
        power += 1
    return first ^ second


def combine_all(parts: Iterable[tuple[int, int]]) -> int:
    """Return the CRC-32C of a whole from pairs of CRC-32C and length in bytes, in order."""
    whole = 0
    for crc, length in parts:
        whole = combine(whole, crc, length)
    return whole


@cache
def _zero_bytes(power: int) -> Matrix:
    """Return the operator, over GF(2), that appends 2**power zero bytes to a string."""
    if power:
        return _square(_zero_bytes(power - 1))
    matrix: Matrix = (_POLYNOMIAL, *(1 << bit for bit in range(_BITS - 1)))  # one zero bit
    for _ in range(3):  # 2**3 bits are a byte
        matrix = _square(matrix)
    return matrix


def _times(matrix: Matrix, vector: int) -> int:
    total = 0
    for row in matrix:
        if vector & 1:
            total ^= row
        vector >>= 1
    return total


def _square(matrix: Matrix) -> Matrix:
    return tuple(_times(matrix, row) for row in matrix)
