"""Signed URLs: the short-lived address of a file's bytes, behind its hub's redirect."""

from __future__ import annotations

import threading
from http import HTTPStatus
from typing import TYPE_CHECKING

from llm_widgets.errors import Fix, GatedModelError, HubError
from llm_widgets.exchanges import redirects
from llm_widgets.exchanges.pauses import retry_after
from llm_widgets.exchanges.redirects import origin
from llm_widgets.transfer.retry import TransientError

if TYPE_CHECKING:
    from llm_widgets.transfer.connections import Connections, Response

REDIRECTS = (301, 302, 303, 307, 308)
EXPIRED = (401, 403, 404, 410)
"""Statuses with which an expired URL is refused, depending on who signed it."""

_BUSY = (408, 425, 429)


class SignedUrl:
    """The present URL of a file: resolved once at the hub, kept, and resolved anew when it expired.

    Parameters
    ----------
    hub_url
        The file's URL at its hub.
    token
        The hub's token, or empty. It is sent to the origin of ``hub_url`` and to nobody else.
    """

    def __init__(self, hub_url: str, token: str = "") -> None:
        self._hub_url = hub_url
        self._token = token
        self._lock = threading.Lock()
        self._current = ""

    def resolve(self, connections: Connections) -> str:
        """Return the URL to read from.

        Raises
        ------
        TransientError
            The hub did not answer this time.
        HubError
            The hub refuses.
        """
        with self._lock:
            if not self._current:
                self._current = self._follow_redirects(connections)
            return self._current

    @property
    def cached(self) -> str:
        """The URL to read from, or empty where it would have to be resolved."""
        return self._current

    def expire(self, url: str) -> None:
        """Forget a URL that is refused, unless another worker has renewed it already."""
        with self._lock:
            if self._current == url:
                self._current = ""

    def redirect(self, url: str, location: str) -> None:
        """Record that a URL redirects to another one."""
        with self._lock:
            if self._current == url:
                self._current = self._target(url, location)

    def headers(self, url: str) -> dict[str, str]:
        """Return header fields for a request to a URL: with the token for the hub only."""
        headers = {"User-Agent": "llm-widgets"}
        if self._token and origin(url) == origin(self._hub_url):
            headers["Authorization"] = f"Bearer {self._token}"
        return headers

    def _follow_redirects(self, connections: Connections) -> str:
        url = self._hub_url
        for _ in range(redirects.MOST):
            response = connections.request("GET", url, {**self.headers(url), "Range": "bytes=0-0"})
            status, location = response.status, response.headers.get("location", "")
            if status in REDIRECTS and location:
                _finish(response, connections, url)
                url = self._target(url, location)
                if origin(url) != origin(self._hub_url):
                    return url
                continue
            if status in (200, 206, 416):  # 416: an empty file
                if status == HTTPStatus.OK:  # a hub that ignores ranges sends all of it
                    connections.drop(url)
                else:
                    _finish(response, connections, url)
                return url
            raise self._refusal(response, connections, url)
        raise HubError(f"{origin(self._hub_url)[1]} redirects in a circle.", cause=self._hub_url)

    def _target(self, url: str, location: str) -> str:
        """Return where a redirect leads.

        Raises
        ------
        HubError
            Nothing is read from there; see :func:`.redirects.target`.
        """
        try:
            return redirects.target(self._hub_url, url, location)
        except redirects.ForbiddenRedirectError as error:
            raise HubError(
                f"{origin(url)[1]} redirects to where nothing is read from.",
                cause=f"{error}, from {url}."[:300],
            ) from error

    def _refusal(self, response: Response, connections: Connections, url: str) -> Exception:
        host = origin(url)[1]
        text = response.headers.get("x-error-message", "") or f"HTTP {response.status}"
        _finish(response, connections, url)
        if response.status in _BUSY or response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return TransientError(f"{host}: {text}", retry_after=retry_after(response.headers))
        if response.status in (401, 403):
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
            cause=f"{text}: {self._hub_url}",
            fix=Fix(text="Start the import again: the check looks for the files again."),
        )


def _finish(response: Response, connections: Connections, url: str) -> None:
    """Read a short response to its end, so that its connection can serve again."""
    response.text()
    if not response.is_finished:
        connections.drop(url)
