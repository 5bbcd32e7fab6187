"""The digests that hubs publish of files, computed incrementally; SHA-256 can be resumed.

Python's own ``hashlib`` can't hand out the state of a running digest, and the packages that can
either don't work with OpenSSL 3 or hold the interpreter lock. So the SHA-256 of the system's
libcrypto is used where it is found and proves itself; elsewhere ``hashlib`` is, and a resumed file
is read again from its beginning.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import struct
import sys
from functools import cache
from typing import Any, Protocol

from llm_widgets.domain.imports import DigestKind

_CONTEXT = 112
"""Bytes of OpenSSL's ``SHA256_CTX``: eight words, a 64-bit count, a block, two words."""

_DIGEST = 32
_BLOCK = 64  # bytes that SHA-256 takes at a time
_COUNT = slice(32, 40)  # the context's count of bits, after the eight words of the digest
_LENGTHS = struct.Struct("<II")  # its last words: bytes in the block, bytes of the digest


class Hasher(Protocol):
    """A running digest."""

    def update(self, data: bytes) -> None:
        """Take more bytes."""

    def hexdigest(self) -> str:
        """Return the digest of the bytes so far, in hexadecimal."""

    def state(self) -> str | None:
        """Return what is needed to resume it later, or ``None`` where that is not possible."""


class PlainHasher:
    """A digest of ``hashlib``: it can't be saved."""

    def __init__(self, digest: Any) -> None:
        self._digest = digest

    def update(self, data: bytes) -> None:
        """Take more bytes."""
        self._digest.update(data)

    def hexdigest(self) -> str:
        """Return the digest of the bytes so far, in hexadecimal."""
        return str(self._digest.hexdigest())

    def state(self) -> str | None:
        """Return ``None``: there is nothing to save."""
        return None


class SavableSha256:
    """SHA-256 of the system's libcrypto, with a state that is plain data.

    Parameters
    ----------
    state
        What :meth:`state` returned, to resume from there.
    """

    def __init__(self, library: ctypes.CDLL, state: str | None = None) -> None:
        self._library = library
        saved = bytes.fromhex(state) if state else bytes(_CONTEXT)
        if state and not _is_context(saved):
            raise ValueError("not the state of a SHA-256")
        self._context = ctypes.create_string_buffer(saved, _CONTEXT)
        if not state:
            library.SHA256_Init(self._context)

    def update(self, data: bytes) -> None:
        """Take more bytes."""
        self._library.SHA256_Update(self._context, data, len(data))

    def hexdigest(self) -> str:
        """Return the digest of the bytes so far, in hexadecimal."""
        result = ctypes.create_string_buffer(_DIGEST)
        copy = ctypes.create_string_buffer(self._context.raw, _CONTEXT)
        self._library.SHA256_Final(result, copy)
        return result.raw.hex()

    def state(self) -> str | None:
        """Return the state in hexadecimal."""
        return self._context.raw.hex()


def _is_context(saved: bytes) -> bool:
    """Return whether the library can go on from a state, which anybody may have written.

    It copies as many bytes as the state says are still missing in the block, unchecked.
    """
    if len(saved) != _CONTEXT:
        return False
    in_block, digest = _LENGTHS.unpack(saved[-_LENGTHS.size :])
    done = int.from_bytes(saved[_COUNT], "little") // 8
    return bool(digest == _DIGEST and in_block == done % _BLOCK)


def new_hasher(kind: DigestKind, size: int) -> Hasher:
    """Return a hasher for a file.

    Parameters
    ----------
    size
        Bytes of the file, which a git blob's digest starts with.
    """
    if kind is DigestKind.GIT_SHA1:
        header = b"blob %d\0" % size
        return PlainHasher(hashlib.sha1(header, usedforsecurity=False))
    library = _libcrypto()
    return SavableSha256(library) if library else PlainHasher(hashlib.sha256())


def resumed_hasher(kind: DigestKind, state: str | None) -> Hasher | None:
    """Return a hasher that resumes a saved digest, or ``None`` where that is not possible."""
    library = _libcrypto()
    if kind is not DigestKind.SHA256 or not state or not library:
        return None
    try:
        return SavableSha256(library, state)
    except ValueError:
        return None


def sha256_can_be_saved() -> bool:
    """Return whether one process can resume the SHA-256 of another one."""
    return _libcrypto() is not None


def hex_digest(kind: DigestKind, content: bytes) -> str:
    """Return the digest of a whole file that is in memory."""
    hasher = new_hasher(kind, len(content))
    hasher.update(content)
    return hasher.hexdigest()


@cache
def _libcrypto() -> ctypes.CDLL | None:
    """Return a libcrypto whose SHA-256 is right when it is saved and resumed."""
    if sys.byteorder != "little":
        return None  # a saved state would mean something else on the next machine
    candidates = []
    if module := importlib.util.find_spec("_hashlib"):
        candidates.append(module.origin)  # its symbols include those of the OpenSSL it is linked to
    if sys.platform == "linux":  # macOS ends a process that loads the system's libcrypto
        candidates.append("libcrypto.so.3")
    for name in candidates:
        try:
            library = ctypes.CDLL(name)
            library.SHA256_Update.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
            if name and _proves_itself(library):
                return library
        except (OSError, AttributeError):
            continue
    return None


def _proves_itself(library: ctypes.CDLL) -> bool:
    data = bytes(range(256)) * 3
    first = SavableSha256(library)
    first.update(data[:300])
    second = SavableSha256(library, first.state())
    second.update(data[300:])
    return second.hexdigest() == hashlib.sha256(data).hexdigest()
