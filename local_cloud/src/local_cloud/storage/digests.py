"""Checksums of Cloud Storage: computed while bytes pass, combined, declared and checked."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

import google_crc32c

from local_cloud.storage.failures import StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.datastructures import Headers

#: The polynomial of CRC-32C (Castagnoli), bits reversed: RFC 3720, appendix B.4.
_CASTAGNOLI = 0x82F63B78


class Digest:
    """The checksums of bytes as they pass.

    Parameters
    ----------
    with_md5
        Whether the object will have an MD5 hash; composed ones have none.
    """

    def __init__(self, *, with_md5: bool = True) -> None:
        self.size = 0
        self._crc = 0
        self._md5 = hashlib.md5(usedforsecurity=False) if with_md5 else None

    def update(self, block: bytes) -> None:
        """Take the next bytes."""
        self.size += len(block)
        self._crc = google_crc32c.extend(self._crc, block)
        if self._md5:
            self._md5.update(block)

    @property
    def crc32c(self) -> str:
        """Base64 of the big-endian CRC-32C, as the APIs write it."""
        return encode_crc(self._crc)

    @property
    def md5(self) -> str | None:
        """Base64 of the MD5 hash, if it is computed."""
        return base64.b64encode(self._md5.digest()).decode() if self._md5 else None

    @property
    def md5_hex(self) -> str:
        """The MD5 hash in the form of the XML API's ETags; empty if it is not computed."""
        return self._md5.hexdigest() if self._md5 else ""

    def check(self, declared: Mapping[str, str]) -> None:
        """Compare with what the client declared.

        Parameters
        ----------
        declared
            Base64 checksums under ``crc32c`` and ``md5``; either may be missing.

        Raises
        ------
        StorageError
            400: the bytes are not those that the client meant.
        """
        for name, title, found in (
            ("crc32c", "CRC32C", self.crc32c),
            ("md5", "MD5 hash", self.md5),
        ):
            wanted = declared.get(name)
            if wanted and found and wanted.rstrip("=") != found.rstrip("="):
                raise StorageError(
                    400,
                    "invalid",
                    f'Provided {title} "{wanted}" doesn\'t match calculated {title} "{found}".',
                    "BadDigest",
                )


def declared_in_headers(headers: Headers) -> dict[str, str]:
    """Read the checksums of a body from ``x-goog-hash`` and ``Content-MD5``."""
    declared = {}
    for item in headers.get("X-Goog-Hash", "").split(","):
        name, _, value = item.strip().partition("=")
        if name in {"crc32c", "md5"} and value:
            declared[name] = value
    if headers.get("Content-MD5"):
        declared["md5"] = headers["Content-MD5"]
    return declared


def declared_in_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """Read the checksums of the content from an object resource."""
    declared = {"crc32c": metadata.get("crc32c", ""), "md5": metadata.get("md5Hash", "")}
    return {name: value for name, value in declared.items() if value}


def goog_hash(crc32c: str, md5: str | None) -> str:
    """Write the ``x-goog-hash`` header."""
    return f"crc32c={crc32c}" + (f",md5={md5}" if md5 else "")


def encode_crc(crc: int) -> str:
    """Write a CRC-32C in the APIs' form."""
    return base64.b64encode(crc.to_bytes(4, "big")).decode()


def decode_crc(text: str) -> int:
    """Read a CRC-32C in the APIs' form."""
    return int.from_bytes(base64.b64decode(text), "big")


def combine(first: int, second: int, length: int) -> int:
    """Return the CRC-32C of two byte strings put together.

    The register is a vector over GF(2), and a zero byte a linear map on it: `length` zero bytes
    are appended to the first string by squaring that map, then the second one is added.

    Parameters
    ----------
    first, second
        The CRC-32C of each.
    length
        Bytes in the second.
    """
    power = 0
    while length:
        if power == len(_ZERO_BYTES):
            _ZERO_BYTES.append(_squared(_ZERO_BYTES[-1]))
        if length & 1:
            first = _apply(_ZERO_BYTES[power], first)
        length >>= 1
        power += 1
    return first ^ second


def _apply(columns: list[int], vector: int) -> int:
    total = 0
    for column in columns:
        if vector & 1:
            total ^= column
        vector >>= 1
    return total


def _squared(columns: list[int]) -> list[int]:
    return [_apply(columns, column) for column in columns]


#: The maps that append 1, 2, 4, … zero bytes, each as its 32 columns.
_ZERO_BYTES = [_squared(_squared(_squared([_CASTAGNOLI, *(1 << bit for bit in range(31))])))]
