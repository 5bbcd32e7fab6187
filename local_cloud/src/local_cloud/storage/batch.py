"""Batches: up to 100 calls in one request."""

from __future__ import annotations

import io
import re
from email.parser import BytesHeaderParser
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from werkzeug import Request, Response

from local_cloud.storage.failures import invalid

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_CALLS = 100
_BLANK = re.compile(rb"\r?\n\r?\n")
_BOUNDARY = "batch_of_responses"


def run_batch(request: Request, answer: Callable[[Request], Response]) -> Response:
    """Answer each call of a batch, and put the answers together.

    Parameters
    ----------
    request
        A ``multipart/mixed`` body whose parts are HTTP requests.
    answer
        Answers one of them.

    Raises
    ------
    StorageError
        400: the body is no batch, or has too many calls.
    """
    boundary = request.mimetype_params.get("boundary")
    if not boundary:
        raise invalid("Missing multipart boundary in the Content-Type.")
    pieces = request.get_data().split(b"--" + boundary.encode())[1:-1]
    if len(pieces) > _MAX_CALLS:
        raise invalid(f"The batch has {len(pieces)} calls; the limit is {_MAX_CALLS}.")
    body = b""
    for piece in pieces:
        head, _, inner = _cut(piece.lstrip())
        content_id = _headers(head).get("Content-ID", "").strip().strip("<>")
        response = answer(_inner_request(request, inner))
        payload = response.get_data()
        body += (
            (
                f"--{_BOUNDARY}\r\nContent-Type: application/http\r\n"
                f"Content-ID: <response-{content_id}>\r\n\r\n"
                f"HTTP/1.1 {response.status}\r\nContent-Type: {response.content_type}\r\n"
                f"Content-Length: {len(payload)}\r\n\r\n"
            ).encode()
            + payload
            + b"\r\n"
        )
    body += f"--{_BOUNDARY}--\r\n".encode()
    return Response(body, content_type=f"multipart/mixed; boundary={_BOUNDARY}")


def _inner_request(outer: Request, text: bytes) -> Request:
    line, _, rest = text.lstrip().partition(b"\n")
    method, target, *_ = line.decode().split()
    head, _, body = _cut(rest)
    url = urlsplit(target)
    environ = {
        **{key: value for key, value in outer.environ.items() if not key.startswith("werkzeug")},
        "REQUEST_METHOD": method,
        "REQUEST_URI": target,
        "PATH_INFO": url.path,
        "QUERY_STRING": url.query,
    }
    for key in [key for key in environ if key.startswith("HTTP_")]:
        if key not in {"HTTP_AUTHORIZATION", "HTTP_HOST"}:
            del environ[key]
    environ.pop("CONTENT_TYPE", None)
    for name, value in _headers(head).items():
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    environ["HTTP_HOST"] = outer.host
    body = body.rstrip(b"\r\n")
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(body)
    return Request(environ)


def _cut(text: bytes) -> tuple[bytes, bytes, bytes]:
    """Cut headers from what follows their blank line."""
    if text[:1] in {b"\r", b"\n"}:  # there are no headers
        return b"", b"", text.lstrip(b"\r\n")
    head, *rest = _BLANK.split(text, maxsplit=1)
    return head, b"", rest[0] if rest else b""


def _headers(head: bytes) -> dict[str, str]:
    return dict(BytesHeaderParser().parsebytes(head.strip() + b"\n\n").items())
