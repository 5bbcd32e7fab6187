"""The limit: bytes are received, hashed and sent, in as few steps as Python allows.

A verified transfer can't do less. Nothing is retried, saved or checked against the other side.
"""

from __future__ import annotations

import hashlib
import os
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llm_widgets.documents import plans
from tests.bench.usage import told_of

if TYPE_CHECKING:
    from llm_widgets.domain.imports import HubFile, ImportPlan

BLOCK = 1 << 20


def main() -> None:
    endpoint, plan_file = sys.argv[1:3]
    workers = int(os.environ.get("WORKERS", "4"))
    plan = plans.read(Path(plan_file).read_text(), bucket="bench", import_id="bench")
    waiting = list(plan.files)
    with told_of(plan):
        threads = [
            threading.Thread(target=relay_all, args=(endpoint, plan, waiting))
            for _ in range(workers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def relay_all(endpoint: str, plan: ImportPlan, waiting: list[HubFile]) -> None:
    buffer = memoryview(bytearray(BLOCK))
    while waiting:
        relay(endpoint, plan, waiting.pop(), buffer)


def relay(endpoint: str, plan: ImportPlan, file: HubFile, buffer: memoryview) -> None:
    hub, sink = urlsplit(file.url), urlsplit(endpoint)
    name = plan.object_name(file).replace("/", "%2F")
    with (
        socket.create_connection((hub.hostname or "", hub.port or 80)) as source,
        socket.create_connection((sink.hostname or "", sink.port or 80)) as target,
    ):
        path = f"/cdn/{file.digest.value}"
        source.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += source.recv(1)
        target.sendall(
            f"POST /upload/storage/v1/b/{plan.bucket}/o?uploadType=media&name={name} HTTP/1.1\r\n"
            f"Host: sink\r\nContent-Length: {file.size}\r\n\r\n".encode()
        )
        digest, left = hashlib.sha256(), file.size
        while left:
            count = source.recv_into(buffer[: min(left, BLOCK)])
            digest.update(buffer[:count])
            target.sendall(buffer[:count])
            left -= count
        assert target.recv(65536).startswith(b"HTTP/1.1 200")
        assert digest.hexdigest() == file.digest.value


if __name__ == "__main__":
    main()
