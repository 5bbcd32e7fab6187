"""How many kernels a visitor can have the server start, and how long they stay."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from local_cloud.testing.waiting import until
from tests.e2e.running import running_server
from tests.security.visiting import Browser, in_a_thread

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.e2e
SMALL = "small.ipynb"


@pytest.mark.parametrize("warm_kernels", [0, 1])
def test_full(tmp_path: Path, warm_kernels: int) -> None:
    options = {"warm_kernels": warm_kernels, "most_kernels": 3}
    with running_server(tmp_path, SMALL, **options) as server:
        browsers = [Browser(server.url) for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            pages = list(pool.map(Browser.come_in, browsers))
        assert sorted(page.status for page in pages) == [200] * 3 + [503] * 5
        assert len(server.kernels()) == 3
        refused = next(page for page in pages if page.status == 503)
        assert int(refused.headers["Retry-After"]) > 0
        assert "as its memory allows" in refused.body
        assert browsers[0].ask("/healthz").status == 200
        # Nobody's page breaks, and who leaves makes room.
        owner = next(each for each, page in zip(browsers, pages, strict=True) if page.kernel)
        kernel = pages[browsers.index(owner)].kernel
        assert owner.knock(kernel) == 101
        assert owner.leave(kernel).status == 204
        assert Browser(server.url).come_in().status == 200
        assert len(server.kernels()) <= 3
    assert "Traceback" not in (log := server.log.read_text()), log


def test_kernel_that_no_browser_reached_goes_first(tmp_path: Path) -> None:
    options = {"warm_kernels": 0, "unreached_after": 5.0, "look_every": 1}
    with running_server(tmp_path, SMALL, **options) as server:
        reached = Browser(server.url)
        kept = reached.come_in().kernel

        async def reach() -> None:
            (await reached.join(kept)).close()

        in_a_thread(reach())
        gone = Browser(server.url)
        lost = gone.come_in().kernel
        until(lambda: gone.ask(f"/api/kernels/{lost}").status == 404)
        assert reached.ask(f"/api/kernels/{kept}").status == 200


def test_one_visitors_pages_give_way_to_newer_ones(tmp_path: Path) -> None:
    with running_server(tmp_path, SMALL, warm_kernels=0) as server:
        browser = Browser(server.url)
        kernels = [browser.come_in().kernel for _ in range(5)]
        assert all(kernels)
        assert len(server.kernels()) == 2
        there = [browser.ask(f"/api/kernels/{each}").status for each in kernels]
        assert there == [404, 404, 404, 200, 200]
    assert "Traceback" not in (log := server.log.read_text()), log


def test_pages_that_are_left_while_the_server_ends(tmp_path: Path) -> None:
    with running_server(tmp_path, SMALL, warm_kernels=0) as server:
        browsers = [Browser(server.url) for _ in range(4)]
        kernels = [browser.come_in().kernel for browser in browsers]
        assert all(kernels)
        # It hears all of this at once.
        server.process.send_signal(signal.SIGSTOP)
        with ExitStack() as asked:
            for browser, kernel in zip(browsers, kernels, strict=True):
                asked.enter_context(browser.begin_to_leave(kernel))
            server.process.send_signal(signal.SIGTERM)
            server.process.send_signal(signal.SIGCONT)
            assert server.process.wait(60) == 0
        assert server.kernels() == set()
    assert "Traceback" not in (log := server.log.read_text()), log
