"""The shelf itself: a web server with models of some bytes."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FILES = {"model.safetensors": b"\2\0\0\0\0\0\0\0{}" * 400, "readme.txt": b"Read me."}


class ShelfServer(ThreadingHTTPServer):
    """Holds the models; ``numbers`` are their newest revisions."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.numbers = {"atlas": 1, "globe": 7}
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def model(self, name: str, number: int) -> dict[str, object]:
        files = [
            {"path": path, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for path, data in FILES.items()
        ]
        return {"name": name, "number": number, "files": files, "license": "by hand"}


class _Handler(BaseHTTPRequestHandler):
    server: ShelfServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        match self.path.strip("/").split("/"):
            case ["models"]:
                found = [self.server.model(*each) for each in self.server.numbers.items()]
                self._send(json.dumps(found).encode())
            case ["models", name, number] if name in self.server.numbers:
                wanted = self.server.numbers[name] if number == "newest" else int(number)
                self._send(json.dumps(self.server.model(name, wanted)).encode())
            case ["files", _, _, path]:
                self._send(FILES[path])
            case _:
                self._send(b"", 404)

    def _send(self, body: bytes, status: int = 200) -> None:
        asked = self.headers.get("Range", "").removeprefix("bytes=").partition("-")
        self.send_response(206 if asked[0] and status == 200 else status)
        if asked[0]:
            first, last = int(asked[0]), min(int(asked[2] or len(body)), len(body) - 1)
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(body)}")
            body = body[first : last + 1]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
