"""What the web server answers: the page, its files, its kernel; and headers on all of it."""

from __future__ import annotations

import json
import os
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from jupyter_client.jsonutil import json_default
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, OutputTransform, RequestHandler
from voila.notebook_renderer import NotebookRenderer
from voila.utils import get_page_config

from llm_widgets.server.guard import Guarded, is_navigation
from llm_widgets.server.kernels import FullError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tornado.httputil import HTTPHeaders

    from llm_widgets.server.kernels import Arrival
    from llm_widgets.server.page_files import PageFiles

# The frame's styles stand in the page, and ipywidgets sets others on its elements. No script does,
# nothing needs eval, and nothing comes from elsewhere.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'self'"
)

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

XSRF_COOKIE = "_xsrf-llm-widgets"
"""Name of a cookie. Jupyter's own page of the same host has one of the usual name."""

RETRY_AFTER = 30
"""Seconds after which one may try again when there was no room."""

# A browser keeps a cookie for itself when another site's link leads here. Opened once more by the
# page itself, it sends the cookie.
_ONCE_MORE = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
    '<meta http-equiv="refresh" content="0"><title>Cloud Run LLM Manager</title></head>'
    "<body></body></html>"
)


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


class ToPageHandler(RequestHandler):
    """Leads to the page whoever asks for the server itself; the page refuses them by itself."""

    def get(self) -> None:
        """Send the browser on, with what it was given."""
        query = self.request.query
        self.redirect(self.settings["base_url"] + (f"?{query}" if query else ""))


class PageHandler(Guarded):
    """The page: the notebook, run by a kernel of the visitor's own."""

    admits_browsers = True
    _gone = False

    def initialize(
        self, notebook: str, title: str, files: str, configuration: Any, renderer: dict[str, Any]
    ) -> None:
        """Take what the server knows of the notebook, and where the page's files are."""
        self._notebook = notebook
        self._title = title
        self._files = files
        self._configuration = configuration
        self._renderer = renderer

    def visit_from_elsewhere(self) -> None:
        """Answer a link of another site; refuse what nobody has clicked."""
        if not is_navigation(self.request):
            super().visit_from_elsewhere()
        self.set_header("Cache-Control", "no-store")
        self.finish(_ONCE_MORE)

    def on_connection_close(self) -> None:
        """Note that the visitor did not wait."""
        self._gone = True
        self.kernels.wake()

    async def get(self, path: str = "") -> None:
        """Send the page; there is one, at the root. Files beside the notebook are not served."""
        _ = self.xsrf_token  # reading it sets the cookie, for the beacon of a closing tab
        query = parse_qsl(self.request.query, keep_blank_values=True)
        if path:
            raise HTTPError(HTTPStatus.NOT_FOUND)
        if any(name == "token" for name, _ in query):
            # It is in the cookie now; the address is for others to see.
            rest = urlencode([each for each in query if each[0] != "token"])
            self.redirect(f"{self.base_url}?{rest}" if rest else self.base_url)
            return
        try:
            arrival = await self.kernels.admit(self.visitor.key, lambda: self._gone)
        except FullError:
            self.set_header("Retry-After", str(RETRY_AFTER))
            self.set_status(HTTPStatus.SERVICE_UNAVAILABLE)
            self.write_error(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        if arrival is not None:
            await self._send_page(arrival)

    async def _send_page(self, arrival: Arrival) -> None:
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        sent = False
        try:
            await self._send(self._template("frame.html"))
            async for piece in self._pieces(arrival):
                await self._send(piece)
            sent = not self._gone
        except Exception:
            # The frame has gone out with its status: only the page itself can say it now.
            self.log.exception("The page could not be started")
            await self._send(self._template("failed.html"))
        finally:
            # One whose visitor did not wait ends after its notebook has run, not in the middle.
            if sent:
                await self.kernels.sent(arrival)
            else:
                await self.kernels.leave(arrival)

    def _template(self, name: str) -> str:
        """Fill in what is the same for every visitor."""
        text: str = (
            self.settings["voila_jinja2_env"]
            .get_template(name)
            .render(title=self._title, files=self.base_url + self._files, base_url=self.base_url)
        )
        return text

    async def _send(self, piece: str) -> None:
        """Send a piece at once: a skeleton is shown while the notebook runs."""
        if not self._gone:
            self.write(piece)
            try:
                await self.flush()
            except StreamClosedError:
                self._gone = True

    async def _pieces(self, arrival: Arrival) -> AsyncIterator[str]:
        """Run the notebook in a warm kernel, or in a new one, and yield the page in pieces."""
        kernels: Any = self.kernels
        if kernels.get_pool_size(self._notebook):
            rendering, _, kernel_id = await kernels.get_rendered_notebook(self._notebook)
            kernels.claim(arrival, kernel_id)
            ready, rest = await rendering
            for piece in ready:
                yield piece
        else:
            renderer = NotebookRenderer(
                **self._renderer,
                notebook_path=self._notebook,
                page_config=get_page_config(
                    base_url=self.base_url,
                    settings=self.settings,
                    log=self.log,
                    voila_configuration=self._configuration,
                ),
                voila_configuration=self._configuration,
                request_handler=self,
                config_manager=self.config_manager,
                contents_manager=self.contents_manager,
                kernel_spec_manager=self.kernel_spec_manager,
                base_url=self.base_url,
            )
            await renderer.initialize()
            kernel_id = await kernels.start_kernel(
                kernel_name=renderer.notebook.metadata.kernelspec.name,
                path=os.path.dirname(self._notebook),  # noqa: PTH120 - a path of Jupyter's
                env={**os.environ, "VOILA_PREHEAT": "False"},
            )
            kernels.claim(arrival, kernel_id)
            rest = renderer.generate_content_generator(kernel_id, kernels.get_kernel(kernel_id))
        async for piece, _ in rest:
            yield piece

    def write_error(self, status_code: int, **kwargs: Any) -> None:  # noqa: ARG002 - tornado's
        """Answer with a page of one sentence."""
        templates = self.settings["voila_jinja2_env"]
        template = templates.select_template([f"{status_code}.html", "error.html"])
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(
            template.render(
                status_code=int(status_code),
                status_message=HTTPStatus(status_code).phrase,
                base_url=self.base_url,
            )
        )


class FilesHandler(Guarded):
    """The files of the page. Their address changes with them: browsers keep them for good."""

    def initialize(self, files: PageFiles) -> None:
        """Take the files."""
        self._files = files

    async def get(self, name: str) -> None:
        """Send a file."""
        file = self._files.find(name)
        if file is None:
            raise HTTPError(HTTPStatus.NOT_FOUND)
        self.set_header("Content-Type", file.media_type)
        self.set_header("Cache-Control", "private, max-age=31536000, immutable")
        self.set_header("Vary", "Accept-Encoding")
        body = file.body
        if file.gzipped and "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            body = file.gzipped
        self.finish(body)

    head = get


class KernelHandler(Guarded):
    """A visitor's kernel: whether it is there, and its end."""

    def _check(self, kernel_id: str) -> None:
        if not self.kernels.is_there(kernel_id):
            raise HTTPError(HTTPStatus.NOT_FOUND)
        if not self.kernels.is_of(kernel_id, self.visitor.key):
            raise HTTPError(HTTPStatus.FORBIDDEN)

    async def get(self, kernel_id: str) -> None:
        """Answer that it is there."""
        self._check(kernel_id)
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        model = self.kernels.kernel_model(kernel_id)  # type: ignore[no-untyped-call] # it has no types
        self.finish(json.dumps(model, default=json_default))

    async def delete(self, kernel_id: str) -> None:
        """Shut it down."""
        self._check(kernel_id)
        await self.kernels.end_kernel(kernel_id)
        self.set_status(HTTPStatus.NO_CONTENT)


class LeaveHandler(Guarded):
    """Shuts a kernel down when its tab is closed; that may be said more than once."""

    async def post(self, kernel_id: str) -> None:
        """Shut it down, or do nothing if it has gone."""
        if self.kernels.is_there(kernel_id):
            if not self.kernels.is_of(kernel_id, self.visitor.key):
                raise HTTPError(HTTPStatus.FORBIDDEN)
            await self.kernels.end_kernel(kernel_id)
        self.set_status(HTTPStatus.NO_CONTENT)
