"""Cheroot, fitted for bodies of many gigabytes: C buffers, whole blocks, and sendfile."""

from __future__ import annotations

import io
import logging
import socket
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

from cheroot import server as cheroot_server
from cheroot import wsgi

from local_cloud.printing import report, say

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Bytes that are read or written at a time.
BLOCK = 1 << 20

#: Seconds without a byte after which a connection is given up; also the life of an idle one.
#: Longer than the pools of the client libraries keep a connection, so that the client closes.
IDLE_SECONDS = 600

#: How long (seconds) a stop waits for the requests under way.
SHUTDOWN_SECONDS = 2


class FileBody:
    """A range of an open file as the body of a response.

    Use it with ``Response(body, direct_passthrough=True)``: the server then sends it from the
    page cache with ``sendfile``; iterated, it gives blocks of at most `BLOCK` bytes.

    Parameters
    ----------
    file
        Opened for reading; closed with the response.
    start, length
        The range, in bytes.
    """

    def __init__(self, file: BinaryIO, start: int, length: int) -> None:
        self.file = file
        self.start = start
        self.length = length

    def __iter__(self) -> Iterator[bytes]:
        """Yield the range in blocks."""
        self.file.seek(self.start)
        left = self.length
        while left and (block := self.file.read(min(left, BLOCK))):
            left -= len(block)
            yield block

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class _RawSocket(socket.SocketIO):
    """A socket that can be told to give nothing rather than to wait."""

    dry = False

    def readinto(self, buffer: Any) -> int | None:
        return None if self.dry else super().readinto(buffer)


class _Reader(io.BufferedReader):
    """What cheroot expects of a reading end, on the buffer that is written in C.

    A read of a whole block is received straight into the bytes object that is returned.
    """

    bytes_read = 0  # cheroot's statistics, which are off, name it

    def __init__(self, sock: socket.socket, size: int) -> None:
        self._source = _RawSocket(sock, "rb")
        super().__init__(self._source, size)

    def has_data(self) -> bool:
        """Return whether bytes of the next request have been received already."""
        self._source.dry = True
        try:
            return bool(self.peek(1))
        finally:
            self._source.dry = False


class _Writer:
    """What cheroot expects of a writing end, without a buffer: responses come in blocks."""

    bytes_written = 0

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def write(self, data: bytes) -> int:
        self._socket.sendall(data)
        return len(data)

    def close(self) -> None:
        """Leave the socket to the connection, which closes it."""


def _makefile(sock: socket.socket, mode: str, size: int) -> _Reader | _Writer:
    return _Reader(sock, size) if "r" in mode else _Writer(sock)


class _Request(cheroot_server.HTTPRequest):
    """A request that may be in absolute form, as clients send it to a proxy."""

    def __init__(self, server: Any, conn: Any) -> None:
        super().__init__(server, conn, proxy_mode=True)


class _Connection(cheroot_server.HTTPConnection):
    RequestHandlerClass = _Request

    def __init__(self, server: Any, sock: socket.socket, makefile: Any = None) -> None:
        del makefile  # cheroot's own copies each byte four times, in Python
        super().__init__(server, sock, makefile=_makefile)


class _Gateway(wsgi.Gateway_10):
    """Sends a `FileBody` without bringing it into the process."""

    def respond(self) -> None:
        body = self.req.server.wsgi_app(self.env, self.start_response)
        try:
            if isinstance(body, FileBody):
                self.req.ensure_headers_sent()
                sent = 0
                if body.length:
                    sent = self.req.conn.socket.sendfile(body.file, body.start, body.length)
                if sent < body.length:  # the file was cut: the client must not wait for the rest
                    self.req.close_connection = True
            else:
                for block in filter(None, body):
                    self.write(block)
        finally:
            self.req.ensure_headers_sent()
            if hasattr(body, "close"):
                body.close()


class HttpServer(wsgi.Server):
    """Cheroot's WSGI server with the connection and the gateway of this module."""

    ConnectionClass = _Connection
    keep_alive_conn_limit = 1 << 16  # as many as there are file descriptors
    expiration_interval = 0.1  # seconds between two looks at idle ones: a stop waits for the next

    def __init__(self, address: tuple[str, int], application: Any, numthreads: int) -> None:
        super().__init__(
            address,
            application,
            numthreads=numthreads,
            server_name="local-cloud",
            request_queue_size=128,
            timeout=IDLE_SECONDS,
            shutdown_timeout=SHUTDOWN_SECONDS,
        )
        self.gateway = _Gateway

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:  # noqa: FBT001, FBT002 -- cheroot's signature
        """Print what went wrong with a connection; what came over it is no more than text."""
        error = sys.exception() if traceback else None
        if level >= logging.WARNING or error:
            say(msg)
        if error:
            report(error)
