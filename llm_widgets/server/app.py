"""The web server itself: Voilà with our handlers, on given sockets, with an orderly end."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import re
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import tornado.ioloop
import tornado.web
from tornado.httpserver import HTTPServer
from tornado.platform.asyncio import BaseAsyncIOLoop
from traitlets import Any as AnyTrait
from traitlets import Unicode
from voila.app import Voila

from llm_widgets.server import noise
from llm_widgets.server.channels import ChannelsHandler, CheckedConnection
from llm_widgets.server.messages import ALLOWED, MOST_BYTES
from llm_widgets.server.page_files import PageFiles
from llm_widgets.server.web import (
    SECURITY_HEADERS,
    XSRF_COOKIE,
    FilesHandler,
    HealthHandler,
    KernelHandler,
    LeaveHandler,
    PageHandler,
    SecurityHeaders,
    ToPageHandler,
)

ANY_HOST = "*"
"""Stands for every name among the allowed hosts."""

_PATIENCE = 10.0
"""Seconds that each step of the server's end is given. Cloud Run gives all of it ten."""

_KERNEL = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"

_MOST_BODY = 64 << 10  # bytes; the page sends a form of one field
_BODY_WITHIN = 30.0  # seconds
# Seconds between two requests of a connection. Google's load balancers keep theirs for 600:
# https://cloud.google.com/load-balancing/docs/https#timeout-keepalive-backends
_NEXT_WITHIN = 620.0


class Server(Voila):  # type: ignore[misc] # Voilà has no types
    """Voilà on sockets that are already bound, with our handlers and an orderly end."""

    sockets: Any = AnyTrait()
    on_ready: Any = AnyTrait()
    allowed_hosts: Any = AnyTrait()
    page_token: str = Unicode()  # type: ignore[assignment] # a trait
    prepared: Any = AnyTrait()

    def init_settings(self) -> dict[str, Any]:
        """Return tornado's settings."""
        settings: dict[str, Any] = super().init_settings()
        self.kernel_manager.prepared = self.prepared
        self.kernel_manager.allowed_message_types = sorted(ALLOWED)
        settings["headers"] = dict(SECURITY_HEADERS)
        settings["allow_remote_access"] = ANY_HOST in self.allowed_hosts or not _is_loopback(
            self.ip
        )
        settings["local_hostnames"] = ["localhost", *self.allowed_hosts]
        settings["kernel_websocket_connection_class"] = CheckedConnection
        settings["xsrf_cookie_name"] = XSRF_COOKIE
        settings["websocket_max_message_size"] = MOST_BYTES
        settings["websocket_compression_options"] = {"compression_level": 1}
        return settings

    def init_handlers(self) -> list[Any]:
        """Return the handlers: what the page asks for, and nothing else of Voilà's or Jupyter's."""
        self.app.add_transform(tornado.web.GZipContentEncoding)
        self.app.add_transform(SecurityHeaders)
        files = PageFiles()
        page = {
            "notebook": self.notebook_path.removeprefix(self.root_dir).lstrip("/"),
            "title": _title(Path(self.notebook_path)),
            "files": files.folder,
            "configuration": self.voila_configuration,
            "renderer": {"template_paths": self.template_paths, "traitlet_config": self.config},
        }
        base = re.escape(self.base_url)
        return [
            (r"/healthz?", HealthHandler),
            (rf"{base}healthz?", HealthHandler),
            (rf"{base}api/kernels/{_KERNEL}", KernelHandler),
            (rf"{base}api/kernels/{_KERNEL}/channels", ChannelsHandler),
            (rf"{base}voila/api/shutdown/{_KERNEL}", LeaveHandler),
            (rf"{base}{files.folder}([\w.-]+)", FilesHandler, {"files": files}),
            (rf"{base}(.*)", PageHandler, page),
            (rf"(?:/|{base[:-1]})", ToPageHandler),
        ]

    def listen(self) -> None:
        """Answer requests until a signal comes."""
        self.ioloop = tornado.ioloop.IOLoop.current()
        assert isinstance(self.ioloop, BaseAsyncIOLoop)  # tornado has no other kind
        self.ending: asyncio.Task[None] | None = None
        # The loop's own handlers wake it up whichever thread the signal is delivered to.
        for each in (signal.SIGINT, signal.SIGTERM):
            self.ioloop.asyncio_loop.add_signal_handler(each, self._end_soon)
        server = HTTPServer(
            self.app,
            max_body_size=_MOST_BODY,
            body_timeout=_BODY_WITHIN,
            idle_connection_timeout=_NEXT_WITHIN,
        )
        server.add_sockets(self.sockets)
        query = f"?token={self.page_token}" if self.page_token else ""
        self.on_ready(_url(self.ip, self.port) + self.base_url + query)
        try:
            self.ioloop.start()
        finally:
            server.stop()
            shutil.rmtree(self.connection_dir, ignore_errors=True)

    def _end_soon(self) -> None:
        """Begin to end, once; further signals change nothing."""
        if self.ending is None:
            self.log.info("Stopping.")
            noise.keep_out_ends()
            self.ending = asyncio.get_running_loop().create_task(self._end())

    async def _end(self) -> None:
        """End every kernel, also those that are just being started, then the loop.

        What takes too long is not waited for: a kernel ends by itself once its server is gone.
        """
        try:
            # In this task: in another one's turn a further kernel could begin to end.
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE):
                    await self.kernel_manager.settle()
            # Whatever still runs would start another kernel, or miss the one that it uses.
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await _for_a_while(*others)
            await _for_a_while(asyncio.create_task(self.kernel_manager.shutdown_all(now=True)))
        finally:
            self.ioloop.stop()


def _title(notebook: Path) -> str:
    """Return the title that a notebook's metadata gives it, or its name."""
    metadata = json.loads(notebook.read_text("utf-8")).get("metadata", {})
    return str(metadata.get("title", notebook.stem))


async def _for_a_while(*tasks: asyncio.Task[Any]) -> None:
    """Wait for tasks, but not for one that can't be ended."""
    if tasks:
        await asyncio.wait(tasks, timeout=_PATIENCE)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _url(host: str, port: int) -> str:
    shown = "127.0.0.1" if host in {"", "0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
