"""What every request has to pass: the host's name, where it was made, and by whom."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jupyter_server.base.handlers import JupyterHandler
from tornado.web import HTTPError

from llm_widgets.server.visitors import Visitor

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest

    from llm_widgets.server.kernels import AbandonedKernelManager

# https://www.w3.org/TR/fetch-metadata/
_OWN_SITES = {"same-origin", "none", ""}  # "none": typed, or a bookmark; "": an old browser


def is_https(request: HTTPServerRequest) -> bool:
    """Return whether the browser speaks https, to this server or to a proxy in front of it."""
    forwarded = request.headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower()
    return request.protocol == "https" or forwarded == "https"


def has_foreign_origin(request: HTTPServerRequest) -> bool:
    """Return whether a request says that a page of another origin made it."""
    origins = [
        *request.headers.get_list("Origin"),
        *request.headers.get_list("Sec-WebSocket-Origin"),
    ]
    return any(not _is_origin(origin, request.host) for origin in origins)


def _is_origin(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.netloc == host.lower()


def is_from_elsewhere(request: HTTPServerRequest) -> bool:
    """Return whether another site made the request, by a link or in any other way."""
    return request.headers.get("Sec-Fetch-Site", "").strip().lower() not in _OWN_SITES


def is_navigation(request: HTTPServerRequest) -> bool:
    """Whether a person opens a page by the request, in a tab of its own, and sends nothing."""
    headers = request.headers
    return (
        request.method in {"GET", "HEAD"}
        and headers.get("Sec-Fetch-Mode", "").lower() == "navigate"
        and headers.get("Sec-Fetch-Dest", "").lower() == "document"
        and "Sec-Purpose" not in headers  # nobody has opened it yet
    )


class Guarded(JupyterHandler):
    """A handler that answers this page's own requests only, and known visitors only.

    Attributes
    ----------
    admits_browsers
        Whether a browser that comes for the first time is given its cookie here.
    is_websocket
        Whether this is a websocket, which Jupyter refuses by its own means.
    """

    admits_browsers = False
    is_websocket = False

    async def prepare(self, **kwargs: Any) -> None:
        """Refuse who may not ask.

        Raises
        ------
        HTTPError
            403, before anything else is done.
        """
        self.current_user = self._jupyter_current_user = None
        # There is no login form to be sent to; Jupyter's class of websockets says so itself.
        kwargs = {} if self.is_websocket else {"_redirect_to_login": False, **kwargs}
        if not self.check_host() or has_foreign_origin(self.request):
            self._refuse()
        if is_from_elsewhere(self.request):
            self.visit_from_elsewhere()
        if not self._finished:
            await super().prepare(**kwargs)

    def visit_from_elsewhere(self) -> None:
        """Refuse what another site asks for."""
        self._refuse()

    def _refuse(self) -> None:
        raise HTTPError(HTTPStatus.FORBIDDEN)

    @property
    def visitor(self) -> Visitor:
        """Who asks."""
        assert isinstance(self.current_user, Visitor)  # `prepare` lets nobody else in
        return self.current_user

    @property
    def kernels(self) -> AbandonedKernelManager:
        """The kernels."""
        manager: AbandonedKernelManager = self.settings["kernel_manager"]
        return manager

    def set_cookie(self, name: str, value: str | bytes, *args: Any, **kwargs: Any) -> None:
        """Set a cookie that no other site's request brings, nor one without https behind it.

        Only the page gets it, and nothing else that a proxy has on the same host.
        """
        kwargs.update(samesite="Strict", secure=is_https(self.request), path=self.base_url)
        super().set_cookie(name, value, *args, **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:  # noqa: ARG002 - tornado's
        """End the answer with the status alone."""
        self.finish()
