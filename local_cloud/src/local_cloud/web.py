"""The web server of the local cloud: routes over werkzeug requests, served by cheroot threads."""

from __future__ import annotations

import errno
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from werkzeug import Request, Response

from local_cloud.database import is_disk_full
from local_cloud.errors import LocalCloudError, disk_full
from local_cloud.httpd import BLOCK, HttpServer
from local_cloud.printing import report

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

_INSUFFICIENT_STORAGE = 507  # no client tries such a call again

_OWN_HOSTS = {"127.0.0.1", "localhost", "::1"}

Route = Callable[[Request], Response | None]


class WebServer:
    """Serves a list of routes on one port; the first route that answers wins.

    Absolute-form request lines (those that are sent to a proxy) are accepted. Request bodies
    of any length are streamed: see `body_blocks`. A response may be a generator, or a
    `FileBody` that is sent by the kernel.

    Parameters
    ----------
    routes
        Tried in order; the list may be changed while the server runs.
    host, port
        Where to listen; port 0 takes a free one.
    threads
        How many requests are answered at the same time.
    """

    def __init__(
        self, routes: list[Route], host: str = "127.0.0.1", port: int = 0, threads: int = 32
    ) -> None:
        self.routes = routes
        self._host = host
        self._port = port
        self._server = HttpServer((host, port), self._application, numthreads=threads)
        self._bound = False
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port listened on, bound when it is first asked for."""
        self._bind()
        return int(self._server.bind_addr[1])

    @property
    def url(self) -> str:
        """The base address, for example ``"http://127.0.0.1:8085"``."""
        return f"http://{self._host}:{self.port}"

    def start(self) -> None:
        """Serve in a background thread.

        Raises
        ------
        LocalCloudError
            The port cannot be listened on.
        """
        self._bind()
        self._thread = threading.Thread(target=self._server.serve, name="web", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, and wait shortly for the requests under way."""
        self._server.stop()
        if self._thread:
            self._thread.join(timeout=5)

    def _bind(self) -> None:
        if self._bound:
            return
        try:
            self._server.prepare()
        except OSError as error:
            raise LocalCloudError(
                f"The local cloud cannot listen on {self._host}:{self._port}.",
                "Stop the program that uses the port, or choose another port.",
                cause=str(error),
            ) from error
        self._bound = True

    def _application(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        request = Request(environ)
        response = self._answer(request)
        # A body left unread would be taken for the next request of the connection.
        for _ in body_blocks(request):
            pass
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        try:
            for route in list(self.routes):
                response = route(request)
                if response is not None:
                    return response
        except (ConnectionError, TimeoutError):
            raise  # the client is gone: the server closes the connection
        except RecursionError:
            return google_error(400, "INVALID_ARGUMENT", "The request is nested too deeply.")
        except Exception as error:  # noqa: BLE001 -- one broken request must not end the server
            if is_disk_full(error):
                full = disk_full()
                return google_error(_INSUFFICIENT_STORAGE, full.reason, full.message)
            report(error)
            return google_error(500, "INTERNAL", "Internal error encountered.")
        return google_error(404, "NOT_FOUND", f"Not found: {request.method} {request.path}")


def is_own(request: Request) -> bool:
    """Check that no web page of others sent a request: for what is open without a token.

    A page elsewhere is known by its origin; one that a name leads here which its owner pointed at
    this machine (DNS rebinding), by the host that the browser was given.
    """
    host = str(request.environ.get("HTTP_HOST", ""))
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:  # it is no host at all
        return False
    if name not in _OWN_HOSTS:
        return False
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site", "none")
    return origin in {None, f"http://{host}"} and site in {"none", "same-origin"}


def google_error(
    status: int,
    reason: str,
    message: str,
    *,
    details: list[dict[str, Any]] | None = None,
) -> Response:
    """Make an error response in the JSON shape of Google's APIs.

    Parameters
    ----------
    status
        HTTP status code.
    reason
        A canonical code such as ``"PERMISSION_DENIED"`` (newer APIs, field ``status``), or a
        reason such as ``"notFound"`` (Cloud Storage, field ``errors``).
    message
        The text for a person.
    details
        ``google.rpc`` messages as JSON, each with ``@type``.
    """
    error: dict[str, Any] = {"code": status, "message": message}
    if reason.isupper():
        error["status"] = reason
    else:
        error["errors"] = [{"message": message, "domain": "global", "reason": reason}]
    if details:
        error["details"] = details
    return json_response({"error": error}, status)


def json_response(value: Any, status: int = 200) -> Response:
    """Make a JSON response as Google's front ends send it."""
    text = json.dumps(value, ensure_ascii=False)
    return Response(text, status, content_type="application/json; charset=UTF-8")


def raw_path(request: Request) -> str:
    """Return the path of a request still percent-encoded, without host and query.

    ``request.path`` cannot tell an encoded slash inside a name from one between names.
    """
    uri = str(request.environ["REQUEST_URI"])
    if uri.startswith("/"):
        return uri.partition("?")[0]
    return urlsplit(uri).path or "/"


def body_blocks(request: Request, size: int = BLOCK) -> Iterator[bytes]:
    """Yield the body of a request in blocks of at most `size` bytes, as it comes in.

    Raises
    ------
    ConnectionResetError
        The client went away before the end of the body.
    """
    stream = request.environ["wsgi.input"]
    gone = ConnectionResetError(errno.ECONNRESET, "the client closed the connection")
    try:
        while block := stream.read(size):
            yield block
    except (ValueError, OverflowError) as error:  # a chunk of a chunked body broke off
        raise gone from error
    if getattr(stream, "remaining", 0):
        raise gone
