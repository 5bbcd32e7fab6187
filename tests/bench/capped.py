"""A hub whose connections are slow, each at a rate of its own, as those of a content network are.

The file is one block of random bytes, repeated: it may be larger than the memory. Prints its
digest, then serves it at ``/file``, behind a redirect to another host name.

    python -m tests.bench.capped --port 18090 --size BYTES --rates 68e6:0.3,8.7e6:0.7
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import re
import socket
import threading
import time
from urllib.parse import urlsplit

PERIOD = 64 << 20
STEP = 0.02  # seconds between two blocks of a slow connection


class Capped:
    """The file, and the rates that connections draw."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.size = options.size
        self.port = options.port
        self.delay = options.delay
        self.files = options.files
        self.block = memoryview(random.Random(options.seed).randbytes(PERIOD))
        pairs = [pair.split(":") for pair in options.rates.split(",")]
        self._rates = [float(rate) for rate, _ in pairs]
        self._weights = [float(weight) for _, weight in pairs]
        self._random = random.Random(options.seed)
        self._total = options.total
        self._lock = threading.Lock()
        self._due = time.monotonic()

    def digest(self) -> str:
        found = hashlib.sha256()
        left = self.size
        while left:
            found.update(self.block[: min(left, PERIOD)])
            left -= min(left, PERIOD)
        return found.hexdigest()

    def draw(self) -> float:
        return self._random.choices(self._rates, self._weights)[0]

    def pace(self, count: int) -> None:
        """Wait until all connections together may send so many bytes more."""
        if self._total:
            with self._lock:
                self._due = max(self._due, time.monotonic() - 0.05) + count / self._total
                wait = self._due - time.monotonic()
            time.sleep(max(0.0, wait))

    def serve(self, sock: socket.socket) -> None:
        rate = self.draw()
        rest = b""
        while True:
            while b"\r\n\r\n" not in rest:
                more = sock.recv(65536)
                if not more:
                    return
                rest += more
            head, _, rest = rest.partition(b"\r\n\r\n")
            time.sleep(self.delay)
            self.answer(sock, head.decode(), rate)

    def answer(self, sock: socket.socket, head: str, rate: float) -> None:
        path = urlsplit(head.split(" ", 2)[1]).path
        if path.startswith("/file"):
            target = f"http://localhost:{self.port}/bytes?signature=abc"
            size = f"X-Linked-Size: {self.size}"
            sock.sendall(
                f"HTTP/1.1 302 -\r\nLocation: {target}\r\n{size}\r\n"
                "Content-Length: 0\r\n\r\n".encode()
            )
            return
        wanted = re.search(r"(?i)\r\nrange: bytes=(\d+)-(\d+)", head)
        first, last = (int(wanted[1]), int(wanted[2])) if wanted else (0, self.size - 1)
        span = f"Content-Range: bytes {first}-{last}/{self.size}\r\n" if wanted else ""
        status = 206 if wanted else 200
        length = last - first + 1
        sock.sendall(f"HTTP/1.1 {status} -\r\nContent-Length: {length}\r\n{span}\r\n".encode())
        begun, sent = time.monotonic(), 0
        step = max(1 << 16, min(1 << 20, int(rate * STEP)))
        while sent < length:
            at = (first + sent) % PERIOD
            count = min(step, length - sent, PERIOD - at)
            sock.sendall(self.block[at : at + count])
            sent += count
            self.pace(count)
            ahead = begun + sent / rate - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)


def _serve(capped: Capped, sock: socket.socket) -> None:
    with sock:
        try:
            capped.serve(sock)
        except OSError:
            return


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--size", type=int, required=True, help="bytes of the file")
    parser.add_argument("--rates", default="1e12:1", help="bytes/s of a connection, with weights")
    parser.add_argument("--total", type=float, default=0, help="bytes/s of all connections")
    parser.add_argument("--delay", type=float, default=0, help="seconds before the first byte")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--files", type=int, default=1)
    capped = Capped(parser.parse_args())
    print(capped.digest(), flush=True)
    listener = socket.create_server(("127.0.0.1", capped.port), backlog=512)
    print(f"ready {os.getpid()}", flush=True)
    while True:
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_serve, args=(capped, sock), daemon=True).start()


if __name__ == "__main__":
    main()
