"""The web server itself: Voilà with our handlers, on given sockets, with an orderly end."""

from __future__ import annotations

import asyncio
import ipaddress
import shutil
import signal
from typing import Any

import tornado.ioloop
import tornado.web
from tornado.httpserver import HTTPServer
from tornado.platform.asyncio import BaseAsyncIOLoop
from traitlets import Any as AnyTrait
from voila.app import Voila
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from llm_widgets.server import noise
from llm_widgets.server.web import (
    SECURITY_HEADERS,
    ChannelsHandler,
    HealthHandler,
    PageHandler,
    SecurityHeaders,
)

_PATIENCE = 10.0
"""Seconds that each step of the server's end is given. Cloud Run gives all of it ten."""

_OURS: dict[type, type] = {
    TornadoVoilaHandler: PageHandler,
    VoilaKernelWebsocketHandler: ChannelsHandler,
}


class Server(Voila):  # type: ignore[misc] # Voilà has no types
    """Voilà on sockets that are already bound, with our handlers and an orderly end."""

    sockets: Any = AnyTrait()
    on_ready: Any = AnyTrait()
    allowed_hosts: Any = AnyTrait()

    def init_settings(self) -> dict[str, Any]:
        """Give tornado's settings."""
        settings: dict[str, Any] = super().init_settings()
        settings["headers"] = dict(SECURITY_HEADERS)
        settings["xsrf_cookie_kwargs"] = {"samesite": "Lax"}
        settings["allow_remote_access"] = not _is_loopback(self.ip)
        settings["local_hostnames"] = ["localhost", *self.allowed_hosts]
        return settings

    def init_handlers(self) -> list[Any]:
        """Give the handlers: ours first, and our page and websocket in place of Voilà's."""
        self.app.add_transform(tornado.web.GZipContentEncoding)
        self.app.add_transform(SecurityHeaders)
        handlers = [
            (rule[0], _OURS.get(rule[1], rule[1]), *rule[2:]) for rule in super().init_handlers()
        ]
        return [(r"/healthz", HealthHandler), *handlers]

    def listen(self) -> None:
        """Answer requests until a signal comes."""
        self.ioloop = tornado.ioloop.IOLoop.current()
        assert isinstance(self.ioloop, BaseAsyncIOLoop)  # tornado has no other kind
        self.ending: asyncio.Task[None] | None = None
        # The loop's own handlers wake it up whichever thread the signal is delivered to.
        for each in (signal.SIGINT, signal.SIGTERM):
            self.ioloop.asyncio_loop.add_signal_handler(each, self._end_soon)
        server = HTTPServer(self.app)
        server.add_sockets(self.sockets)
        self.on_ready(_url(self.ip, self.port))
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
            await _for_a_while(asyncio.create_task(self.kernel_manager.settle()))
            # Whatever still runs would start another kernel, or miss the one that it uses.
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await _for_a_while(*others)
            await _for_a_while(asyncio.create_task(self.kernel_manager.shutdown_all(now=True)))
        finally:
            self.ioloop.stop()


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
    return f"http://[{shown}]:{port}/" if ":" in shown else f"http://{shown}:{port}/"
