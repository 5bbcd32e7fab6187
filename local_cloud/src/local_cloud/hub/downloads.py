"""Bytes of a file over HTTP, and the signed addresses that downloads are sent to."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from werkzeug import Response

from local_cloud.httpd import FileBody

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from werkzeug import Request

    from local_cloud.hub.blobs import Blobs

_PATH = re.compile(r"/cdn/([0-9a-f]{64})")


class Downloads:
    """Gives out contents of files, as the storage service behind a hub does.

    Parameters
    ----------
    throttle
        Wraps the bytes of each answer: where a limited bandwidth is simulated.
    seconds
        How long a signed address is good for.

    Attributes
    ----------
    seconds
        As above; may be changed at any time.
    ignore_ranges
        Set it to answer every request for a range with the whole file, as some proxies do.
    """

    def __init__(
        self,
        blobs: Blobs,
        throttle: Callable[[Iterable[bytes]], Iterable[bytes]],
        *,
        seconds: float,
    ) -> None:
        self._blobs = blobs
        self._throttle = throttle
        self._key = secrets.token_bytes(32)
        self.seconds = seconds
        self.ignore_ranges = False

    def signed_url(self, request: Request, sha256: str, *, file_name: str = "") -> str:
        """Make an address of a content that is on another host name than the request's.

        A client that follows it must not send its token along.
        """
        here = urlsplit(request.host_url)
        host = "127.0.0.1" if here.hostname == "localhost" else "localhost"
        expires = f"{time.time() + self.seconds:.3f}"
        disposition = quote(f'inline; filename="{file_name or sha256}"')
        return (
            f"{here.scheme}://{host}:{here.port}/cdn/{sha256}?Expires={expires}"
            f"&Signature={self._signature(sha256, expires)}"
            f"&response-content-disposition={disposition}"
        )

    def route(self, request: Request) -> Response | None:
        """Answer requests for signed addresses."""
        match = _PATH.fullmatch(request.path)
        if not match:
            return None
        sha256 = match[1]
        expires = request.args.get("Expires", "")
        signature = request.args.get("Signature", "")
        if "Authorization" in request.headers:
            # Storage services take a signature or a token, not both: this is what happens to
            # a client that leaks its token to them.
            return _refusal(
                400, "InvalidArgument", "Only one auth mechanism allowed; a token came along."
            )
        if not hmac.compare_digest(signature, self._signature(sha256, expires)):
            return _refusal(403, "SignatureDoesNotMatch", "The signature does not match.")
        if time.time() > float(expires):
            return _refusal(403, "AccessDenied", "Request has expired")
        return self.answer(request, self._blobs.path(sha256), etag=sha256)

    def answer(self, request: Request, path: Path, *, etag: str) -> Response:
        """Send a file, or the range of it that is asked for."""
        size = path.stat().st_size
        start, stop, status = 0, size, 200
        headers = {
            "ETag": f'"{etag}"',
            "Accept-Ranges": "bytes",
            "Content-Type": "application/octet-stream",
        }
        if request.range and not self.ignore_ranges and request.if_range.etag in (None, etag):
            wanted = request.range.range_for_length(size)
            if wanted is None:
                return Response(status=416, headers={"Content-Range": f"bytes */{size}"})
            start, stop = wanted
            status = 206
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        headers["Content-Length"] = str(stop - start)
        if request.method == "HEAD":
            return Response(status=status, headers=headers)
        body = FileBody(path.open("rb"), start, stop - start)
        return Response(self._throttle(body), status, headers, direct_passthrough=True)

    def _signature(self, sha256: str, expires: str) -> str:
        return hmac.new(self._key, f"{sha256} {expires}".encode(), hashlib.sha256).hexdigest()


def _refusal(status: int, code: str, message: str) -> Response:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Response(body, status, content_type="application/xml")
