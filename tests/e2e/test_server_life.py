"""The page's server as a process: how kernels begin and end, and that nothing is left."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error, Page, expect

from local_cloud.testing.waiting import until
from tests.e2e.fetching import fetch
from tests.e2e.manager import running_manager

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import CDPSession

pytestmark = pytest.mark.e2e
SMALL = "small.ipynb"
HOW = (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)
AFTER = (0.0, 0.7, 3.0)
"""Seconds: while the first kernel starts, while it runs, when it waits."""


def test_closed_and_reloaded_tabs_free_their_kernels(
    open_page: Callable[[str], Page], tmp_path: Path, serving: Any
) -> None:
    with serving(tmp_path, SMALL, warm_kernels=0) as server:
        page = open_page(server.url)
        expect(page.get_by_text("somebody")).to_be_visible()
        first = server.kernels()
        assert len(first) == 1
        page.reload()
        expect(page.get_by_text("somebody")).to_be_visible()
        until(lambda: len(server.kernels()) == 1)
        assert server.kernels() != first
        page.close(run_before_unload=True)
        until(lambda: not server.kernels())


def reload_at_once(tab: CDPSession) -> bool:
    """Ask for a reload without waiting for the page; return whether the browser took it.

    While Chromium swaps one document for the next, it takes no such command.
    """
    try:
        tab.send("Page.reload")
    except Error as refused:
        if "Not attached to an active page" not in str(refused):
            raise
        return False
    return True


def test_quick_reloads_leave_no_kernels(page: Page, tmp_path: Path, serving: Any) -> None:
    with serving(tmp_path, SMALL, token=None) as server:
        page.goto(server.url)
        expect(page.get_by_text("somebody")).to_be_visible()
        tab = page.context.new_cdp_session(page)
        for _ in range(50):
            until(lambda: reload_at_once(tab))
            page.wait_for_timeout(100)  # at whatever stage the page is then
        expect(page.get_by_text("somebody")).to_be_visible()
        until(lambda: len(server.kernels()) <= 2)  # the page's, and the warm one
        server.stop()
        assert "Traceback" not in (log := server.log.read_text()), log


def test_abandoned_kernel_goes_though_it_is_never_idle(tmp_path: Path, serving: Any) -> None:
    options = {"warm_kernels": 0, "abandon_after": 2.0, "look_every": 1}
    with serving(tmp_path, SMALL, **options) as server:
        fetch(server.url)  # a visitor without a browser: nobody ever connects
        assert "Kernel started" in server.log.read_text()
        until(lambda: not server.kernels())


def test_preheated_kernel_is_not_abandoned(tmp_path: Path, serving: Any) -> None:
    options = {"warm_kernels": 2, "abandon_after": 1.0, "look_every": 1}
    with serving(tmp_path, SMALL, **options) as server:
        warm = until(lambda: len(found := server.kernels()) > 1 and found)
        fetch(server.url)  # takes one of them, and nobody ever connects to it
        until(lambda: warm - server.kernels())
        assert warm & server.kernels()  # nobody came to the other one either, for as long


def test_preheated_kernel_waits_for_its_visitor(
    open_page: Callable[[str], Page], tmp_path: Path, serving: Any
) -> None:
    with serving(tmp_path, SMALL) as server:
        warm = until(server.kernels)
        page = open_page(server.url)
        expect(page.get_by_text("somebody")).to_be_visible()
        assert warm <= server.kernels()


def test_lost_server_is_said_and_reload_is_offered(
    page: Page, tmp_path: Path, serving: Any
) -> None:
    with serving(tmp_path, SMALL) as server:
        page.goto(server.url)
        expect(page.get_by_text("somebody")).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
        server.stop(signal.SIGKILL)
        expect(page.get_by_role("alert")).to_contain_text("The manager can't be reached.")
        expect(page.locator("html.llm-away")).to_have_count(1)
        port = urlsplit(server.url).port
    with serving(tmp_path, SMALL, port=port) as server:
        # Another server knows nothing of the page's kernel.
        expect(page.get_by_role("alert")).to_contain_text("Your session has ended.")
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


def test_a_page_that_is_being_made_ends_with_the_server(
    tmp_path: Path, serving: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = tmp_path / "begun"
    monkeypatch.setenv("DEMO_BEGUN", str(begun))
    with serving(tmp_path, SMALL) as server:
        until(begun.exists)
        assert server.stop() == 0
        until(lambda: not server.kernels())
        assert "Traceback" not in (log := server.log.read_text()), log


def test_an_end_right_after_a_visit_leaves_no_warning(tmp_path: Path, serving: Any) -> None:
    with serving(tmp_path, SMALL, warm_kernels=1) as server:
        fetch(server.url)  # another kernel is to be made ready a little later
        assert server.stop(signal.SIGINT) == 0
        assert "Warning" not in (log := server.log.read_text()), log


@pytest.fixture(scope="module")
def endings(
    tmp_path_factory: pytest.TempPathFactory, serving: Any
) -> Iterator[dict[tuple[signal.Signals, float], Future[int]]]:
    """End servers in several ways, each at several moments, three of them at once."""

    def end(folder: Path, how: signal.Signals, after: float) -> int:
        with serving(folder, SMALL) as server:
            time.sleep(after)
            code: int = server.stop(how)
            # After SIGKILL a kernel sees within seconds that its parent is gone.
            until(lambda: not server.kernels(), every=0.3)
            assert "Traceback" not in (log := server.log.read_text()), log
            return code

    with ThreadPoolExecutor(3) as pool:
        yield {
            (how, after): pool.submit(end, tmp_path_factory.mktemp("ending"), how, after)
            for how in HOW
            for after in AFTER
        }


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("after", AFTER)
def test_no_kernel_outlives_the_server(
    endings: dict[tuple[signal.Signals, float], Future[int]], how: signal.Signals, after: float
) -> None:
    code = endings[how, after].result()
    assert code == (-signal.SIGKILL if how == signal.SIGKILL else 0)


def test_commands_in_another_terminal_work_on_the_same_cloud(tmp_path: Path) -> None:
    with running_manager(tmp_path) as manager:
        variables = manager.data / "environment"
        listed = 'exec "$1" -m llm_widgets projects --format "value(id)"'
        asked = subprocess.run(
            ["sh", "-c", f'. "$0" && {listed}', str(variables), sys.executable],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (asked.stdout.split(), asked.stderr) == (["demo-project", "local-project"], "")
    assert not variables.exists()
