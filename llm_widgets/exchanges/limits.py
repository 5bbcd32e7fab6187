"""Limits of exchanges through ``requests``, which use no credentials but those they are given.

Proxies and certificates are those of the environment, on purpose: see ``docs/security.md``.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import DecodeError, HTTPError, LocationParseError

from llm_widgets.exchanges import redirects

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LARGEST = 64 << 20
"""Bytes of an answer that is read whole, after decompression."""

SECONDS = 300.0
"""Seconds that an answer may take that is read whole."""

TIMEOUT = 15.0
"""Seconds to wait for a connection, and then for each piece of an answer."""

_PIECE = 64 << 10  # bytes


class TooLongError(requests.RequestException):
    """An answer has more bytes than it may have."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: HTTP status, header fields (any case) and body, decompressed.

    Attributes
    ----------
    url
        The address that answered, behind all redirects.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str = ""


def secured(session: requests.Session, *, connections: int = 10, seconds: float = SECONDS) -> None:
    """Put limits on a session, and take ``.netrc`` and redirects from it.

    Parameters
    ----------
    connections
        Kept open to one host.
    seconds
        That a head may take, or an answer that is read whole.
    """
    adapter = _Adapter(connections, seconds)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    # A session that has an authentication of its own does not look into .netrc.
    session.auth = _as_it_is
    session.resolve_redirects = _not_followed  # type: ignore[assignment,method-assign] # see there


def get(
    session: requests.Session,
    url: str,
    *,
    limit: int,
    seconds: float,
    headers: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT,
) -> Answer:
    """Read an answer whole; see :func:`answered`.

    Parameters
    ----------
    limit
        The most bytes that the body may have, after decompression.
    seconds
        That it may take in all, redirects included.

    Raises
    ------
    requests.RequestException
        It is longer or takes longer, leads to where no request may go, or there is none.
    """
    deadline = time.monotonic() + seconds
    with answered(session, url, headers or {}, deadline, timeout=timeout) as response:
        body = b"".join(pieces(response, limit, deadline))
        return Answer(response.status_code, response.headers, body, response.url)


@contextmanager
def answered(
    session: requests.Session,
    url: str,
    headers: Mapping[str, str],
    deadline: float,
    *,
    timeout: float = TIMEOUT,
) -> Iterator[requests.Response]:
    """Ask, follow redirects, and give the answer, whose body is still to be read.

    Parameters
    ----------
    session
        One that is :func:`secured`.
    headers
        To be sent; credentials among them stay with the first origin.
    deadline
        By ``time.monotonic``.
    timeout
        Seconds to wait for a connection, and then for each piece of an answer.

    Raises
    ------
    requests.RequestException
        As :func:`get`.
    """
    first = redirects.origin(url)
    here = url
    for _ in range(redirects.MOST + 1):
        sent = dict(headers)
        if redirects.origin(here) != first:
            sent = {name: sent[name] for name in sent if name.lower() != "authorization"}
        if time.monotonic() > deadline:
            raise requests.Timeout("the answer took too long")
        with session.get(
            here, headers=sent, stream=True, timeout=timeout, allow_redirects=False
        ) as response:
            if not response.is_redirect:
                yield response
                return
            here = redirects.target(url, here, response.headers["Location"])
    raise redirects.CircleError(f"more than {redirects.MOST} redirects")


def pieces(response: requests.Response, limit: int, deadline: float) -> Iterator[bytes]:
    """Yield the body of an answer as it comes, decompressed.

    Parameters
    ----------
    limit
        The most bytes that it may have.
    deadline
        By ``time.monotonic``.

    Raises
    ------
    requests.RequestException
        It is longer, takes longer, breaks off or can't be decompressed.
    """
    raw: Any = response.raw
    length = 0
    while True:
        try:
            piece: bytes = raw.read1(_PIECE, decode_content=True)
        except DecodeError as error:
            raise requests.exceptions.ContentDecodingError(error) from error
        except (HTTPError, OSError) as error:
            raise requests.ConnectionError(error) from error
        if not piece:
            return
        length += len(piece)
        if length > limit:
            raise TooLongError(f"an answer of more than {limit} bytes")
        if time.monotonic() > deadline:
            raise requests.Timeout("the answer took too long")
        yield piece


@contextmanager
def within(seconds: float, line: socket.socket) -> Iterator[None]:
    """Let a block read from a socket for some time in all, however slowly it drips.

    Raises
    ------
    TimeoutError
        It took longer; the block may have raised something else that follows from its end.
    """
    is_late = threading.Event()

    def shut_down() -> None:
        is_late.set()
        with suppress(OSError):  # it has ended already
            # Not SSLSocket.shutdown: it takes the TLS layer away from the thread that reads.
            socket.socket.shutdown(line, socket.SHUT_RDWR)

    watch = threading.Timer(seconds, shut_down)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
    if is_late.is_set():
        raise TimeoutError("the answer took too long")


class _Adapter(HTTPAdapter):
    def __init__(self, connections: int, seconds: float) -> None:
        self._seconds = seconds
        self._pools = _pools(seconds)
        super().__init__(pool_maxsize=connections)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not proxy.lower().startswith("socks"):  # it has pools of its own
            manager.pool_classes_by_scheme = self._pools
        return manager

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        deadline = time.monotonic() + self._seconds
        is_streamed = bool(kwargs.get("stream") or (args and args[0]))
        try:
            response = super().send(request, *args, **kwargs)
        except LocationParseError as error:  # a host that only the connection finds to be none
            raise requests.exceptions.InvalidURL(error) from error
        if response.is_redirect:
            response.close()
            response._content = b""  # noqa: SLF001 - requests would read all of it
        elif not is_streamed:
            try:
                response._content = b"".join(pieces(response, LARGEST, deadline))  # noqa: SLF001 - there is no other way
            except BaseException:
                response.close()
                raise
        return response


class _Watched:
    """A connection whose head of an answer comes within some time, however slowly it drips."""

    head_seconds = SECONDS

    def getresponse(self) -> Any:
        with within(self.head_seconds, self.sock):  # type: ignore[attr-defined] # of the class beside it
            return super().getresponse()  # type: ignore[misc] # of the class beside it


def _pools(seconds: float) -> dict[str, type[HTTPConnectionPool]]:
    """Return pools of connections on which a head takes at most so many seconds."""

    class Connection(_Watched, HTTPConnection):
        head_seconds = seconds

    class TlsConnection(_Watched, HTTPSConnection):
        head_seconds = seconds

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = TlsConnection

    return {"http": Pool, "https": TlsPool}


def _not_followed(
    response: requests.Response, *_: object, yield_requests: bool = False, **__: object
) -> Iterator[requests.Response]:
    """Refuse a redirect, unless it is asked for as it is: ``requests`` asks .netrc for each."""
    if response.is_redirect and not yield_requests:
        raise redirects.ForbiddenRedirectError(f"a redirect to {response.headers['Location']!r}")
    return iter(())


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
