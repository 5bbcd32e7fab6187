"""What the web server adds to each answer, and the handlers of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tornado.web import OutputTransform, RequestHandler
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

if TYPE_CHECKING:
    from tornado.httputil import HTTPHeaders

# Voilà puts inline scripts and styles into the page and runs its web workers from blobs;
# anywidget imports modules from blobs. Nothing needs eval, and nothing comes from elsewhere.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' ws: wss:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'self'"
)

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class SecurityHeaders(OutputTransform):
    """Sets the security headers on every answer, also on static files and errors."""

    def transform_first_chunk(
        self,
        status_code: int,
        headers: HTTPHeaders,
        chunk: bytes,
        finishing: bool,  # noqa: ARG002, FBT001 - tornado's signature
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Add the headers before anything is sent."""
        for name, value in SECURITY_HEADERS.items():
            headers[name] = value
        del headers["Server"]
        return status_code, headers, chunk


class HealthHandler(RequestHandler):
    """Says that the server is up, to anyone."""

    def get(self) -> None:
        """Answer."""
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.write("ok")

    def head(self) -> None:
        """Answer without a body."""
        self.set_header("Cache-Control", "no-store")


class PageHandler(TornadoVoilaHandler):  # type: ignore[misc] # Voilà has no types
    """Voilà's page, with the cookie that lets a closing tab shut its kernel down."""

    async def prepare(self) -> None:
        """Refuse who may not come in, and set the cookie.

        There is no login form to be sent to. The cookie is for the beacon of a closing tab,
        which is refused without its token.
        """
        await super().prepare(_redirect_to_login=False)
        _ = self.xsrf_token  # reading it sets the cookie

    async def get(self, path: str | None = None) -> None:
        """Send the page; there is one, at the root. Files beside the notebook are not served."""
        if not self.current_user:
            self.send_error(403)
        elif path:
            self.send_error(404)
        else:
            await super().get(path)


class ChannelsHandler(VoilaKernelWebsocketHandler):  # type: ignore[misc] # as above
    """A kernel's websocket; whoever is refused is told by the status alone."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:  # noqa: ARG002 - tornado's
        """End the answer: Jupyter's page of errors needs files that this server has not."""
        self.finish()
