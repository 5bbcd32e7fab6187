"""HTTP over kept-alive connections: no copies of bodies, and time-outs for every step.

``requests`` copies a body several times on its way; at a gigabyte a second that is half the work.
"""

from __future__ import annotations

import base64
import http.client
import socket
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from llm_widgets.exchanges import limits
from llm_widgets.exchanges.environment import tls_context
from llm_widgets.exchanges.redirects import origin
from llm_widgets.transfer.retry import TransientError, error_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from urllib.parse import SplitResult

    from llm_widgets.transfer.options import Options

BLOCK = 1 << 20
"""Bytes that are received, checked and sent at a time: large enough to
need few calls, small enough to stay in the processor's cache."""

_LEAST_BLOCK = 1 << 16
_QUICK, _SLOW = 0.1, 0.5  # seconds of a block that could be larger, and of one that should not

NETWORK_ERRORS = (OSError, http.client.HTTPException, TransientError)
"""What :meth:`Connections.begin` and what follows it raise when the network fails."""

_SHORT_BODY = 1 << 20
_SHORT_SECONDS = _HEAD_SECONDS = limits.SECONDS
"""Seconds that a short body or a head may take in all, however steadily they drip."""

Origin = tuple[str, str, int]


def next_block(size: int, seconds: float) -> int:
    """Return the size of the next block in bytes: small on a slow connection, to see it progress.

    Parameters
    ----------
    size, seconds
        Bytes of the last block, and how long it took.
    """
    if seconds < _QUICK:
        return min(BLOCK, 2 * size)
    return max(_LEAST_BLOCK, size // 2) if seconds > _SLOW else size


class Response:
    """A response whose body is still to be read.

    Attributes
    ----------
    headers
        Header fields, names in lower case.
    """

    def __init__(
        self,
        response: http.client.HTTPResponse,
        connection: http.client.HTTPConnection,
        line: socket.socket,
    ) -> None:
        self._response = response
        self._connection = connection
        self._line = line
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}

    def read(self, count: int) -> bytes:
        """Read so many bytes of the body, fewer only at its end.

        Raises
        ------
        TransientError
            The connection broke or stalled.
        """
        try:
            return self._response.read(count)
        except (OSError, http.client.HTTPException) as error:
            raise TransientError(error_text(error)) from error

    def text(self) -> str:
        """Read a short body to its end; more than a mebibyte is cut off."""
        try:
            with limits.within(_SHORT_SECONDS, self._line):
                return self._response.read(_SHORT_BODY).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise TransientError(error_text(error)) from error

    def close(self) -> None:
        """Close the connection, whatever is still on its way."""
        self._response.close()
        self._connection.close()

    @property
    def is_finished(self) -> bool:
        """Whether the body was read to its end, so that the connection can be used again."""
        return self._response.isclosed()


class PendingRequest:
    """A request whose head has been sent, and whose response has not been read."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection

    def send(self, block: bytes) -> None:
        """Send more of the body; a socket's time-out is for the whole of a block."""
        self._connection.send(block)

    def response(self) -> Response:
        """Wait for the head of the response."""
        line = self._connection.sock  # the connection forgets it where the other side closes
        with limits.within(_HEAD_SECONDS, line):
            return Response(self._connection.getresponse(), self._connection, line)


class Connections:
    """The open connections of one thread, one for each origin."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._open: dict[Origin, http.client.HTTPConnection] = {}

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Sequence[bytes] | None = None,
    ) -> Response:
        """Send a request and return the head of its response. Redirects are not followed.

        Parameters
        ----------
        body
            Its blocks, or ``None`` for a request that has no body.

        Raises
        ------
        TransientError
            No connection, or it broke before a response came.
        """
        where = origin(url)
        kept = where in self._open
        try:
            return self._exchange(method, url, headers, body)
        except (OSError, http.client.HTTPException) as error:
            self.drop(url)
            if not kept or isinstance(error, TimeoutError):
                raise TransientError(f"{where[1]}: {error_text(error)}") from error
        # A kept connection that the other side closed meanwhile says nothing about the other side.
        try:
            return self._exchange(method, url, headers, body)
        except (OSError, http.client.HTTPException) as error:
            self.drop(url)
            raise TransientError(f"{where[1]}: {error_text(error)}") from error

    def drop(self, url: str) -> None:
        """Close the connection to a URL's origin, so that the next request makes a new one."""
        connection = self._open.pop(origin(url), None)
        if connection:
            connection.close()

    def detach(self, url: str) -> None:
        """Forget the connection to a URL's origin, which a response goes on using."""
        self._open.pop(origin(url), None)

    def close(self) -> None:
        """Close all connections."""
        for connection in self._open.values():
            connection.close()
        self._open.clear()

    def begin(
        self, method: str, url: str, headers: Mapping[str, str], length: int | None
    ) -> PendingRequest:
        """Send the head of a request; its body, of so many bytes, follows.

        Raises
        ------
        OSError, http.client.HTTPException
            No connection, or it broke.
        """
        parts = urlsplit(url)
        where = origin(url)
        connection = self._open.get(where)
        if connection is None:
            connection = _connect(where, self._options)
            self._open[where] = connection
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.putrequest(method, target, skip_accept_encoding=True)
        connection.putheader("Accept-Encoding", "identity")
        for name, value in headers.items():
            connection.putheader(name, value)
        if length is not None:
            connection.putheader("Content-Length", str(length))
        connection.endheaders()
        return PendingRequest(connection)

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: Sequence[bytes] | None
    ) -> Response:
        length = None if body is None else sum(map(len, body))
        request = self.begin(method, url, headers, length)
        # A server that refuses a request may close before having read all of it; its response says
        # why.
        with suppress(BrokenPipeError, ConnectionResetError):
            for block in body or ():
                request.send(block)
        return request.response()


def _connect(where: Origin, options: Options) -> http.client.HTTPConnection:
    scheme, host, port = where
    timeout = options.connect_timeout
    connection: http.client.HTTPConnection
    if scheme == "https" and (proxy := _proxy(host)):
        connection = http.client.HTTPSConnection(
            proxy.hostname or "", proxy.port or 80, timeout=timeout, context=tls_context()
        )
        connection.set_tunnel(host, port, _proxy_headers(proxy))
    elif scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=tls_context())
    else:
        connection = http.client.HTTPConnection(host, port, timeout=timeout)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sock.settimeout(options.stall_timeout)
    return connection


def _proxy(host: str) -> SplitResult | None:
    """Return the proxy that the environment names for TLS connections to a host."""
    url = urllib.request.getproxies().get("https")
    return urlsplit(url) if url and not urllib.request.proxy_bypass(host) else None


def _proxy_headers(proxy: SplitResult) -> dict[str, str]:
    if not proxy.username:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
