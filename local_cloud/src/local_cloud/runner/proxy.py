"""One request passed to an instance, and its answer passed back as it comes."""

from __future__ import annotations

import base64
import errno
import http.client
import json
import secrets
import time
from typing import TYPE_CHECKING, Any

from werkzeug import Response

from local_cloud.logs import timestamp
from local_cloud.runner.ports import LOOPBACK
from local_cloud.web import raw_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug import Request

BLOCK = 64 << 10  # bytes
_CONNECT_SECONDS = 5.0
# RFC 9110, 7.6.1: about one connection, not about the message.
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
SIGNATURE_REMOVED = "SIGNATURE_REMOVED_BY_GOOGLE"


class UpstreamError(Exception):
    """The instance cannot be reached, or breaks off."""


class Exchange:
    """A request and its answer.

    Parameters
    ----------
    request
        As it came in.
    url
        Address of the service.

    """

    def __init__(self, request: Request, url: str) -> None:
        self._request = request
        self._url = url
        self._sent = 0  # bytes of the body, to the instance
        self._received = 0
        self._started = timestamp()
        given = request.headers.get("X-Cloud-Trace-Context", "").partition("/")[0]
        self.trace = given or secrets.token_hex(16)

    def forward(self, port: int, deadline: float) -> Response:
        """Send the request to a port of this machine and return the answer, its body unread.

        Parameters
        ----------
        port
            Where the instance listens.
        deadline
            Time (``time.monotonic``) at which it must have answered completely.

        Raises
        ------
        TimeoutError
            If it does not begin to answer in time.
        UpstreamError
            If it cannot be reached, or what it says is no answer.

        """
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_CONNECT_SECONDS)
        try:
            connection.connect()
            self._send(connection)
            connection.sock.settimeout(max(0.001, deadline - time.monotonic()))
            answer = connection.getresponse()
        except TimeoutError:
            connection.close()
            raise
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise UpstreamError(str(error)) from error
        headers = [
            (name, value) for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP
        ]
        body = self._body(connection, answer, deadline)
        response = Response(body, answer.status, headers)
        if answer.getheader("Content-Type") is None:
            del response.headers["Content-Type"]  # the default that werkzeug put in
        response.call_on_close(connection.close)
        return response

    def log_entry(self, status: int, seconds: float) -> dict[str, Any]:
        """Return the request as the ``HttpRequest`` of a log entry."""
        request = self._request
        return {
            "requestMethod": request.method,
            "requestUrl": f"{self._url}{self._target()}",
            "requestSize": str(self._sent),
            "status": status,
            "responseSize": str(self._received),
            "userAgent": request.headers.get("User-Agent", ""),
            "remoteIp": request.remote_addr or "",
            "latency": f"{seconds:.6f}s",
            "protocol": "HTTP/1.1",
        }

    def _target(self) -> str:
        query = self._request.query_string.decode("latin-1")
        return raw_path(self._request) + (f"?{query}" if query else "")

    def _send(self, connection: http.client.HTTPConnection) -> None:
        connection.putrequest(
            self._request.method, self._target(), skip_host=True, skip_accept_encoding=True
        )
        for name, value in self._headers():
            connection.putheader(name, value)
        chunked = self._request.content_length is None and self._has_body()
        if chunked:
            connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()
        try:
            for block in self._blocks():
                connection.send(b"%x\r\n%b\r\n" % (len(block), block) if chunked else block)
            if chunked:
                connection.send(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            return  # it answers without reading on: the answer says why

    def _has_body(self) -> bool:
        return "chunked" in self._request.environ.get("HTTP_TRANSFER_ENCODING", "").lower()

    def _blocks(self) -> Iterator[bytes]:
        stream = self._request.environ["wsgi.input"]
        if self._request.content_length or self._has_body():
            while block := stream.read(BLOCK):
                self._sent += len(block)
                yield block

    def _headers(self) -> Iterator[tuple[str, str]]:
        request = self._request
        named = request.headers.get("Connection", "").lower().replace(" ", "").split(",")
        serverless = "X-Serverless-Authorization" in request.headers
        for name, value in request.headers:
            lower = name.lower()
            if lower in _HOP_BY_HOP or lower in named or lower == "x-serverless-authorization":
                continue
            if lower == "authorization" and not serverless:
                yield name, _without_signature(value, self._url)
            elif not lower.startswith(("x-forwarded-", "x-cloud-trace-", "traceparent")):
                yield name, value
        client = request.remote_addr or LOOPBACK
        before = request.headers.get("X-Forwarded-For")
        yield "X-Forwarded-For", f"{before},{client}" if before else client
        yield "X-Forwarded-Proto", "http"
        span = secrets.randbits(63)
        yield "X-Cloud-Trace-Context", f"{self.trace}/{span};o=1"
        yield "Traceparent", f"00-{self.trace}-{span:016x}-01"

    def _body(
        self,
        connection: http.client.HTTPConnection,
        answer: http.client.HTTPResponse,
        deadline: float,
    ) -> Iterator[bytes]:
        """Yield what comes, when it comes; break the connection off where the instance does."""
        try:
            while True:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                if connection.sock:  # gone as soon as the last byte has been read
                    connection.sock.settimeout(left)
                block = answer.read1(BLOCK)
                if not block:
                    break
                self._received += len(block)
                yield block
            if answer.length:
                raise http.client.IncompleteRead(b"", answer.length)
        except (OSError, http.client.HTTPException) as error:
            # The status is sent: all that is left to say is that the answer is not whole.
            raise ConnectionResetError(errno.ECONNRESET, "the instance broke off") from error


def _without_signature(authorization: str, audience: str) -> str:
    """Return an Authorization header whose token, if made for this service, is no good elsewhere.

    Cloud Run takes the signature off the identity token that it has checked.
    """
    scheme, _, token = authorization.partition(" ")
    parts = token.strip().split(".")
    if scheme.lower() != "bearer" or len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        return authorization
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        if str(claims["aud"]).rstrip("/") != audience:
            return authorization
    except (ValueError, KeyError, TypeError):
        return authorization
    return f"{scheme} {parts[0]}.{parts[1]}.{SIGNATURE_REMOVED}"
