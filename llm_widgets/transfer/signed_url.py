"""Where a file's bytes are right now: behind the hub's redirect to a signed, short-lived URL."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from requests.utils import requote_uri

from llm_widgets.errors import Fix, GatedModelError, HubError
from llm_widgets.transfer.connections import origin
from llm_widgets.transfer.retry import Stopped, TransientError, asked_wait

if TYPE_CHECKING:
    from llm_widgets.transfer.connections import Answer, Connections

_HOPS = 5
REDIRECTS = (301, 302, 303, 307, 308)
REFUSED = (401, 403, 404, 410)
"""What an expired URL is answered with, depending on who signed it."""

_BUSY = (408, 425, 429)


class Location:
    """Asks the hub once for where a file is, keeps the answer, and asks again when it expired.

    Parameters
    ----------
    url
        The file's URL at its hub.
    token
        The hub's token, or empty. It is sent to the origin of ``url`` and to nobody else.
    """

    def __init__(self, url: str, token: str = "") -> None:
        self._url = url
        self._token = token
        self._lock = threading.Lock()
        self._now = ""

    def current(self, connections: Connections) -> str:
        """Give the URL to read from.

        Raises
        ------
        TransientError
            The hub could not be asked this time.
        HubError
            The hub refuses.
        """
        with self._lock:
            if not self._now:
                self._now = self._ask(connections)
            return self._now

    @property
    def known(self) -> str:
        """The URL to read from, or empty where the hub would have to be asked for it."""
        return self._now

    def expired(self, url: str) -> None:
        """Forget a URL that is no longer answered, unless somebody has renewed it already."""
        with self._lock:
            if self._now == url:
                self._now = ""

    def moved(self, url: str, to: str) -> None:
        """Take note that a URL redirects to another one."""
        with self._lock:
            if self._now == url:
                self._now = _target(url, to)

    def headers(self, url: str) -> dict[str, str]:
        """Give the header fields for a request to a URL: a token for the hub, none for others."""
        headers = {"User-Agent": "llm-widgets"}
        if self._token and origin(url) == origin(self._url):
            headers["Authorization"] = f"Bearer {self._token}"
        return headers

    def _ask(self, connections: Connections) -> str:
        url = self._url
        for _ in range(_HOPS):
            answer = connections.request("GET", url, {**self.headers(url), "Range": "bytes=0-0"})
            status, target = answer.status, answer.headers.get("location", "")
            if status in REDIRECTS and target:
                _finish(answer, connections, url)
                url = _target(url, target)
                if origin(url) != origin(self._url):
                    return url
                continue
            if status in (200, 206, 416):  # 416: an empty file
                if status == 200:  # noqa: PLR2004 - a hub that ignores ranges sends all of it
                    connections.leave(url)
                else:
                    _finish(answer, connections, url)
                return url
            raise self._refusal(answer, connections, url)
        raise HubError(f"{origin(self._url)[1]} redirects in a circle.", cause=self._url)

    def _refusal(self, answer: Answer, connections: Connections, url: str) -> Exception:
        host = origin(url)[1]
        text = answer.headers.get("x-error-message", "") or f"HTTP {answer.status}"
        _finish(answer, connections, url)
        if answer.status in _BUSY or answer.status >= 500:  # noqa: PLR2004 - server errors
            return TransientError(f"{host}: {text}", wait=asked_wait(answer.headers))
        if answer.status in (401, 403):
            return GatedModelError(
                f"{host} does not let this import read the file.",
                cause=text,
                fix=Fix(
                    text="Accept the model's licence on its page, or import it again with a "
                    "token that may read it."
                ),
            )
        return HubError(
            f"{host} no longer has the file.",
            cause=f"{text}: {self._url}",
            fix=Fix(text="Start the import again: the pre-flight looks for the files anew."),
        )


class Gate:
    """Holds all lanes back while a hub has asked for a pause."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._until = 0.0

    def close_for(self, seconds: float) -> None:
        """Let nobody through for some seconds."""
        self._until = max(self._until, time.monotonic() + seconds)

    @property
    def is_closed(self) -> bool:
        """Whether there is a pause now."""
        return self._until > time.monotonic()

    def pass_through(self) -> None:
        """Wait until the pause is over.

        Raises
        ------
        Stopped
            The engine was told to stop.
        """
        left = self._until - time.monotonic()
        if self._stop.is_set() or (left > 0 and self._stop.wait(left)):
            raise Stopped


def _target(url: str, to: str) -> str:
    """Give the URL that a redirect leads to, with its characters as a request line takes them."""
    return requote_uri(urljoin(url, to))


def _finish(answer: Answer, connections: Connections, url: str) -> None:
    """Read a short answer to its end so that its connection can serve again."""
    answer.text()
    if not answer.is_finished:
        connections.leave(url)
