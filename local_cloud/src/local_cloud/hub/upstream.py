"""The real hubs, for what the sample hub does not hold."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from werkzeug import Response

from local_cloud.hub.accounts import accounts, token_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from werkzeug import Request

_TIMEOUT = (5, 60)  # seconds to connect, and between two pieces of an answer
_RETRY_AFTER = 30  # seconds in which an unreachable hub is not asked again
_PIECE = 256 << 10  # bytes
_PASSED_ON = ("Accept", "Content-Type", "If-None-Match", "If-Range", "Range", "User-Agent")
# They belong to one connection, not to the answer; the server sets its own.
_NOT_PASSED_BACK = frozenset(
    {"connection", "date", "keep-alive", "server", "trailer", "transfer-encoding", "upgrade"}
)


class Upstream:
    """One hub elsewhere, asked on behalf of a client; answers are streamed through.

    Parameters
    ----------
    url
        Base address of the hub.
    throttle
        Wraps the bytes of each answer: where a limited bandwidth is simulated.
    """

    def __init__(self, url: str, throttle: Callable[[Iterable[bytes]], Iterable[bytes]]) -> None:
        self.url = url.rstrip("/")
        self._throttle = throttle
        self._sessions = threading.local()
        self._silent_until = 0.0

    def forward(self, request: Request) -> Response | None:
        """Pass a request on and give the answer, ``None`` when the hub can't be reached."""
        if time.monotonic() < self._silent_until:
            return None
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        headers["Accept-Encoding"] = "identity"
        token = token_of(request)
        if token and token not in accounts():  # the made-up tokens of the samples stay here
            headers["Authorization"] = f"Bearer {token}"
        target = urlsplit(str(request.environ["REQUEST_URI"]))
        try:
            answer = self._session().request(
                request.method,
                f"{self.url}{target.path}" + (f"?{target.query}" if target.query else ""),
                headers=headers,
                data=request.get_data() if request.method == "POST" else None,
                stream=True,
                allow_redirects=False,
                timeout=_TIMEOUT,
            )
        except (requests.ConnectionError, requests.Timeout):
            self._silent_until = time.monotonic() + _RETRY_AFTER
            return None
        kept = {
            name: value
            for name, value in answer.headers.items()
            if name.lower() not in _NOT_PASSED_BACK
        }
        # A redirect within the hub is followed through this one.
        if kept.get("Location", "").startswith(f"{self.url}/"):
            kept["Location"] = kept["Location"].removeprefix(self.url)
        if request.method == "HEAD":
            answer.close()
            return Response(status=answer.status_code, headers=kept)
        body = answer.raw.stream(_PIECE, decode_content=False)
        response = Response(self._throttle(body), answer.status_code, kept)
        response.call_on_close(answer.close)
        return response

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._sessions, "session", None)
        if session is None:
            session = self._sessions.session = requests.Session()
            # .netrc is for the person at this machine, not for the clients of this hub.
            session.auth = _no_auth
        return session


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
