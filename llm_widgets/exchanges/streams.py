"""Limits of answers that are read through ``httpx`` while they are written."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    from collections.abc import Iterator


class EndlessError(httpx2.ReadError):
    """An answer has more bytes, or takes longer, than it may."""


class _Bounded(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, most: int, deadline: float) -> None:
        self._stream = stream
        self._most = most
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        length = 0
        for piece in self._stream:
            length += len(piece)
            if length > self._most:
                raise EndlessError(f"an answer of more than {self._most} bytes")
            if time.monotonic() > self._deadline:
                raise EndlessError("the answer took too long")
            yield piece

    def close(self) -> None:
        self._stream.close()


def bound(response: httpx2.Response, most: int, deadline: float) -> None:
    """Put limits on an answer whose body is still to be read; nothing of it is decompressed.

    Reading it raises :class:`EndlessError` at a limit.

    Parameters
    ----------
    most
        Bytes of its body.
    deadline
        By ``time.monotonic``.
    """
    # A few bytes would make gigabytes. It was asked for as it is, so that nobody compresses it.
    response.headers.pop("Content-Encoding", None)
    assert isinstance(response.stream, httpx2.SyncByteStream)  # no coroutine reads it
    response.stream = _Bounded(response.stream, most, deadline)


def beginning(response: httpx2.Response, most: int) -> bytes:
    """Return the first bytes of the body of an answer that is bound, at most so many.

    Raises
    ------
    httpx2.RequestError
        They don't come.
    """
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if len(body) >= most:
            break
    return bytes(body[:most])
