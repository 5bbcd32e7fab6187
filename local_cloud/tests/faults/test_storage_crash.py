"""Cloud Storage after its process was killed with -9: nothing half done is to be seen."""

from __future__ import annotations

import base64
import http.client
import os
import random
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import google_crc32c
import pytest
import requests
from google.auth.transport.requests import Request
from google.oauth2 import service_account

from local_cloud.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1 << 20
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
BUCKET = "crash-bucket"


def crc32c(data: bytes) -> str:
    return base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()


class Server:
    """The local cloud as a process of its own."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.start()
        key = service_account.Credentials.from_service_account_file(
            str(data / "credentials.json"), scopes=SCOPES
        )
        key.refresh(Request())
        self.headers = {"Authorization": f"Bearer {key.token}"}

    def start(self) -> None:
        command = ["-m", "local_cloud", "--offline", "--until-eof", "--data"]
        self.process = subprocess.Popen(
            [sys.executable, *command, str(self.data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        lines = iter(self.process.stdout.readline, "ready\n")
        found = re.search(r"at (http://\S+)", "".join(lines))
        assert found
        self.url = found[1]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=60)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        url = path if path.startswith("http") else self.url + path
        return requests.request(
            method, url, headers=headers, timeout=30, allow_redirects=False, **options
        )

    def stored(self) -> int:
        """Return how many bytes unfinished uploads have on the disk."""
        files = (self.data / "uploads").rglob("*")
        return sum(path.stat().st_size for path in files if path.is_file())

    def send_half(
        self, path: str, headers: dict[str, str], body: bytes, length: int, stored: int
    ) -> None:
        """Send the start of a body that is announced as longer, until so much is on the disk."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        connection.putrequest("PUT", path)
        for key, value in {**self.headers, **headers, "Content-Length": str(length)}.items():
            connection.putheader(key, value)
        connection.endheaders()
        connection.send(body)
        until(lambda: self.stored() >= stored)
        self._connection = connection  # stays open while the server is killed


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "data")
    made = server.call("POST", "/storage/v1/b?project=local-project", json={"name": BUCKET})
    assert made.status_code == 200
    yield server
    server.kill()


def test_a_resumable_upload_goes_on(server: Server) -> None:
    data = random.Random(1).randbytes(24 * MIB + 5)
    path = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=resumable&name=model"
    url = server.call("POST", path).headers["Location"]
    first = {"Content-Range": f"bytes 0-{8 * MIB - 1}/{len(data)}"}
    assert server.call("PUT", url, data=data[: 8 * MIB], headers=first).status_code == 308

    second = {"Content-Range": f"bytes {8 * MIB}-{16 * MIB - 1}/{len(data)}"}
    target = url.removeprefix(server.url)
    server.send_half(target, second, data[8 * MIB : 12 * MIB - 1000], 8 * MIB, 11 * MIB)
    server.kill()
    server.start()

    query = {"Content-Range": f"bytes */{len(data)}"}
    answer = server.call("PUT", server.url + target, headers=query)
    assert answer.status_code == 308
    have = int(answer.headers["Range"].removeprefix("bytes=0-")) + 1
    assert have == 11 * MIB  # the whole blocks of the chunk that broke off
    rest = {"Content-Range": f"bytes {have}-{len(data) - 1}/{len(data)}"}
    done = server.call("PUT", server.url + target, data=data[have:], headers=rest)
    assert (done.status_code, done.json()["crc32c"]) == (200, crc32c(data))
    assert (server.data / "buckets" / BUCKET / "model").read_bytes() == data


def test_a_multipart_upload_goes_on(server: Server) -> None:
    data = random.Random(2).randbytes(3 * 8 * MIB)
    pieces = [data[start : start + 8 * MIB] for start in range(0, len(data), 8 * MIB)]
    path = f"/{BUCKET}/model"
    found = re.search("<UploadId>(.*)</UploadId>", server.call("POST", f"{path}?uploads").text)
    assert found
    part = f"{path}?uploadId={found[1]}&partNumber="
    server.call("PUT", f"{part}2", data=pieces[1])
    server.send_half(f"{part}1", {}, pieces[0][: 5 * MIB], 8 * MIB, 12 * MIB)
    server.kill()
    server.start()

    def etags() -> dict[str, str]:
        listed = server.call("GET", f"{path}?uploadId={found[1]}").text
        return dict(re.findall("<PartNumber>(.)</PartNumber>.*?<ETag>(.*?)</ETag>", listed))

    assert list(etags()) == ["2"]
    for number in (3, 1):
        piece = pieces[number - 1]
        header = {"x-goog-hash": f"crc32c={crc32c(piece)}"}
        answer = server.call("PUT", f"{part}{number}", data=piece, headers=header)
        assert answer.status_code == 200
    body = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        for number, etag in etags().items()
    )
    body = f"<CompleteMultipartUpload>{body}</CompleteMultipartUpload>"
    assert server.call("POST", f"{path}?uploadId={found[1]}", data=body).status_code == 200
    assert (server.data / "buckets" / BUCKET / "model").read_bytes() == data
    assert list((server.data / "uploads").iterdir()) == []


class Writer(threading.Thread):
    """Replaces, moves and deletes objects of its own until the server is gone."""

    def __init__(self, server: Server, number: int) -> None:
        super().__init__()
        self.server = server
        self.folder = f"writer-{number}"
        self.random = random.Random(number)
        self.sure: dict[str, bytes | None] = {}  # what the server has confirmed
        self.doubtful: set[str] = set()  # what it was asked for last, without an answer
        self.steps = 0

    def run(self) -> None:
        try:
            while True:
                self.step()
                self.steps += 1
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            pass

    def step(self) -> None:
        name = f"{self.folder}/{self.random.choice('ab')}"
        if self.random.random() < 0.2 and self.sure.get(name) is not None:
            other = f"{name}-moved"
            self.doubtful = {name, other}
            path = f"/storage/v1/b/{BUCKET}/o/{name.replace('/', '%2F')}/moveTo/o/"
            answer = self.server.call("POST", path + other.replace("/", "%2F"))
            assert answer.status_code == 200, answer.text
            self.sure[other], self.sure[name] = self.sure[name], None
        elif self.random.random() < 0.2 and self.sure.get(name) is not None:
            self.doubtful = {name}
            answer = self.server.call("DELETE", f"/{BUCKET}/{name}")
            assert answer.status_code == 204, answer.text
            self.sure[name] = None
        else:
            data = self.random.randbytes(self.random.choice([10, 100_000, 2_000_000]))
            self.doubtful = {name}
            path = f"/upload/storage/v1/b/{BUCKET}/o"
            params = {"uploadType": "media", "name": name}
            answer = self.server.call("POST", path, params=params, data=data)
            assert answer.status_code == 200, answer.text
            self.sure[name] = data
        self.doubtful = set()


@pytest.mark.slow
def test_objects_are_whole_however_often_it_is_killed(server: Server) -> None:
    pause = random.Random(4)
    steps = 0
    for round_ in range(5):
        writers = [Writer(server, number + round_ * 10) for number in range(4)]
        for writer in writers:
            writer.start()
        enough = pause.randint(20, 60)
        until(lambda: sum(each.steps for each in writers) >= enough, every=0.01)  # noqa: B023
        server.kill()
        for writer in writers:
            writer.join(timeout=60)
            steps += writer.steps
        server.start()

        listed = server.call("GET", f"/storage/v1/b/{BUCKET}/o").json().get("items", [])
        objects = {item["name"]: item for item in listed}
        folder = server.data / "buckets" / BUCKET
        files = {
            Path(root, file).relative_to(folder).as_posix()
            for root, _, names in os.walk(folder)
            for file in names
        }
        assert files == set(objects)
        for name, item in objects.items():
            data = (folder / name).read_bytes()
            assert (len(data), crc32c(data)) == (int(item["size"]), item["crc32c"])
        for writer in writers:
            for name in writer.sure.keys() - writer.doubtful:
                data = writer.sure[name]
                found = objects.get(name)
                assert (found and found["crc32c"]) == (crc32c(data) if data is not None else None)
        assert list((server.data / "uploads").iterdir()) == []
    assert steps >= 100
