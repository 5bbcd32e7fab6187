"""A browser without a screen: cookies, requests byte for byte, websockets."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import socket
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")
FRAMES = "v1.kernel.websocket.jupyter.org"
FORM = "application/x-www-form-urlencoded"
NO_KERNEL = "00000000-0000-0000-0000-000000000000"
PATIENCE = 90
"""Seconds for one answer on a busy machine."""


def in_a_thread(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a thread: Playwright leaves a running loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


@dataclass
class Answer:
    """An answer: status, headers, body."""

    status: int
    headers: http.client.HTTPMessage
    body: str

    @property
    def kernel(self) -> str:
        """Id of the page's kernel; empty if this is not the page."""
        found = re.search(r'"kernelId": "([0-9a-f-]{36})"', self.body)
        return found[1] if found else ""


@dataclass
class Browser:
    """Who visits a server, with the cookies of its answers."""

    url: str
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """Host and port of the server."""
        return urlsplit(self.url).netloc

    def ask(self, path: str = "/", method: str = "GET", body: str = "", **headers: str) -> Answer:
        """Ask for a path as it stands; underscores of the headers' names are dashes."""
        connection = self._begin(path, method, body, **headers)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        for line in answer.headers.get_all("Set-Cookie", []):
            self.cookies.update({name: each.value for name, each in SimpleCookie(line).items()})
        connection.close()
        return Answer(answer.status, answer.headers, text)

    def _begin(
        self, path: str, method: str, body: str, **headers: str
    ) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self.host, timeout=PATIENCE)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["Cookie"] = self.cookie
        connection.putrequest(method, path, skip_host="Host" in sent, skip_accept_encoding=True)
        for name, value in sent.items():
            connection.putheader(name, value.encode("utf-8"))
        if body:
            connection.putheader("Content-Length", str(len(body.encode())))
        connection.endheaders(body.encode() or None)
        return connection

    def send(
        self,
        *lines: str | bytes,
        body: bytes = b"",
        closes: bool = False,
        seen: Callable[[bytes], object] = len,
    ) -> bytes:
        """Send a request byte for byte, and return what comes back until the connection ends.

        Parameters
        ----------
        lines
            Its first line and its header fields; text is sent as Latin-1.
        body
            What follows them.
        closes
            Whether nothing more is sent, which ends a websocket, too.
        seen
            Called with all that has come, whenever more has.
        """
        host, _, port = self.host.partition(":")
        head = [each.encode("latin-1") if isinstance(each, str) else each for each in lines]
        answer = b""
        connection = socket.create_connection((host, int(port)), timeout=PATIENCE)
        # It may be refused before all of it is sent, and cut off then.
        with connection, suppress(ConnectionError):
            connection.sendall(b"\r\n".join([*head, b"", b""]) + body)
            if closes:
                connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(1 << 16):
                answer += piece
                seen(answer)
        return answer

    @property
    def cookie(self) -> str:
        """The header of the cookies."""
        return "; ".join(f'{name}="{value}"' for name, value in self.cookies.items())

    def come_in(self) -> Answer:
        """Open the address that the server printed, and what it leads to."""
        parts = urlsplit(self.url)
        answer = self.ask(f"{parts.path}?{parts.query}" if parts.query else parts.path)
        return self.ask(answer.headers["Location"]) if answer.status == 302 else answer

    def leave(self, kernel: str) -> Answer:
        """Say that a tab was closed."""
        path, form = (
            f"/voila/api/shutdown/{kernel}",
            f"_xsrf={self.cookies.get('_xsrf-llm-widgets', '')}",
        )
        return self.ask(path, "POST", form, Content_Type=FORM)

    def begin_to_leave(self, kernel: str) -> closing[http.client.HTTPConnection]:
        """Say that a tab was closed, and don't wait for the answer."""
        path, form = (
            f"/voila/api/shutdown/{kernel}",
            f"_xsrf={self.cookies.get('_xsrf-llm-widgets', '')}",
        )
        return closing(self._begin(path, "POST", form, Content_Type=FORM))

    async def join(
        self, kernel: str, protocol: str | None = FRAMES, **headers: str
    ) -> WebSocketClientConnection:
        """Open a kernel's websocket."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["Cookie"] = self.cookie
        where = f"ws://{self.host}/api/kernels/{kernel}/channels?session_id={uuid.uuid4()}"
        return await websocket_connect(
            HTTPRequest(where, headers=sent, request_timeout=PATIENCE),
            subprotocols=[protocol] if protocol else None,
        )

    def knock(self, kernel: str, **headers: str) -> int:
        """Return the status of an attempt to join a kernel: 101 if it is joined."""

        async def attempt() -> int:
            try:
                (await self.join(kernel, **headers)).close()
            except HTTPClientError as error:
                return error.code
            return 101

        return in_a_thread(attempt())


def message(kind: str, content: Any = None, **header: Any) -> dict[str, Any]:
    """Return a message as a front end makes it."""
    return {
        "header": {
            "msg_id": uuid.uuid4().hex,
            "username": "x",
            "session": uuid.uuid4().hex,
            "msg_type": kind,
            "version": "5.3",
            "date": "2026-01-01T00:00:00Z",
            **header,
        },
        "parent_header": {},
        "metadata": {},
        "content": {} if content is None else content,
    }


def frames(channel: str, said: dict[str, Any], *buffers: bytes) -> bytes:
    """Return a message in the binary sub-protocol."""
    names = ("header", "parent_header", "metadata", "content")
    parts = [channel.encode(), *(json.dumps(said[name]).encode() for name in names), *buffers]
    offsets = [8 * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    numbers = [len(offsets), *offsets]
    return b"".join([*(number.to_bytes(8, "little") for number in numbers), *parts])


def text(channel: str, said: dict[str, Any]) -> str:
    """Return a message in the text form."""
    return json.dumps({**said, "channel": channel, "buffers": []})


async def answer_to(socket: WebSocketClientConnection, msg_id: str) -> dict[str, Any]:
    """Wait for the first message in the text form that answers another one."""
    while True:
        said = await asyncio.wait_for(socket.read_message(), PATIENCE)
        assert said is not None
        read: dict[str, Any] = json.loads(said)
        if read["parent_header"].get("msg_id") == msg_id:
            return read


def with_page(browser: Browser, use: Callable[[str], Coroutine[Any, Any, None]]) -> None:
    """Open the page, use its kernel, and leave it."""
    kernel = browser.come_in().kernel
    assert kernel
    try:
        in_a_thread(use(kernel))
    finally:
        browser.leave(kernel)
