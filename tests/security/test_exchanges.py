"""Hubs and APIs that mean harm: each exchange ends, and takes no more than it is given."""

from __future__ import annotations

import gzip
import itertools
import socket
import threading
import time
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.oauth2.credentials import Credentials

from llm_widgets.config import Settings
from llm_widgets.errors import HubError, ManagerError, UnavailableError
from llm_widgets.exchanges import limits, redirects
from llm_widgets.gcp.auth.sign_in import token_request
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.hubs import http
from llm_widgets.transfer import connections
from llm_widgets.transfer.options import Options
from llm_widgets.transfer.retry import TransientError
from llm_widgets.transfer.signed_url import SignedUrl
from llm_widgets.transfer.xml_api import Authorizer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MIB = 1 << 20


class Server:
    """Sends what it is told to whoever connects, and keeps the heads of what it was asked.

    A piece that is a number is a pause, in seconds, which the end of the server cuts short.
    """

    def __init__(self, answers: Iterable[Iterable[bytes | float]]) -> None:
        self._answers = iter(answers)
        self._end = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.heads: list[str] = []
        self.sent = 0
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        for answer in self._answers:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            with line:
                try:
                    self._exchange(line, answer)
                except OSError:
                    continue  # the client has had enough

    def _exchange(self, line: socket.socket, answer: Iterable[bytes | float]) -> None:
        head = b""
        while b"\r\n\r\n" not in head and (more := line.recv(65536)):
            head += more
        self.heads.append(head.decode("latin-1"))
        for piece in answer:
            if isinstance(piece, float):
                self._end.wait(piece)
            else:
                line.sendall(piece)
                self.sent += len(piece)
            if self._end.is_set():
                return

    def close(self) -> None:
        self._end.set()
        with suppress(OSError):  # nobody waits any more
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes who waits for a client
        self._listener.close()
        self._thread.join()


@contextmanager
def serving(*answers: Iterable[bytes | float]) -> Iterator[Server]:
    server = Server(answers)
    yield server
    server.close()


def head(status: str = "200 OK", **fields: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{k.replace('_', '-')}: {v}" for k, v in fields.items())]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")


def redirect(location: str) -> list[bytes]:
    return [head("302 Found", Location=location, Content_Length="0")]


def drip(first: bytes, pause: float = 0.05) -> Iterator[bytes | float]:
    yield first
    while True:
        yield pause
        yield b"x"


def endless(first: bytes) -> Iterator[bytes]:
    yield first
    yield from itertools.repeat(b"x" * 65536)


@pytest.mark.parametrize("reads", ["whole", "range"])
def test_an_endless_body_ends(reads: str) -> None:
    with serving(endless(head())) as server:
        if reads == "whole":
            with pytest.raises(HubError, match=f"an answer of more than {MIB} bytes"):
                http.get(http.session(), server.url, limit=MIB)
        else:
            read = http.range_reader(http.session(), seconds=30)
            assert read(server.url, 0, 10) == b"x" * 10
    assert server.sent < 32 * MIB  # what the system's buffers take


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_compressed_body_counts_decompressed(coding: str) -> None:
    zeros = bytes(512 * MIB // 8)
    bomb = gzip.compress(zeros, 1, mtime=0) if coding == "gzip" else zlib.compress(zeros, 1)
    with (
        serving([head(Content_Encoding=coding), bomb]) as server,
        pytest.raises(HubError, match="an answer of more than"),
    ):
        http.get(http.session(), server.url, limit=MIB)


def test_a_compressed_body_within_its_limit_is_read_whole() -> None:
    text = b"some text " * 10_000
    with serving([head(Content_Encoding="gzip"), gzip.compress(text, mtime=0)]) as server:
        assert http.get(http.session(), server.url, limit=MIB).body == text


@pytest.mark.parametrize(
    "first",
    [
        head(),
        head(Content_Length="1000000"),
        head(Content_Encoding="gzip") + gzip.compress(b"x", mtime=0)[:-4],
        b"HTTP/1.1 200 OK\r\nX-Drip: ",
        b"HTTP",
    ],
)
def test_a_slow_drip_ends(first: bytes) -> None:
    session = requests.Session()
    limits.secured(session, seconds=1)
    started = time.monotonic()
    with serving(drip(first)) as server, pytest.raises(ManagerError):
        http.get(session, server.url, limit=MIB, seconds=1)
    assert time.monotonic() - started < 10


def test_a_slow_drip_of_a_range_ends() -> None:
    read = http.range_reader(http.session(), seconds=1)
    with serving(drip(head("206 Partial Content"))) as server, pytest.raises(UnavailableError):
        read(server.url, 0, 1_000_000)


def test_redirects_in_a_circle_end() -> None:
    answers = (redirect("/again") for _ in itertools.count())
    with serving(*itertools.islice(answers, 100)) as server:
        with pytest.raises(HubError, match="redirects in a circle"):
            http.get(http.session(), server.url, limit=MIB)
        assert len(server.heads) == redirects.MOST + 1


def test_the_body_of_a_redirect_is_not_read() -> None:
    body = endless(head("302 Found", Location="/there"))
    with serving(body, [head(Content_Length="2"), b"ok"]) as server:
        assert http.get(http.session(), server.url, limit=MIB).body == b"ok"
    assert server.sent < 32 * MIB


@pytest.mark.parametrize(
    "location",
    [
        *("file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/", "data:,x"),
        *("javascript:alert(1)", "unix:/run/docker.sock", "http://[", "http://a:b/", "x://y"),
    ],
)
def test_other_schemes_are_not_followed(location: str) -> None:
    with serving(redirect(location)) as server:
        with pytest.raises(HubError, match="redirects to where nothing is read from"):
            http.get(http.session(), server.url, limit=MIB)
        signed = SignedUrl(server.url)
        signed._current = server.url
        with pytest.raises(HubError, match="redirects to"):
            signed.redirect(server.url, location)


@pytest.mark.parametrize("target", ["http://1.1.1.1/x", "http://8.8.8.8/x"])
def test_tls_is_not_left(target: str) -> None:
    hub, plain = "https://1.1.1.1/a/b", "http://1.1.1.1/a/b"
    with pytest.raises(redirects.ForbiddenRedirectError):
        redirects.target(hub, hub, target)
    with pytest.raises(redirects.ForbiddenRedirectError):
        redirects.target(plain, hub, target)
    assert redirects.target(hub, hub, "../c") == "https://1.1.1.1/c"
    assert redirects.target(plain, plain, "https://8.8.8.8") == "https://8.8.8.8"


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Name credentials for every host."""
    path = tmp_path / "netrc"
    path.write_text("machine 127.0.0.1 login me password hunter2\ndefault login me password all\n")
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))


@pytest.mark.usefixtures("netrc")
@pytest.mark.parametrize("token", ["", "hf_token"])
def test_netrc_is_no_business_of_a_hub(token: str) -> None:
    with serving([head(Content_Length="0")]) as other:
        answers = redirect("/moved"), redirect(f"{other.url}/elsewhere")
        with serving(*answers) as server:
            http.get(http.session(), server.url, limit=MIB, token=token)
        wanted = [f"Bearer {token}"] if token else []
        assert [authorizations(each) for each in server.heads] == [wanted, wanted]
        assert [authorizations(each) for each in other.heads] == [[]]


@pytest.mark.usefixtures("netrc")
def test_netrc_does_not_replace_googles_token() -> None:
    with serving(*[[head(Content_Length="2"), b"{}"]] * 3) as server:
        settings = Settings(google_endpoint=server.url)
        clients = Clients(settings, Credentials("ya29.token"))
        transport: Any = clients.services.transport
        clients.session.get(f"{server.url}/a", timeout=30)
        transport._session.get(f"{server.url}/b", timeout=30)
        token_request()(f"{server.url}/token", "POST", body=b"grant")
        found = [authorizations(each) for each in server.heads]
        assert found == [["Bearer ya29.token"], ["Bearer ya29.token"], []]


@pytest.mark.usefixtures("netrc")
@pytest.mark.parametrize("location", ["/moved", "http://localhost:1/", "file:///etc/passwd"])
def test_googles_apis_do_not_redirect(location: str) -> None:
    with serving(redirect(location)) as server:
        clients = Clients(Settings(google_endpoint=server.url), Credentials("ya29.token"))
        with pytest.raises(redirects.ForbiddenRedirectError):
            clients.session.get(server.url, timeout=30)
        assert len(server.heads) == 1


def test_an_answer_of_google_has_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LARGEST", MIB)
    with serving(endless(head())) as server:
        clients = Clients(Settings(google_endpoint=server.url), AnonymousCredentials())
        with pytest.raises(limits.TooLongError):
            clients.session.get(server.url, timeout=30)
    assert server.sent < 32 * MIB


@pytest.mark.parametrize("first", [head(), b"HTTP/1.1 200 OK\r\nX: "])
def test_an_answer_of_google_takes_no_longer_than_it_may(first: bytes) -> None:
    session = requests.Session()
    limits.secured(session, seconds=1)
    with serving(drip(first)) as server, pytest.raises(requests.RequestException):
        session.get(server.url, timeout=30)


def test_proxies_of_the_environment_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving([head(Content_Length="2"), b"ok"]) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        answer = http.get(http.session(), "http://hub.example/x", limit=MIB)
        assert answer.body == b"ok"
        assert proxy.heads[0].startswith("GET http://hub.example/x HTTP/1.1")


def authorizations(request: str) -> list[str]:
    """Return the values of the header fields with credentials."""
    lines = [line.partition(": ") for line in request.split("\r\n")]
    return [value for name, _, value in lines if name.lower() == "authorization"]


@pytest.mark.usefixtures("netrc")
def test_netrc_does_not_replace_the_token_of_an_upload() -> None:
    with serving([head(Content_Length="2"), b"{}"]) as server:

        class Renewed(Credentials):
            def before_request(self, request: Any, *_: object) -> None:
                request(f"{server.url}/token", "POST", headers={"Authorization": "Bearer first"})

        made: Any = Renewed
        Authorizer(made("old")).headers("PUT", server.url)
        assert [authorizations(each) for each in server.heads] == [["Bearer first"]]


@pytest.mark.parametrize(
    "first", [b"HTTP/1.1 302 Found\r\nX: ", b"HTTP/1.1 404 No\r\nContent-Length: 1000000\r\n\r\n"]
)
def test_a_slow_drip_in_place_of_a_file_ends(first: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_HEAD_SECONDS", 1.0)
    monkeypatch.setattr(connections, "_SHORT_SECONDS", 1.0)
    with serving(drip(first)) as server, pytest.raises(TransientError):
        SignedUrl(server.url).resolve(connections.Connections(Options()))
