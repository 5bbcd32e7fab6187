"""A stand-in for Cloud Storage that is faster than what is measured: it checks bytes, keeps none.

Of every object it keeps size and CRC-32C, computed from the bytes that came in and compared with
what the client declared; only small objects keep their content. It speaks what the candidates
use: uploads in one request, resumable and multipart (XML), compose, and reading of metadata.

    python -m tests.bench.sink --port 19080 [--rate BYTES/S of a connection] [--rtt SECONDS]
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import itertools
import json
import re
import socket
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from llm_widgets.transfer import crc

BLOCK = 1 << 20
KEPT = 4 << 20  # bytes of the largest object whose content is kept


@dataclass
class Bytes:
    """What came in: size, CRC-32C and, where asked for, MD5 and the bytes themselves."""

    size: int = 0
    crc: int = 0
    md5: Any = None
    content: bytearray | None = field(default_factory=bytearray)

    def add(self, block: memoryview) -> None:
        data = bytes(block)
        self.size += len(data)
        self.crc = crc.extend(self.crc, data)
        if self.md5:
            self.md5.update(data)
        if self.content is not None:
            self.content += data
            if self.size > KEPT:
                self.content = None


@dataclass
class Upload:
    """An upload that is not finished: resumable, or of several parts."""

    bucket: str
    name: str
    body: Bytes = field(default_factory=Bytes)
    parts: dict[int, tuple[int, int]] = field(default_factory=dict)


@dataclass
class Request:
    """The head of a request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]


class Refused(Exception):  # noqa: N818 - an answer
    """An answer that is no success."""

    def __init__(self, status: int, body: Any = b"", **headers: str) -> None:
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers


class Sink:
    """The objects, and the answers to requests about them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.contents: dict[tuple[str, str], bytes] = {}
        self.uploads: dict[str, Upload] = {}
        self.bytes = 0
        self._ids = itertools.count(1)

    def answer(self, request: Request, line: Line) -> tuple[int, Any, dict[str, str]]:
        for pattern, handler in ROUTES:
            if found := re.fullmatch(pattern, request.path):
                parts = [unquote(part or "") for part in found.groups()]
                answered: tuple[int, Any, dict[str, str]] = handler(self, request, line, *parts)
                return answered
        raise Refused(404)

    def put(self, bucket: str, name: str, body: Bytes, **extra: Any) -> dict[str, Any]:
        with self.lock:
            generation = str(1_700_000_000_000_000 + next(self._ids))
            resource = {
                "kind": "storage#object",
                "id": f"{bucket}/{name}/{generation}",
                "name": name,
                "bucket": bucket,
                "generation": generation,
                "metageneration": "1",
                "size": str(body.size),
                "crc32c": crc.text(body.crc),
                "etag": generation,
                "contentType": "application/octet-stream",
                "storageClass": "STANDARD",
                "timeCreated": "2026-01-01T00:00:00.000Z",
                "updated": "2026-01-01T00:00:00.000Z",
                **extra,
            }
            if body.md5:
                resource["md5Hash"] = base64.b64encode(body.md5.digest()).decode()
            self.objects[bucket, name] = resource
            self.contents.pop((bucket, name), None)
            if body.content is not None:
                self.contents[bucket, name] = bytes(body.content)
        return resource

    def check_generation(self, request: Request, bucket: str, name: str) -> None:
        wanted = request.query.get("ifGenerationMatch")
        found = self.objects.get((bucket, name), {"generation": "0"})["generation"]
        if wanted is not None and wanted != found:
            raise Refused(412, {"error": {"code": 412, "message": "conditionNotMet"}})

    # -- JSON API ----------------------------------------------------------------------------

    def upload(self, request: Request, line: Line, bucket: str) -> tuple[int, Any, dict[str, str]]:
        if "upload_id" in request.query:
            return self.chunk(request, line)
        kind = request.query.get("uploadType")
        if kind == "multipart":
            return self.upload_in_one(request, line, bucket)
        if kind == "resumable":
            told = json.loads(line.body(request).content or b"{}")
            name = request.query.get("name") or told["name"]
            self.check_generation(request, bucket, name)
            key = f"r{next(self._ids)}"
            self.uploads[key] = Upload(bucket, name, line.empty(request))
            base = f"http://{request.headers['host']}{request.path}"
            return 200, b"", {"Location": f"{base}?uploadType=resumable&upload_id={key}"}
        name = request.query["name"]
        return 200, self.put(bucket, name, line.body(request)), {}

    def upload_in_one(
        self, request: Request, line: Line, bucket: str
    ) -> tuple[int, Any, dict[str, str]]:
        raw = bytes(line.body(request).content or b"")
        found = re.search(r"boundary=\"?'?([^\";']+)", request.headers["content-type"])
        assert found
        _, head, rest = raw.split(b"--" + found[1].encode(), 2)
        told = json.loads(re.split(rb"\r?\n\r?\n", head, maxsplit=1)[1])
        data = re.split(rb"\r?\n\r?\n", rest[: rest.rfind(b"--" + found[1].encode())], maxsplit=1)[
            1
        ]
        data = data.removesuffix(b"\n").removesuffix(b"\r")
        name = request.query.get("name") or told["name"]
        self.check_generation(request, bucket, name)
        body = line.empty(request)
        body.add(memoryview(data))
        return 200, self.put(bucket, name, body), {}

    def chunk(self, request: Request, line: Line) -> tuple[int, Any, dict[str, str]]:
        upload = self.uploads[request.query["upload_id"]]
        span = re.fullmatch(
            r"bytes (?:\d+-\d+|\*)/(\d+|\*)", request.headers.get("content-range", "")
        )
        line.body(request, upload.body)
        if span and (span[1] == "*" or upload.body.size < int(span[1])):
            return 308, b"", {"Range": f"bytes=0-{upload.body.size - 1}"}
        return 200, self.put(upload.bucket, upload.name, upload.body), {}

    def compose(
        self, request: Request, line: Line, bucket: str, name: str
    ) -> tuple[int, Any, dict[str, str]]:
        told = json.loads(line.body(request).content or b"{}")
        sources = [self.objects[bucket, source["name"]] for source in told["sourceObjects"]]
        pairs = [(_crc(s["crc32c"]), int(s["size"])) for s in sources]
        whole = Bytes(sum(size for _, size in pairs), crc.combine_all(pairs), content=None)
        return 200, self.put(bucket, name, whole, componentCount=len(pairs)), {}

    def object(
        self, request: Request, line: Line, bucket: str, name: str
    ) -> tuple[int, Any, dict[str, str]]:
        line.body(request)
        found = self.objects.get((bucket, name))
        if not found:
            raise Refused(404, {"error": {"code": 404, "message": f"No such object: {name}"}})
        if request.method == "DELETE":
            with self.lock:
                self.objects.pop((bucket, name), None)
            return 204, b"", {}
        if request.query.get("alt") == "media":
            headers = {
                "X-Goog-Generation": found["generation"],
                "X-Goog-Hash": f"crc32c={found['crc32c']}",
            }
            return 200, self.contents[bucket, name], headers
        return 200, found, {}

    def list(self, request: Request, line: Line, bucket: str) -> tuple[int, Any, dict[str, str]]:
        line.body(request)
        prefix = request.query.get("prefix", "")
        found = [
            resource
            for (where, name), resource in sorted(self.objects.items())
            if where == bucket and name.startswith(prefix)
        ]
        return 200, {"kind": "storage#objects", "items": found}, {}

    def bucket(self, request: Request, line: Line, bucket: str) -> tuple[int, Any, dict[str, str]]:
        line.body(request)
        resource = {
            "kind": "storage#bucket",
            "id": bucket,
            "name": bucket,
            "location": "EUROPE-WEST1",
            "locationType": "region",
            "storageClass": "STANDARD",
            "metageneration": "1",
            "softDeletePolicy": {"retentionDurationSeconds": "0"},
        }
        return 200, resource, {}

    # -- XML API -----------------------------------------------------------------------------

    def xml(
        self, request: Request, line: Line, bucket: str, name: str
    ) -> tuple[int, Any, dict[str, str]]:
        if request.method == "POST" and "uploads" in request.query:
            line.body(request)
            key = f"x{next(self._ids)}"
            self.uploads[key] = Upload(bucket, name)
            return 200, f"<R><UploadId>{key}</UploadId></R>".encode(), {}
        key = request.query.get("uploadId", "")
        upload = self.uploads.get(key)
        if not upload:
            line.body(request)
            raise Refused(404, b"<Error><Code>NoSuchUpload</Code></Error>")
        return XML[request.method](self, request, line, key, upload)

    def xml_part(
        self, request: Request, line: Line, _key: str, upload: Upload
    ) -> tuple[int, Any, dict[str, str]]:
        body = line.body(request, Bytes(content=None))
        checksum = f"crc32c={crc.text(body.crc)}"
        if request.headers.get("x-goog-hash", checksum) != checksum:
            raise Refused(400, b"<Error><Code>BadDigest</Code></Error>")
        with self.lock:
            upload.parts[int(request.query["partNumber"])] = (body.crc, body.size)
        return 200, b"", {"ETag": f'"{body.crc:08x}"', "x-goog-hash": checksum}

    def xml_list(
        self, request: Request, line: Line, _key: str, upload: Upload
    ) -> tuple[int, Any, dict[str, str]]:
        line.body(request)
        first = int(request.query.get("part-number-marker", 0))
        numbers = [number for number in sorted(upload.parts) if number > first][:1000]
        more = bool(numbers) and max(upload.parts) > numbers[-1]
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{number}</ETag>"
            f"<Size>{upload.parts[number][1]}</Size></Part>"
            for number in numbers
        )
        return 200, f"<R>{parts}<IsTruncated>{str(more).lower()}</IsTruncated></R>".encode(), {}

    def xml_complete(
        self, request: Request, line: Line, key: str, upload: Upload
    ) -> tuple[int, Any, dict[str, str]]:
        text = bytes(line.body(request).content or b"").decode()
        pairs = [upload.parts[int(n)] for n in re.findall(r"<PartNumber>(\d+)<", text)]
        whole = Bytes(sum(size for _, size in pairs), crc.combine_all(pairs), content=None)
        self.put(upload.bucket, upload.name, whole)
        del self.uploads[key]
        return 200, b"<R/>", {}

    def xml_abort(
        self, request: Request, line: Line, key: str, _upload: Upload
    ) -> tuple[int, Any, dict[str, str]]:
        line.body(request)
        self.uploads.pop(key, None)
        return 204, b"", {}

    # -- for the benchmarks ------------------------------------------------------------------

    def state(self, request: Request, line: Line) -> tuple[int, Any, dict[str, str]]:
        line.body(request)
        if request.method == "DELETE":
            with self.lock:
                self.objects.clear()
                self.contents.clear()
                self.uploads.clear()
                self.bytes = 0
        found = {f"{b}/{n}": [int(o["size"]), o["crc32c"]] for (b, n), o in self.objects.items()}
        return 200, {"objects": found, "uploads": len(self.uploads), "bytes": self.bytes}, {}


XML = {
    "PUT": Sink.xml_part,
    "GET": Sink.xml_list,
    "POST": Sink.xml_complete,
    "DELETE": Sink.xml_abort,
}
ROUTES: list[tuple[str, Any]] = [
    (r"/_state", Sink.state),
    (r"/(?:resumable/)?upload/storage/v1/b/([^/]+)/o", Sink.upload),
    (r"/storage/v1/b/([^/]+)/o/([^/]+)/compose", Sink.compose),
    (r"/(?:download/)?storage/v1/b/([^/]+)/o/([^/]+)", Sink.object),
    (r"/storage/v1/b/([^/]+)/o", Sink.list),
    (r"/storage/v1/b/([^/]+)(?:/storageLayout)?", Sink.bucket),
    (r"/([^/]+)/(.+)", Sink.xml),
]


class Line:
    """One connection: requests are read from it, and answered."""

    def __init__(self, sock: socket.socket, sink: Sink, rate: float, rtt: float) -> None:
        self.sock, self.sink, self.rate, self.rtt = sock, sink, rate, rtt
        self.buffer = memoryview(bytearray(BLOCK))
        self.rest = b""

    def serve(self) -> None:
        while request := self.head():
            try:
                status, body, headers = self.sink.answer(request, self)
            except Refused as refused:
                status, body, headers = refused.status, refused.body, refused.headers
            if not isinstance(body, bytes):
                body = json.dumps(body).encode()
                headers = {**headers, "Content-Type": "application/json"}
            time.sleep(self.rtt)
            lines = [f"HTTP/1.1 {status} -", f"Content-Length: {len(body)}"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            self.sock.sendall("\r\n".join([*lines, "", ""]).encode() + body)

    def head(self) -> Request | None:
        while b"\r\n\r\n" not in self.rest:
            more = self.sock.recv(65536)
            if not more:
                return None
            self.rest += more
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        url = urlsplit(target)
        headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines)}
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        return Request(method, url.path, query, headers)

    def empty(self, request: Request) -> Bytes:
        """Return a body to fill; gcloud insists on an MD5, as Cloud Storage would give it."""
        is_gcloud = "google-cloud-sdk" in request.headers.get("user-agent", "")
        return Bytes(md5=hashlib.md5() if is_gcloud else None)

    def body(self, request: Request, into: Bytes | None = None) -> Bytes:
        body = into or self.empty(request)
        started, before = time.monotonic(), body.size
        if request.headers.get("expect", "").lower() == "100-continue":
            self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "chunked" in request.headers.get("transfer-encoding", ""):
            while length := int(self.line(), 16):
                self.take(length, body, started, before)
                self.line()
            self.line()
        else:
            self.take(int(request.headers.get("content-length", 0)), body, started, before)
        return body

    def line(self) -> bytes:
        while b"\r\n" not in self.rest:
            self.rest += self.sock.recv(65536)
        line, _, self.rest = self.rest.partition(b"\r\n")
        return line

    def take(self, length: int, body: Bytes, started: float, before: int) -> None:
        first, self.rest = self.rest[:length], self.rest[length:]
        if first:
            body.add(memoryview(first))
            self.sink.bytes += len(first)
        left = length - len(first)
        while left:
            count = self.sock.recv_into(self.buffer[: min(left, BLOCK)])
            if not count:
                raise ConnectionError
            body.add(self.buffer[:count])
            left -= count
            self.sink.bytes += count  # a part that breaks off has been sent too
            if self.rate:
                ahead = started + (body.size - before) / self.rate - time.monotonic()
                if ahead > 0.002:
                    time.sleep(ahead)


def _crc(text: str) -> int:
    return int.from_bytes(base64.b64decode(text), "big")


def _serve(line: Line) -> None:
    with line.sock:
        try:
            line.serve()
        except OSError:
            return


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=19080)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--rtt", type=float, default=0)
    options = parser.parse_args()
    sys.setswitchinterval(0.001)
    sink = Sink()
    listener = socket.create_server(("127.0.0.1", options.port), backlog=512)
    print("ready", flush=True)
    while True:
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = Line(sock, sink, options.rate, options.rtt)
        threading.Thread(target=_serve, args=(line,), daemon=True).start()


if __name__ == "__main__":
    main()
