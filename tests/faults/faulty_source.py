"""A hub of files that fails on purpose: over real sockets, in the ways that real ones do."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from llm_widgets.domain.imports import Digest, DigestKind, HubFile

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK = 64 * 1024
MODEL = "acme/llm"
SHA = "0" * 39 + "1"
BELOW = f"/{MODEL}/resolve/{SHA}/"


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one answer; by default nothing.

    ``status`` with ``headers`` refuses. ``reset``, ``truncate`` and ``stall`` happen after so
    many bytes; ``corrupt`` changes one byte; ``whole`` ignores the range; ``shift`` answers with
    another range than was asked for.
    """

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    reset: int | None = None
    truncate: int | None = None
    stall: int | None = None
    corrupt: bool = False
    whole: bool = False
    shift: int = 0


@dataclass(frozen=True)
class Request:
    """A request for bytes as it came in."""

    host: str
    path: str
    first: int
    last: int
    authorization: str


class FaultySource:
    """Serves files where Hugging Face has those of one model.

    It redirects to ``/signed/…`` on another host name.

    Attributes
    ----------
    plan
        Called with the number of the request for bytes (from 0) and the request.
    rate
        Bytes a second for each connection, 0 for no limit; or a function that draws it when a
        connection is made.
    signed_seconds
        How long a signed URL is good for.
    token
        Without it the hub refuses, when it is not empty.
    """

    def __init__(self, files: dict[str, bytes], *, signed: bool = True) -> None:
        self.files = files
        self.signed = signed
        self.plan: Callable[[int, Request], Fault] = lambda number, request: Fault()  # noqa: ARG005
        self.rate: float | Callable[[], float] = 0.0
        self.signed_seconds = 3600.0
        self.token = ""
        self.delay = 0.0
        self.requests: list[Request] = []
        self.hub_requests = 0
        self.connections = 0
        self.sent = 0
        self._lock = threading.Lock()
        source = self

        class Handler(_Handler):
            owner = source

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def hub(self) -> str:
        """Base URL of the hub; signed URLs name another host."""
        return f"http://127.0.0.1:{self.port}"

    def hub_file(self, name: str, *, kind: DigestKind = DigestKind.SHA256) -> HubFile:
        content = self.files[name]
        data = content
        if kind is DigestKind.GIT_SHA1:
            value = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        else:
            value = hashlib.sha256(data).hexdigest()
        return HubFile(name, len(content), Digest(kind, value), url=f"{self.hub}{BELOW}{name}")

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def begun(self, name: str, part_size: int) -> list[int]:
        """Tell at which parts of a file's bytes somebody has begun to read, how often he did."""
        return sorted(
            request.first
            for request in self.requests
            if request.path == name and request.first % part_size == 0
        )

    def note(self, request: Request) -> int:
        with self._lock:
            self.requests.append(request)
            return len(self.requests) - 1

    def count(self, sent: int) -> None:
        with self._lock:
            self.sent += sent


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64  # all workers of several tasks connect at once


class _Handler(BaseHTTPRequestHandler):
    owner: FaultySource
    protocol_version = "HTTP/1.1"
    wbufsize = 0

    def setup(self) -> None:
        super().setup()
        self.owner.connections += 1
        rate = self.owner.rate
        self.bytes_per_second = rate() if callable(rate) else rate

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if self.owner.delay:
            time.sleep(self.owner.delay)
        if url.path.startswith(BELOW):
            self._hub(url.path.removeprefix(BELOW))
        elif float(parse_qs(url.query)["until"][0]) < time.time():
            self._refuse(403, {})
        else:
            self._bytes(url.path.removeprefix("/signed/"))

    def _hub(self, name: str) -> None:
        self.owner.hub_requests += 1
        if self.owner.token and self.headers["Authorization"] != f"Bearer {self.owner.token}":
            self._refuse(401, {"X-Error-Message": "Access to this model is restricted."})
        elif name not in self.owner.files:
            self._refuse(404, {})
        elif not self.owner.signed:
            self._bytes(name)
        else:
            until = time.time() + self.owner.signed_seconds
            target = f"http://localhost:{self.owner.port}/signed/{name}?until={until}"
            self._refuse(302, {"Location": target})

    def _refuse(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {"Content-Length": "0", **headers}.items():
            self.send_header(key, value)
        self.end_headers()

    def _bytes(self, name: str) -> None:
        content = self.owner.files[name]
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        first, last = (int(wanted[1]), int(wanted[2])) if wanted else (0, len(content) - 1)
        host = self.headers["Host"].partition(":")[0]
        request = Request(host, name, first, last, self.headers.get("Authorization", ""))
        fault = self.owner.plan(self.owner.note(request), request)
        if fault.status:
            self._refuse(fault.status, fault.headers)
            return
        first, last = first + fault.shift, last + fault.shift
        if fault.whole or not wanted:
            first, last = 0, len(content) - 1
        body = bytearray(content[first : last + 1])
        if fault.corrupt:
            body[len(body) // 2] ^= 1
        self.send_response(200 if fault.whole or not wanted else 206)
        self.send_header("Content-Length", str(len(body)))
        if wanted and not fault.whole:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.end_headers()
        try:
            self._send(memoryview(body), fault)
        except OSError:
            self.close_connection = True

    def _send(self, body: memoryview, fault: Fault) -> None:
        begun = time.monotonic()
        sent = 0
        while sent < len(body):
            for at, act in (
                (fault.reset, "reset"),
                (fault.truncate, "cut"),
                (fault.stall, "stall"),
            ):
                if at is not None and sent >= at:
                    self._break(act)
                    return
            block = body[sent : sent + BLOCK]
            self.connection.sendall(block)
            sent += len(block)
            self.owner.count(len(block))
            if self.bytes_per_second:
                ahead = begun + sent / self.bytes_per_second - time.monotonic()
                if ahead > 0:
                    time.sleep(ahead)

    def _break(self, act: str) -> None:
        self.close_connection = True
        if act == "reset":
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            os.close(self.connection.detach())  # at once, before a polite end is sent
        elif act == "stall":
            time.sleep(20)
