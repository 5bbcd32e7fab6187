"""The connection of a chat: how it is cut into pieces, ended, authorized, proxied and trusted."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from llm_widgets.errors import ManagerError, UnavailableError
from llm_widgets.gcp.run import invoke
from local_cloud.testing.waiting import LONG
from tests.contract.product import Product, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
HELLO = b'data: {"choices": [{"delta": {"content": "hello"}}]}\n\n'
PROXIES = [f"{name}_proxy" for name in ("http", "https", "all", "no")]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for name in PROXIES:
            environment.delenv(name, raising=False)
            environment.delenv(name.upper(), raising=False)
        yield from running(tmp_path_factory.mktemp("chat"), environment)


@dataclass
class Service:
    """A service that answers each connection with the same bytes, in pieces.

    Attributes
    ----------
    ends
        Whether the connection is closed then; otherwise the service waits for the other side.
    heads
        What was received up to the end of each request's header.
    arrived, left
        Set when a request has come, and when its connection has ended.
    """

    pieces: Sequence[bytes] = ()
    ends: bool = True
    context: ssl.SSLContext | None = None
    heads: list[str] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://localhost:{self.port}"

    def stop(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(LONG)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with suppress(OSError), connection:
                    connection.settimeout(LONG)
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        if self.context:
            if connection.recv(7, socket.MSG_PEEK) == b"CONNECT":
                self._receive(connection)  # as a proxy
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            connection = self.context.wrap_socket(connection, server_side=True)
        with connection:
            self._receive(connection)
            self.arrived.set()
            with suppress(ConnectionError, ssl.SSLEOFError):
                for piece in self.pieces:
                    connection.sendall(piece)
                while not self.ends and connection.recv(1 << 16):
                    pass
            self.left.set()

    def _receive(self, connection: socket.socket) -> None:
        """Receive a whole request: closing with bytes unread would reset the connection."""
        with connection.makefile("rb") as file:
            head = b"".join(iter(file.readline, b"\r\n")).decode()
            length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
            file.read(int(length[1]) if length else 0)
        self.heads.append(head)


@pytest.fixture
def serve() -> Iterator[Callable[..., Service]]:
    started: list[Service] = []

    def start(*pieces: bytes, ends: bool = True, context: ssl.SSLContext | None = None) -> Service:
        started.append(Service(pieces, ends=ends, context=context))
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate of localhost that nobody knows; its file holds its key too."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "localhost.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
def tls(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def chat(product: Product, url: str, **options: Any) -> invoke.ChatStream:
    messages = [{"role": "user", "content": "Hello \ud83d"}]  # cut off in the middle of an emoji
    return invoke.chat_stream(
        product.clients, url, "m", messages, path="/v1/chat/completions", **options
    )


def texts(product: Product, url: str) -> list[str]:
    return [event.text for event in chat(product, url) if event.text]


def test_the_pieces_make_no_difference(product: Product, serve: Callable[..., Service]) -> None:
    stream = (
        b": keep alive\n\n"
        b'event: x\nid: 1\ndata: {"choices": [{"delta":\ndata: {"content": "h\xc3\xa9"}}]}\n\n'
        b'data:{"choices": [{"delta": {"content": "\xf0\x9f\x98\x80"}}]}\r\n\r\n'
        b"data: [DONE]\n\n"
    )
    pieces = [bytes([byte]) for byte in stream]
    assert texts(product, serve(HEAD, *pieces).url) == ["hé", "😀"]
    assert texts(product, serve(HEAD + stream).url) == ["hé", "😀"]


def test_chunks_make_no_difference(product: Product, serve: Callable[..., Service]) -> None:
    head = HEAD.replace(b"Connection: close", b"Transfer-Encoding: chunked")
    halves = [HELLO[:20], HELLO[20:], b""]
    chunks = [b"%x\r\n%s\r\n" % (len(half), half) for half in halves]
    assert texts(product, serve(head, *chunks).url) == ["hello"]


@pytest.mark.parametrize("pieces", [(), (HEAD,), (HEAD, HELLO)])
def test_closing_ends_the_connection_at_once(
    product: Product, serve: Callable[..., Service], pieces: tuple[bytes, ...]
) -> None:
    service = serve(*pieces, ends=False)
    _end_it(chat(product, service.url), service)


def test_closing_ends_a_connection_with_tls(
    product: Product,
    serve: Callable[..., Service],
    tls: ssl.SSLContext,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    for pieces in ((), (HEAD, HELLO)):
        service = serve(*pieces, ends=False, context=tls)
        _end_it(chat(product, service.url), service)


def _end_it(stream: invoke.ChatStream, service: Service) -> None:
    """Close a stream once the service has the request: both sides see the end."""
    seen: list[invoke.ChatEvent] = []
    reader = threading.Thread(target=lambda: seen.extend(stream))
    reader.start()
    assert service.arrived.wait(LONG)
    stream.close()
    assert service.left.wait(LONG)
    reader.join(LONG)
    assert not reader.is_alive()
    assert not [event for event in seen if event.stats]


def test_what_is_closed_before_is_not_sent(product: Product, serve: Callable[..., Service]) -> None:
    service = serve(HEAD, HELLO)
    stream = chat(product, service.url)
    stream.close()
    assert list(stream) == []
    assert service.heads == []


def test_a_service_that_breaks_off(product: Product, serve: Callable[..., Service]) -> None:
    for pieces in ((), (HEAD.replace(b"Connection: close", b"Content-Length: 999"), HELLO)):
        with pytest.raises(UnavailableError, match="does not answer, or broke off") as caught:
            list(chat(product, serve(*pieces).url))
        assert caught.value.cause


def test_a_service_that_is_silent(product: Product, serve: Callable[..., Service]) -> None:
    with pytest.raises(UnavailableError, match=r"The service was silent for .* s\.") as caught:
        list(chat(product, serve(ends=False).url, silence_timeout=0.2))
    assert caught.value.fix
    assert "log" in caught.value.fix.text


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (HEAD.replace(b"text/event-stream", b"text/html") + b"<h1>Hi</h1>", "text/html"),
        (HEAD + b"data: hello\n\n", "hello"),
        (HEAD + b"data: [1]\n\n", "[1]"),
    ],
)
def test_what_is_no_answer_of_a_chat(
    product: Product, serve: Callable[..., Service], answer: bytes, cause: str
) -> None:
    with pytest.raises(ManagerError, match="not a chat answer") as caught:
        list(chat(product, serve(answer).url))
    assert cause in caught.value.cause


def test_a_redirect_is_not_followed(product: Product, serve: Callable[..., Service]) -> None:
    elsewhere = serve(HEAD, HELLO)
    found = f"HTTP/1.1 302 Found\r\nLocation: {elsewhere.url}/\r\nContent-Length: 0\r\n\r\n"
    with pytest.raises(ManagerError, match=r"The service failed") as caught:
        list(chat(product, serve(found.encode()).url))
    assert caught.value.cause == "The service answers 302: Found"
    assert elsewhere.heads == []


def test_netrc_does_not_replace_the_token(
    product: Product,
    serve: Callable[..., Service],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine localhost login ada password secret\ndefault login b password c\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    service = serve(HEAD, HELLO)
    assert texts(product, service.url) == ["hello"]
    fields = [line for line in service.heads[0].splitlines() if line.lower().startswith("auth")]
    assert len(fields) == 1
    assert fields[0].partition(" ")[2].startswith("Bearer ey")


def test_proxies_of_the_environment(
    product: Product, serve: Callable[..., Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, service = serve(HEAD, HELLO), serve(HEAD, HELLO)
    url = f"http://model.example:{service.port}"
    monkeypatch.setenv("http_proxy", f"http://localhost:{proxy.port}")
    monkeypatch.setenv("no_proxy", "127.0.0.1")  # the local cloud
    assert texts(product, url) == ["hello"]
    assert proxy.heads[0].startswith(f"POST {url}/v1/chat/completions HTTP/1.1\r\n")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    assert texts(product, service.url) == ["hello"]
    assert service.heads[0].startswith("POST /v1/chat/completions HTTP/1.1\r\n")


def test_a_proxy_of_a_kind_that_is_not_known(
    product: Product, serve: Callable[..., Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = serve(HEAD, HELLO)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("all_proxy", "gopher://localhost:1")
    with pytest.raises(UnavailableError, match="these settings of the environment") as caught:
        list(chat(product, service.url))
    assert "gopher" in caught.value.cause
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    assert texts(product, service.url) == ["hello"]


def test_a_tunnel_through_a_proxy(
    product: Product,
    serve: Callable[..., Service],
    tls: ssl.SSLContext,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    proxy = serve(ends=False, context=tls)
    monkeypatch.setenv("https_proxy", f"http://localhost:{proxy.port}")
    _end_it(chat(product, "https://localhost:1"), proxy)
    connect, request = proxy.heads
    assert connect.startswith("CONNECT localhost:1 HTTP/1.1\r\n")
    assert "Bearer" not in connect
    assert "Bearer" in request


def test_certificates_are_those_that_requests_trusts(
    product: Product,
    serve: Callable[..., Service],
    tls: ssl.SSLContext,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = serve(HEAD, HELLO, context=tls)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # requests does not look at it
    with pytest.raises(UnavailableError, match="does not answer, or broke off") as caught:
        list(chat(product, service.url))
    assert "certificate verify failed" in caught.value.cause
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        with monkeypatch.context() as environment:
            environment.setenv(name, str(certificate))
            assert texts(product, service.url) == ["hello"]
