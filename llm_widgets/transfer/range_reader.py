"""Reads ranges of a file at its hub: retried from the byte reached, checked, hedged."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.errors import TransferError
from llm_widgets.transfer.connections import BLOCK, NETWORK_ERRORS, next_block, origin
from llm_widgets.transfer.retry import Patience, Stopped, TransientError, asked_wait
from llm_widgets.transfer.signed_url import REDIRECTS, REFUSED, Gate, Location
from llm_widgets.transfer.slow_servers import ENOUGH_TO_JUDGE, FIRST_LOOK
from llm_widgets.transfer.unranged import WholeStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.imports import HubFile
    from llm_widgets.transfer.connections import Answer, Connections, Outgoing
    from llm_widgets.transfer.options import Options
    from llm_widgets.transfer.slow_servers import Edges

_PARTIAL = 206
_WHOLE = 200
_RANGES_IGNORED = 3
"""Answers with the whole file after which ranges are no longer asked for."""


class _SlowEdge(Exception):  # noqa: N818 - a decision, not an error
    """The connection is to be left for a faster one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a range that was sent before its answer is needed."""

    url: str
    outgoing: Outgoing


class Source:
    """A file at its hub. Lanes read its parts at the same time.

    Parameters
    ----------
    token
        The hub's token, or empty.
    edges
        What is known of the rates of this hub's servers.
    gate
        Where a pause that the hub asks for holds all lanes.
    """

    def __init__(
        self,
        file: HubFile,
        *,
        token: str,
        edges: Edges,
        gate: Gate,
        options: Options,
        stop: threading.Event,
    ) -> None:
        self._file = file
        self._location = Location(file.url, token)
        self._edges = edges
        self._gate = gate
        self._options = options
        self._stop = stop
        self._lock = threading.Lock()
        self._ignored = 0
        self._block = BLOCK
        self._whole: WholeStream | None = None

    def ask(self, connections: Connections, offset: int, length: int) -> Asked | None:
        """Ask for bytes that will be read next: until then their way from the hub is over.

        Returns
        -------
        Asked or None
            ``None`` where it would take a wait or goes wrong; :meth:`read` asks by itself then.
        """
        url = self._location.known
        if not url or self._whole or self._gate.is_closed:
            return None
        try:
            headers = self._headers(url, range(offset, offset + length))
            return Asked(url, connections.begin("GET", url, headers, None))
        except NETWORK_ERRORS:
            connections.leave(url)
            return None

    def read(
        self,
        connections: Connections,
        offset: int,
        length: int,
        take: Callable[[bytes], None],
        asked: Asked | None = None,
    ) -> None:
        """Give so many bytes from an offset on.

        Parameters
        ----------
        take
            Given each block in order, while it is still in the processor's cache, and no byte
            twice.
        asked
            What :meth:`ask` gave for these bytes and these connections.

        Raises
        ------
        TransferError
            It failed for too long, or the hub serves something else.
        HubError
            The hub refuses.
        Stopped
            The engine was told to stop.
        """
        position, end = offset, offset + length
        redraws = 0
        patience = Patience(f"reading {self._file.path}", self._options, self._stop)

        def passed_on(block: bytes) -> None:
            nonlocal position
            take(block)
            position += len(block)

        while position < end:
            before = position
            try:
                self._gate.pass_through()
                if self._whole:
                    self._whole.read(connections, position, end - position, passed_on)
                else:
                    self._read_range(connections, range(position, end), redraws, passed_on, asked)
            except _SlowEdge:
                redraws += 1
            except TransientError as error:
                if position > before:
                    patience.came_further()
                if error.wait:
                    self._gate.close_for(min(error.wait, self._options.patience))
                patience.after(error)
            asked = None

    def _headers(self, url: str, span: range) -> dict[str, str]:
        return {**self._location.headers(url), "Range": f"bytes={span[0]}-{span[-1]}"}

    def _answer(
        self, connections: Connections, span: range, asked: Asked | None
    ) -> tuple[str, Answer]:
        """Give the URL that was asked for a range, and the head of what it answers."""
        if asked:
            try:
                return asked.url, asked.outgoing.answer()
            except NETWORK_ERRORS:  # nothing that a new connection could not mend
                connections.leave(asked.url)
        url = self._location.current(connections)
        return url, connections.request("GET", url, self._headers(url, span))

    def _read_range(
        self,
        connections: Connections,
        span: range,
        redraws: int,
        take: Callable[[bytes], None],
        asked: Asked | None,
    ) -> None:
        url, answer = self._answer(connections, span, asked)
        try:
            self._check(answer, url, span)
            is_fast = self._receive(answer, len(span), redraws, take)
        except BaseException:
            connections.leave(url)  # the rest of the body is still on its way
            raise
        if not (is_fast and answer.is_finished):
            connections.leave(url)  # it would serve the lane's next part as slowly

    def _receive(
        self, answer: Answer, length: int, redraws: int, take: Callable[[bytes], None]
    ) -> bool:
        """Receive the range; tell whether the connection is fast enough to be kept."""
        start = look = before = time.monotonic()
        done = 0
        while done < length:
            block = answer.read(min(self._block, length - done))
            if not block:
                raise TransientError("the answer ended too early")
            done += len(block)
            take(block)
            del block  # so that the next one is put where it was, in the processor's cache
            now = time.monotonic()
            self._block = next_block(self._block, now - before)
            before = now
            if now > look + FIRST_LOOK:
                look = now
                if self._stop.is_set():
                    raise Stopped
                if self._edges.should_leave(done / (now - start), length - done, redraws):
                    raise _SlowEdge
        answer.text()  # the end of the body, so that the connection is free
        took = time.monotonic() - start
        if length < ENOUGH_TO_JUDGE:
            return True
        is_slow = self._edges.should_leave(length / took, float("inf"), 0)
        return took < FIRST_LOOK or not is_slow

    def _check(self, answer: Answer, url: str, span: range) -> None:
        """Let nothing pass but the range that was asked for."""
        host = origin(url)[1]
        if answer.status == _PARTIAL:
            self._check_range(answer, host, span)
        elif answer.status == _WHOLE:
            self._note_ignored(host)
        elif answer.status in REDIRECTS:
            self._location.moved(url, answer.headers.get("location", ""))
            raise TransientError(f"{host}: moved")
        else:
            if answer.status in REFUSED:
                self._location.expired(url)
            raise TransientError(f"{host}: HTTP {answer.status}", wait=asked_wait(answer.headers))

    def _check_range(self, answer: Answer, host: str, span: range) -> None:
        given = answer.headers.get("content-range", "")
        unit, _, rest = given.partition(" ")
        sent, _, size = rest.partition("/")
        if size.isdigit() and int(size) != self._file.size:
            raise TransferError(
                f"{self._file.path} has another size at {host} than the hub announced.",
                cause=f"{int(size)} bytes instead of {self._file.size}.",
            )
        wanted = f"{span[0]}-{span[-1]}"
        if unit != "bytes" or sent != wanted:
            raise TransientError(f"{host}: asked for bytes {wanted}, got “{given}”")

    def _note_ignored(self, host: str) -> None:
        with self._lock:
            self._ignored += 1
            if self._ignored >= _RANGES_IGNORED and not self._whole:
                self._whole = WholeStream(self._location, self._file.size, self._stop)
        raise TransientError(f"{host}: sends the whole file where a range was asked for")
