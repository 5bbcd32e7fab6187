"""End-to-end fixtures: a server in a process of its own, a browser page that must stay clean."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.e2e.running import Server, running_server
from tests.e2e.services_tab import cloud_with_model, served_page
from tests.e2e.witness import add_witness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

    from tests.contract.product import Product

# Milliseconds: far longer than a page takes on a busy machine; only a test that fails waits so.
PATIENCE = 60_000
# Every view is looked at on a telephone; at the sizes of a desk by `make test-matrix`.
WIDTHS = (390, *(pytest.param(each, marks=pytest.mark.matrix) for each in (1280, 1600)))
expect.set_options(timeout=PATIENCE)
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_FLAGS = [
    "--no-sandbox",  # the tests may run as root, in a container
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    # A name other than this machine's must not even be looked up.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Take $CHROMIUM, a Chromium on PATH, or else the one that Playwright has installed."""
    arguments = {**browser_type_launch_args, "args": CHROMIUM_FLAGS}
    candidates = [os.environ.get("CHROMIUM"), *map(shutil.which, CHROMIUM_NAMES)]
    found = next((path for path in candidates if path), None)
    return {**arguments, "executable_path": found} if found else arguments


@pytest.fixture(scope="session")
def serving() -> Callable[..., AbstractContextManager[Server]]:
    """Return ``serving(folder, notebook, **options of launch)``: serves a notebook of the demos."""
    return running_server


@pytest.fixture(scope="module")
def demo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve the page that shows every component."""
    with running_server(tmp_path_factory.mktemp("demo"), "demo.ipynb") as server:
        assert server.url, server.log.read_text()
        yield server
    assert "Traceback" not in (log := server.log.read_text()), log


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Run a local cloud with a model in it; a file that needs more has one of its own."""
    with cloud_with_model(tmp_path_factory.mktemp("cloud")) as started:
        yield started


@pytest.fixture(scope="module")
def url(product: Product, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the page with that cloud in the place of Google."""
    with served_page(product, tmp_path_factory.mktemp("page")) as address:
        yield address


# What was still to be told to a view that has just gone with its page; ipywidgets says so itself.
_LATE = "TypeError: Cannot read properties of null (reading 'processLuminoMessage')"


@pytest.fixture
def context(context: BrowserContext) -> BrowserContext:
    """Return the test's own browser context, in which pages keep what they have shown."""
    add_witness(context)
    return context


@dataclass
class Problems:
    """What must not happen while a page is open."""

    url: str
    found: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Listen to a page's errors and requests."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.found.append(f"page error: {error}"))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_LATE):
            self.found.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        origin = self.url.partition("?")[0]
        local = (origin, origin.replace("http", "ws", 1), "data:")
        if not request.url.startswith(local):
            self.found.append(f"request: {request.url}")


@pytest.fixture
def open_page(page: Page) -> Iterator[Callable[[str], Page]]:
    """Yield a function that opens a URL; errors and foreign requests fail the test."""
    problems: list[Problems] = []

    def visit(url: str) -> Page:
        problems.append(Problems(url))
        problems[-1].watch(page)
        page.set_default_timeout(PATIENCE)
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(url)
        page.get_by_role("tab").first.wait_for()
        return page

    yield visit
    assert [found for each in problems for found in each.found] == []


@pytest.fixture
def app_page(open_page: Callable[[str], Page], demo_server: Server) -> Page:
    """Open the page that shows every component, new for this test."""
    return open_page(demo_server.url)


@pytest.fixture(scope="module")
def shared_demo(browser: Browser, demo_server: Server) -> Iterator[tuple[Page, Problems]]:
    """Open the page that shows every component, once for all tests of a module."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE)
    add_witness(context)
    page = context.new_page()
    problems = Problems(demo_server.url)
    problems.watch(page)
    page.goto(demo_server.url)
    page.get_by_role("tab").first.wait_for()
    yield page, problems
    context.close()


@pytest.fixture
def demo_page(shared_demo: tuple[Page, Problems]) -> Iterator[Page]:
    """Yield the shared page as it was at first: rows, dialogs, notifications, size."""
    page, problems = shared_demo
    page.set_viewport_size({"width": 1280, "height": 800})
    if page.get_by_role("dialog").count():
        page.keyboard.press("Escape")
    # By a script: a notification may go by itself between being found and being clicked.
    page.evaluate("document.querySelectorAll('.llm-toast button').forEach((each) => each.click())")
    page.get_by_role("tab", name="Models").click()
    resets = page.get_by_text(re.compile(r"^Reset \d+ times$"))
    told = resets.inner_text()
    page.get_by_role("button", name="Reset").click()
    expect(resets).not_to_have_text(told)
    yield page
    assert problems.found == []


@pytest.fixture(scope="session")
def axe_source() -> str:
    """Read axe-core, which a Python package brings."""
    return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


@pytest.fixture
def violations(axe_source: str) -> Callable[..., list[str]]:
    """Return a function that lists what axe finds wrong on a page as it is shown, or in a part.

    For those who prefer dark pages only colours differ.
    """
    run = """async ([within, options]) => (await axe.run(within, options)).violations.flatMap(
        ({id, nodes}) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)}`))"""

    def check(page: Page, within: str = "html") -> list[str]:
        # A policy against eval does not stop the test's own script: it comes over the protocol.
        page.evaluate(axe_source)
        found: list[str] = page.evaluate(run, [within, {}])
        page.emulate_media(color_scheme="dark")
        dark = page.evaluate(run, [within, {"runOnly": "color-contrast"}])
        found += [f"in the dark, {each}" for each in dark]
        page.emulate_media(color_scheme="light")
        return found

    return check
