"""Identity-Aware Proxy: forwards requests and websockets with an assertion of who asks."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.auth import crypt, jwt

from llm_widgets.server.iap import ISSUER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AUDIENCE = "/projects/1/locations/europe-west1/services/manager"
HEADER = "X-Goog-IAP-JWT-Assertion"
KEYS = "/keys"
_END = b"\r\n\r\n"


class Proxy:
    """A proxy with a key of its own, which it publishes as Google does.

    Attributes
    ----------
    url
        Its address: ``KEYS`` there, and everything else from the server behind it.
    keys
        Its public key, as it is published.
    server
        Port of the server behind it; what comes before it is known finds nobody.
    """

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self._signer = crypt.EsSigner.from_string(secret, key_id="k1")
        self.keys = {"k1": public.decode()}
        self._published = json.dumps(self.keys).encode()
        self.url = ""
        self.server = 0

    def assertion(self, **changes: Any) -> str:
        """Say who asks, signed; with other claims if they are given."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "email": "ada@example.com",
            "iat": now,
            "exp": now + 600,
            **changes,
        }
        return str(jwt.encode(self._signer, claims), "ascii")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of a visitor."""
        with closing(writer), suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(_END)
            if head.startswith(f"GET {KEYS} ".encode()):
                length = f"Content-Length: {len(self._published)}"
                writer.write(f"HTTP/1.1 200 OK\r\n{length}\r\n\r\n".encode() + self._published)
                await writer.drain()
                return
            behind, to_server = await asyncio.open_connection("127.0.0.1", self.server)
            back = asyncio.ensure_future(_pass_on(behind, writer))
            with closing(to_server):
                while not back.done():
                    line, _, fields = head.partition(b"\r\n")
                    added = f"{HEADER}: {self.assertion()}".encode()
                    to_server.write(b"\r\n".join((line, added, fields)))
                    if b"upgrade: websocket" in head.lower():
                        await _pass_on(reader, to_server)
                        return
                    head = await reader.readuntil(_END)
                await back


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on until there are no more."""
    with suppress(ConnectionError):
        while piece := await reader.read(1 << 16):
            writer.write(piece)
            await writer.drain()
        writer.close()


@contextmanager
def running_proxy() -> Iterator[Proxy]:
    """Run a proxy; requests with bodies are not for it, as the page sends none."""
    proxy, ready = Proxy(), threading.Event()
    stop: list[Callable[[], object]] = []

    async def run() -> None:
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
        proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        stop.append(lambda: loop.call_soon_threadsafe(ended.set))
        ready.set()
        await ended.wait()
        server.close()

    # In a thread of its own: Playwright has a loop in this one.
    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    ready.wait()
    try:
        yield proxy
    finally:
        stop[0]()
        thread.join()
