"""The page's server as a process: what it sends, and that nothing is left behind."""

from __future__ import annotations

import http.client
import signal
import socket
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e
SMALL = "small.ipynb"


def eventually(check: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether something becomes true in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if check():
            return True
        time.sleep(0.1)
    return check()


def fetch(url: str, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Fetch a page; an error is an answer too."""
    request = urllib.request.Request(
        url, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, serving: Any) -> Iterator[Any]:
    with serving(tmp_path_factory.mktemp("small"), SMALL, warm_kernels=0) as running:
        yield running


class TestAnswers:
    def test_health(self, server: Any) -> None:
        assert fetch(server.url + "healthz")[::2] == (200, b"ok")

    @pytest.mark.parametrize("path", ["", "healthz", "no-such-page", "voila/static/voila.js"])
    def test_security_headers_are_everywhere(self, server: Any, path: str) -> None:
        _, headers, _ = fetch(server.url + path)
        policy = headers["Content-Security-Policy"]
        assert "object-src 'none'" in policy
        assert "unsafe-eval" not in policy
        assert "http" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Server"] is None

    def test_compresses(self, server: Any) -> None:
        plain = fetch(server.url + "voila/static/voila.js")[2]
        _, headers, packed = fetch(server.url + "voila/static/voila.js", Accept_Encoding="gzip")
        assert headers["Content-Encoding"] == "gzip"
        assert len(packed) < len(plain) / 2

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
        assert b"theme-light" in page

    def test_kernels_are_not_listed(self, server: Any) -> None:
        assert fetch(server.url + "api/kernels")[0] == 404
        assert fetch(server.url + "api/contents")[0] == 404


class TestKernels:
    def test_closed_and_reloaded_tabs_free_their_kernels(
        self, open_page: Callable[[str], Page], tmp_path: Path, serving: Any
    ) -> None:
        with serving(tmp_path, SMALL, warm_kernels=0) as server:
            page = open_page(server.url)
            expect(page.get_by_text("somebody")).to_be_visible()
            first = server.kernels()
            assert len(first) == 1
            page.reload()
            expect(page.get_by_text("somebody")).to_be_visible()
            assert eventually(lambda: len(server.kernels()) == 1)
            assert server.kernels() != first
            page.close(run_before_unload=True)
            assert eventually(lambda: not server.kernels())

    def test_abandoned_kernel_goes_though_it_is_never_idle(
        self, tmp_path: Path, serving: Any
    ) -> None:
        options = {"warm_kernels": 0, "abandon_after": 2.0, "look_every": 1}
        with serving(tmp_path, SMALL, **options) as server:
            fetch(server.url)  # a visitor without a browser: nobody ever connects
            assert len(server.kernels()) == 1
            assert eventually(lambda: not server.kernels(), seconds=15)

    def test_preheated_kernel_waits_for_its_visitor(
        self, open_page: Callable[[str], Page], tmp_path: Path, serving: Any
    ) -> None:
        options = {"abandon_after": 1.0, "look_every": 1}
        with serving(tmp_path, SMALL, **options) as server:
            assert eventually(lambda: len(server.kernels()) == 1)
            time.sleep(4)  # far longer than an abandoned one would live
            assert len(server.kernels()) == 1
            warm = server.kernels()
            page = open_page(server.url)
            expect(page.get_by_text("somebody")).to_be_visible()
            assert warm <= server.kernels()

    @pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
    @pytest.mark.parametrize("after", [0.0, 0.7, 3.0])
    def test_no_kernel_outlives_the_server(
        self, tmp_path: Path, serving: Any, how: signal.Signals, after: float
    ) -> None:
        with serving(tmp_path, SMALL) as server:
            time.sleep(after)  # while the first kernel starts, while it runs, when it waits
            code = server.stop(how)
            assert code == (-signal.SIGKILL if how == signal.SIGKILL else 0)
            # After SIGKILL a kernel sees within seconds that its parent is gone.
            assert eventually(lambda: not server.kernels(), seconds=8)
            assert "Traceback" not in server.log.read_text()


def test_lost_server_is_said_and_reload_is_offered(
    page: Page, tmp_path: Path, serving: Any
) -> None:
    with serving(tmp_path, SMALL) as server:
        page.goto(server.url)
        expect(page.get_by_text("somebody")).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
        server.stop(signal.SIGKILL)
        expect(page.get_by_role("alert")).to_contain_text("The connection to the manager was lost.")
        expect(page.get_by_role("button", name="Reload")).to_be_visible()
        port = urlsplit(server.url).port
    with serving(tmp_path, SMALL, port=port) as server:
        page.get_by_role("button", name="Reload").click()
        expect(page.get_by_text("somebody")).to_be_visible()


def test_page_that_fails_shows_no_traceback(
    page: Page, tmp_path: Path, serving: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_FAILS", "1")
    with serving(tmp_path, SMALL, warm_kernels=0) as server:
        page.goto(server.url)
        expect(page.get_by_text("The page could not be started.")).to_be_visible()
        assert "no visitor may read" not in page.content()
        assert "no visitor may read" in server.log.read_text()


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
