"""For servers that don't know ranges: one stream of the whole file, taken in turns by the lanes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from llm_widgets.transfer.connections import BLOCK
from llm_widgets.transfer.retry import Stopped, TransientError, asked_wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.transfer.connections import Answer, Connections
    from llm_widgets.transfer.signed_url import Location

_OK = 200
_TURN = 1.0


class WholeStream:
    """The body of one answer, read from its beginning by whichever lane's part comes next.

    Of the lanes that wait, the one with the earliest part goes first. A part before the stream's
    position makes it start again; that is rare, as parts are given to lanes in order.

    Parameters
    ----------
    size
        Bytes of the file.
    """

    def __init__(self, location: Location, size: int, stop: threading.Event) -> None:
        self._location = location
        self._size = size
        self._stop = stop
        self._turn = threading.Condition()
        self._busy = False
        self._wanted: list[int] = []
        self._answer: Answer | None = None
        self._position = 0

    def read(
        self,
        connections: Connections,
        offset: int,
        length: int,
        take: Callable[[bytes], None],
    ) -> None:
        """Give so many bytes from ``offset`` on, block by block.

        Raises
        ------
        TransientError
            The stream broke; the next call opens a new one.
        Stopped
            The engine was told to stop.
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
                    self._turn.wait(_TURN)
                self._busy = True
            finally:
                self._wanted.remove(offset)

    def _advance(self, connections: Connections, offset: int) -> None:
        if self._answer is None or self._position > offset:
            self._open(connections)
        while self._position < offset:
            self._next(offset)

    def _open(self, connections: Connections) -> None:
        self._close()
        url = self._location.current(connections)
        answer = connections.request("GET", url, self._location.headers(url))
        if answer.status != _OK:
            connections.leave(url)
            self._location.expired(url)
            raise TransientError(f"HTTP {answer.status}", wait=asked_wait(answer.headers))
        connections.give_away(url)
        self._answer, self._position = answer, 0

    def _next(self, end: int) -> bytes:
        """Read the next block, up to a position."""
        assert self._answer is not None
        if self._stop.is_set():
            raise Stopped
        block = self._answer.read(min(BLOCK, end - self._position))
        if not block:
            raise TransientError("the answer ended too early")
        self._position += len(block)
        return block

    def _close(self) -> None:
        if self._answer:
            self._answer.abandon()
        self._answer, self._position = None, 0
