"""The page's server as a process: what it sends, and to whom."""

from __future__ import annotations

import gzip
import http.client
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.fetching import SCRIPT, fetch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e
SMALL = "small.ipynb"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, serving: Any) -> Iterator[Any]:
    with serving(tmp_path_factory.mktemp("small"), SMALL, warm_kernels=0) as running:
        yield running


class TestAnswers:
    def test_health(self, server: Any) -> None:
        assert fetch(server.url + "healthz")[::2] == (200, b"ok")

    @pytest.mark.parametrize("path", ["", "healthz", "no-such-page", SCRIPT])
    def test_security_headers_are_everywhere(self, server: Any, path: str) -> None:
        _, headers, _ = fetch(server.url + path)
        policy = headers["Content-Security-Policy"]
        assert "object-src 'none'" in policy
        assert "unsafe-eval" not in policy
        assert "http" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Server"] is None

    def test_compresses(self, server: Any) -> None:
        plain = fetch(server.url + SCRIPT)[2]
        _, headers, packed = fetch(server.url + SCRIPT, Accept_Encoding="gzip")
        assert headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed) == plain
        assert len(packed) < len(plain) / 2

    def test_files_are_kept_for_good(self, server: Any) -> None:
        assert "immutable" in fetch(server.url + SCRIPT)[1]["Cache-Control"]
        assert fetch(server.url)[1]["Cache-Control"] == "no-store"
        for other in ("files/0123456789abcdef/page.js", SCRIPT + ".map", "files/page.js"):
            assert fetch(server.url + other)[0] == 404

    def test_page_names_no_other_host(self, server: Any) -> None:
        _, _, page = fetch(server.url)
        text = page.decode().replace("http://www.w3.org", "")
        assert "//cdn" not in text
        assert "https://" not in text
        assert '<html lang="en">' in text

    @pytest.mark.parametrize(
        "path",
        ["small.ipynb", "small.py", "voila/files/small.py", "voila/files/x.png", "etc/passwd"],
    )
    def test_files_beside_the_notebook_are_not_served(self, server: Any, path: str) -> None:
        status, _, body = fetch(server.url + path)
        assert status in {403, 404}
        assert b"ConnectionGuard" not in body

    def test_unknown_page_is_one_sentence(self, server: Any) -> None:
        status, _, body = fetch(server.url + "nothing/here")
        assert status == 404
        assert b"There is no page at this address." in body
        assert b"Traceback" not in body
        assert b"https://" not in body

    @pytest.mark.parametrize(
        ("host", "status"),
        [("127.0.0.1", 200), ("localhost", 200), ("[::1]", 200), ("evil.example", 403), ("", 400)],
    )
    def test_host_name(self, server: Any, host: str, status: int) -> None:
        where = urlsplit(server.url)
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=20)
        connection.putrequest("GET", "/", skip_host=True)
        if host:
            connection.putheader("Host", f"{host}:{where.port}")
        connection.endheaders()
        assert connection.getresponse().status == status
        connection.close()

    def test_template_and_theme_can_not_be_chosen(self, server: Any) -> None:
        status, _, page = fetch(server.url + "?template=classic&theme=dark")
        assert status == 200
        assert b"data-llm-header" in page
        assert page.count(b"<header") == 1

    def test_kernels_are_not_listed(self, server: Any) -> None:
        assert fetch(server.url + "api/kernels")[0] == 404
        assert fetch(server.url + "api/contents")[0] == 404


def test_port_in_use_is_one_sentence(tmp_path: Path, serving: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with serving(tmp_path, SMALL, port=port) as server:
            assert server.url == ""
            assert server.process.wait(20) == 1
            log = server.log.read_text()
    assert f"Port {port} is already in use." in log
    assert "Traceback" not in log


def test_two_servers_do_not_meet(server: Any, tmp_path: Path, serving: Any) -> None:
    with serving(tmp_path, SMALL, warm_kernels=0) as other:
        assert other.url != server.url
        other.stop()
    assert fetch(server.url + "healthz")[0] == 200
