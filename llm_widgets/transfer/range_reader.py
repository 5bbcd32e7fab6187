"""Reads ranges of a file at its hub: retried from the byte reached, checked, from fast servers."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from llm_widgets.errors import TransferError
from llm_widgets.exchanges.pauses import retry_after
from llm_widgets.exchanges.redirects import origin
from llm_widgets.transfer.connections import BLOCK, NETWORK_ERRORS, next_block
from llm_widgets.transfer.retry import Backoff, Stopped, TransientError
from llm_widgets.transfer.signed_url import EXPIRED, REDIRECTS, SignedUrl
from llm_widgets.transfer.slow_servers import CHECK_INTERVAL, MIN_SAMPLE
from llm_widgets.transfer.unranged import UnrangedStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.imports import HubFile
    from llm_widgets.transfer.connections import Connections, PendingRequest, Response
    from llm_widgets.transfer.options import Options
    from llm_widgets.transfer.retry import RateLimit
    from llm_widgets.transfer.slow_servers import ServerRates

_MAX_RANGES_IGNORED = 3
"""Responses with the whole file after which ranges are no longer requested."""


class _SlowServer(Exception):  # noqa: N818 - a decision, not an error
    """The connection is to be dropped for a faster one."""


@dataclass(frozen=True, slots=True)
class PrefetchedRange:
    """A request for a range that was sent before its response is needed."""

    url: str
    request: PendingRequest


class RangeReader:
    """Reads a file at its hub. Workers read its parts at the same time.

    Parameters
    ----------
    token
        The hub's token, or empty.
    rates
        What has been observed of the rates of this hub's servers.
    rate_limit
        The pause that the hub may ask for.
    """

    def __init__(
        self,
        file: HubFile,
        *,
        token: str,
        rates: ServerRates,
        rate_limit: RateLimit,
        options: Options,
        stop: threading.Event,
        tell: Callable[[str], None],
    ) -> None:
        self._file = file
        self._signed_url = SignedUrl(file.url, token)
        self._rates = rates
        self._rate_limit = rate_limit
        self._options = options
        self._stop = stop
        self._tell = tell
        self._lock = threading.Lock()
        self._ranges_ignored = 0
        self._block = BLOCK
        self._unranged: UnrangedStream | None = None

    def prefetch(
        self, connections: Connections, offset: int, length: int
    ) -> PrefetchedRange | None:
        """Request bytes that will be read next, so that they are on their way by then.

        Returns
        -------
        PrefetchedRange or None
            ``None`` where it would take a wait or fails; :meth:`read` sends the request then.
        """
        url = self._signed_url.cached
        if not url or self._unranged or self._rate_limit.is_paused:
            return None
        try:
            headers = self._headers(url, range(offset, offset + length))
            return PrefetchedRange(url, connections.begin("GET", url, headers, None))
        except NETWORK_ERRORS:
            connections.drop(url)
            return None

    def read(
        self,
        connections: Connections,
        offset: int,
        length: int,
        take: Callable[[bytes], None],
        prefetched: PrefetchedRange | None = None,
    ) -> None:
        """Read so many bytes from an offset on.

        Parameters
        ----------
        take
            Called with each block in order, while it is still in the processor's cache, and with
            no byte twice.
        prefetched
            What :meth:`prefetch` returned for these bytes and these connections.

        Raises
        ------
        TransferError
            It failed for too long, or the hub serves something else.
        HubError
            The hub refuses.
        Stopped
            The transfer was stopped.
        """
        position, end = offset, offset + length
        reconnects = 0
        backoff = Backoff(f"reading {self._file.path}", self._options, self._stop, self._tell)

        def passed_on(block: bytes) -> None:
            nonlocal position
            take(block)
            position += len(block)

        while position < end:
            before = position
            try:
                self._rate_limit.wait()
                if self._unranged:
                    self._unranged.read(connections, position, end - position, passed_on)
                else:
                    span = range(position, end)
                    self._read_range(connections, span, reconnects, passed_on, prefetched)
            except _SlowServer:
                reconnects += 1
            except TransientError as error:
                if position > before:
                    backoff.reset()
                if error.retry_after:
                    self._rate_limit.pause(min(error.retry_after, self._options.give_up_after))
                backoff.wait_after(error)
            prefetched = None

    def _headers(self, url: str, span: range) -> dict[str, str]:
        return {**self._signed_url.headers(url), "Range": f"bytes={span[0]}-{span[-1]}"}

    def _response(
        self, connections: Connections, span: range, prefetched: PrefetchedRange | None
    ) -> tuple[str, Response]:
        """Return the URL that was asked for a range, and the head of the response."""
        if prefetched:
            try:
                return prefetched.url, prefetched.request.response()
            except NETWORK_ERRORS:  # nothing that a new connection could not mend
                connections.drop(prefetched.url)
        url = self._signed_url.resolve(connections)
        return url, connections.request("GET", url, self._headers(url, span))

    def _read_range(
        self,
        connections: Connections,
        span: range,
        reconnects: int,
        take: Callable[[bytes], None],
        prefetched: PrefetchedRange | None,
    ) -> None:
        url, response = self._response(connections, span, prefetched)
        try:
            self._check(response, url, span)
            is_fast = self._receive(response, len(span), reconnects, take)
        except BaseException:
            connections.drop(url)  # the rest of the body is still on its way
            raise
        if not (is_fast and response.is_finished):
            connections.drop(url)  # it would serve the worker's next part as slowly

    def _receive(
        self, response: Response, length: int, reconnects: int, take: Callable[[bytes], None]
    ) -> bool:
        """Receive the range; return whether the connection is fast enough to be kept."""
        start = checked = before = time.monotonic()
        done = 0
        while done < length:
            block = response.read(min(self._block, length - done))
            if not block:
                raise TransientError("the answer ended too early")
            done += len(block)
            take(block)
            del block  # so that the next one is put where it was, in the processor's cache
            now = time.monotonic()
            self._block = next_block(self._block, now - before)
            before = now
            if now > checked + CHECK_INTERVAL:
                checked = now
                if self._stop.is_set():
                    raise Stopped
                if self._rates.should_reconnect(done / (now - start), length - done, reconnects):
                    raise _SlowServer
        response.text()  # the end of the body, so that the connection is free
        took = time.monotonic() - start
        if length < MIN_SAMPLE:
            return True
        is_slow = self._rates.should_reconnect(length / took, float("inf"), 0)
        return took < CHECK_INTERVAL or not is_slow

    def _check(self, response: Response, url: str, span: range) -> None:
        """Let nothing pass but the range that was requested."""
        host = origin(url)[1]
        if response.status == HTTPStatus.PARTIAL_CONTENT:
            self._check_range(response, host, span)
        elif response.status == HTTPStatus.OK:
            self._count_ignored(host)
        elif response.status in REDIRECTS:
            self._signed_url.redirect(url, response.headers.get("location", ""))
            raise TransientError(f"{host}: moved")
        else:
            if response.status in EXPIRED:
                self._signed_url.expire(url)
            wait = retry_after(response.headers)
            raise TransientError(f"{host}: HTTP {response.status}", retry_after=wait)

    def _check_range(self, response: Response, host: str, span: range) -> None:
        given = response.headers.get("content-range", "")
        unit, _, rest = given.partition(" ")
        sent, _, size = rest.partition("/")
        if size.isdigit() and int(size) != self._file.size:
            raise TransferError(
                f"{self._file.path} has another size at {host} than the hub announced.",
                cause=f"{int(size)} bytes instead of {self._file.size}.",
            )
        wanted = f"{span[0]}-{span[-1]}"
        if unit != "bytes" or sent != wanted:
            raise TransientError(f"{host}: requested bytes {wanted}, got “{given}”")

    def _count_ignored(self, host: str) -> None:
        with self._lock:
            self._ranges_ignored += 1
            if self._ranges_ignored >= _MAX_RANGES_IGNORED and not self._unranged:
                self._unranged = UnrangedStream(self._signed_url, self._stop)
        raise TransientError(f"{host}: sends the whole file instead of a range")
