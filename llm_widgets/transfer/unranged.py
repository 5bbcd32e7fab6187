"""Servers without range requests: one stream of the whole file, read by all workers in turn."""

from __future__ import annotations

import threading
from http import HTTPStatus
from typing import TYPE_CHECKING

from llm_widgets.exchanges.pauses import retry_after
from llm_widgets.transfer.connections import BLOCK
from llm_widgets.transfer.retry import Stopped, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.transfer.connections import Connections, Response
    from llm_widgets.transfer.signed_url import SignedUrl

_POLL = 1.0
"""Seconds after which a waiting worker checks whether it is to stop."""


class UnrangedStream:
    """The body of one response, read from its beginning by whichever worker's part comes next.

    Of the workers that wait, the one with the earliest part goes first. A part before the stream's
    position restarts it; that is rare, as parts are handed out in order.
    """

    def __init__(self, url: SignedUrl, stop: threading.Event) -> None:
        self._url = url
        self._stop = stop
        self._turn = threading.Condition()
        self._busy = False
        self._wanted: list[int] = []
        self._response: Response | None = None
        self._position = 0

    def read(
        self,
        connections: Connections,
        offset: int,
        length: int,
        take: Callable[[bytes], None],
    ) -> None:
        """Read so many bytes from an offset on, block by block.

        Parameters
        ----------
        take
            Called with each block, in order.

        Raises
        ------
        TransientError
            The stream broke; the next call opens a new one.
        Stopped
            The transfer was stopped.
        """
        self._wait_for(offset)
        try:
            self._advance(connections, offset)
            end = offset + length
            while self._position < end:
                take(self._next(end))
        except BaseException:
            self._close()
            raise
        finally:
            with self._turn:
                self._busy = False
                self._turn.notify_all()

    def _wait_for(self, offset: int) -> None:
        with self._turn:
            self._wanted.append(offset)
            try:
                while self._busy or min(self._wanted) < offset:
                    if self._stop.is_set():
                        raise Stopped
                    self._turn.wait(_POLL)
                self._busy = True
            finally:
                self._wanted.remove(offset)

    def _advance(self, connections: Connections, offset: int) -> None:
        if self._response is None or self._position > offset:
            self._open(connections)
        while self._position < offset:
            self._next(offset)

    def _open(self, connections: Connections) -> None:
        self._close()
        url = self._url.resolve(connections)
        response = connections.request("GET", url, self._url.headers(url))
        if response.status != HTTPStatus.OK:
            connections.drop(url)
            self._url.expire(url)
            wait = retry_after(response.headers)
            raise TransientError(f"HTTP {response.status}", retry_after=wait)
        connections.detach(url)
        self._response, self._position = response, 0

    def _next(self, end: int) -> bytes:
        """Read the next block, up to a position."""
        assert self._response is not None
        if self._stop.is_set():
            raise Stopped
        block = self._response.read(min(BLOCK, end - self._position))
        if not block:
            raise TransientError("the answer ended too early")
        self._position += len(block)
        return block

    def _close(self) -> None:
        if self._response:
            self._response.close()
        self._response, self._position = None, 0
