"""The web server of the local cloud, over real sockets."""

from __future__ import annotations

import contextlib
import errno
import json
import socket
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import requests
from werkzeug import Request, Response

from local_cloud.database import told
from local_cloud.errors import LocalCloudError
from local_cloud.httpd import FileBody
from local_cloud.web import WebServer, body_blocks, google_error, json_response, raw_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE = 5_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    folder = tmp_path_factory.mktemp("web")
    (folder / "file").write_bytes(b"x" * SIZE)
    server = WebServer([lambda request: route(request, folder)])
    server.start()
    yield server
    server.stop()


def route(request: Request, folder: Path) -> Response | None:  # noqa: C901, PLR0911 -- one a path
    if request.path == "/file":
        headers = {"Content-Length": str(SIZE - 10)}
        if request.method == "HEAD":
            return Response([], headers=headers)
        body = FileBody((folder / "file").open("rb"), 10, SIZE - 10)
        return Response(body, headers=headers, direct_passthrough=True)
    if request.path == "/count":
        return json_response({"bytes": sum(map(len, body_blocks(request)))})
    if request.path.startswith("/path"):
        return json_response({"raw": raw_path(request), "host": request.host})
    if request.path == "/stream":
        return Response(block for block in (b"one ", b"two ", b"three"))
    if request.path == "/full":
        raise OSError(errno.ENOSPC, "No space left on device")
    if request.path == "/full/database":
        with told(folder / "x.db"), closing(sqlite3.connect(":memory:")) as database:
            database.execute("PRAGMA max_page_count=1")
            database.execute("CREATE TABLE t (a)")
    if request.path == "/deep":
        json.loads(request.get_data())
    if request.path == "/broken":
        raise KeyError("a mistake")
    if request.path == "/forged":
        raise ValueError(request.args["text"])
    if request.path == "/refused":
        return google_error(403, "PERMISSION_DENIED", "No.", details=[{"@type": "x"}])
    return None


def test_files_are_sent(server: WebServer) -> None:
    with requests.Session() as session:
        assert session.get(f"{server.url}/file", timeout=30).content == b"x" * (SIZE - 10)
        head = session.head(f"{server.url}/file", timeout=30)
        assert (head.headers["Content-Length"], head.content) == (str(SIZE - 10), b"")


def test_bodies_are_streamed_with_and_without_a_length(server: WebServer) -> None:
    with requests.Session() as session:
        for data in (b"y" * SIZE, (b"z" * 1000 for _ in range(100)), b""):
            size = len(data) if isinstance(data, bytes) else 100_000
            answer = session.post(f"{server.url}/count", data=data, timeout=30)
            assert answer.json() == {"bytes": size}


def test_unread_bodies_do_not_disturb_the_next_request(server: WebServer) -> None:
    with requests.Session() as session:
        for data in (b"y" * SIZE, (b"z" * 1000 for _ in range(100))):
            assert session.post(f"{server.url}/none", data=data, timeout=30).status_code == 404
            assert session.get(f"{server.url}/stream", timeout=30).text == "one two three"


def test_requests_in_a_row_on_one_connection(server: WebServer) -> None:
    text = b"GET /stream HTTP/1.1\r\nHost: here\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(text * 3)
        received = b""
        while received.count(b"0\r\n\r\n") < 3:
            received += connection.recv(65536)
    assert received.count(b"HTTP/1.1 200 OK") == 3


def test_it_may_be_used_as_a_proxy(server: WebServer) -> None:
    answer = requests.get(
        "http://run.example/path/a%2Fb?x=1", proxies={"http": server.url}, timeout=30
    )
    assert answer.json() == {"raw": "/path/a%2Fb", "host": "run.example"}


def test_failures_have_googles_shape(server: WebServer, capfd: pytest.CaptureFixture[str]) -> None:
    def error(path: str) -> dict[str, object]:
        answer = requests.get(server.url + path, timeout=30)
        made: dict[str, object] = answer.json()["error"]
        assert made["code"] == answer.status_code
        return made

    assert error("/refused") == {
        "code": 403,
        "message": "No.",
        "status": "PERMISSION_DENIED",
        "details": [{"@type": "x"}],
    }
    assert error("/none")["status"] == "NOT_FOUND"
    for full in ("/full", "/full/database"):
        assert (error(full)["status"], error(full)["code"]) == ("RESOURCE_EXHAUSTED", 507)
        assert "disk" in str(error(full)["message"])
    assert capfd.readouterr().err == ""
    for body in (b"[" * 100_000, b'{"a":' * 100_000):
        deep = requests.post(f"{server.url}/deep", data=body, timeout=30)
        assert (deep.status_code, deep.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert capfd.readouterr().err == ""
    assert error("/broken")["status"] == "INTERNAL"
    assert "a mistake" in capfd.readouterr().err


def test_what_a_stranger_sends_is_one_line_of_text_in_the_log(
    server: WebServer, capfd: pytest.CaptureFixture[str]
) -> None:
    text = "\x1b]0;title\x07\r\nTraceback (most recent call last):\u202e\x9b2J"
    requests.get(f"{server.url}/forged", params={"text": text}, timeout=30)
    for line in (b"GET / \x1b[31m HTTP/1.1\r\n\r\n", b"\x00\x1b\r\n\r\n", b"\x1b" * 100_000):
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            connection.sendall(line)
            connection.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                while connection.recv(65536):
                    pass
    told = capfd.readouterr().err
    assert told.count("\nTraceback") == 0
    assert "ValueError: \\x1b]0;title\\x07\\r\\nTraceback" in told
    assert not set(told) & {"\x1b", "\x07", "\x9b", "\u202e", "\r", "\x00"}


def test_a_port_in_use_is_said_in_a_sentence(server: WebServer) -> None:
    other = WebServer([], port=server.port)
    with pytest.raises(
        LocalCloudError, match=f"cannot listen on 127.0.0.1:{server.port}"
    ) as caught:
        other.start()
    assert caught.value.fix
