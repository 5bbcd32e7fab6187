"""The page in JupyterLab: it looks as on our own server, in the theme that is chosen there."""

from __future__ import annotations

import itertools
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import PATIENCE
from tests.e2e.lab import run_first_cell, running_lab, theme
from tests.e2e.manager import to_tab
from tests.e2e.running import DEMO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.running import Server

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]

# How each kind of element looks that is shown: what a rule of the host may change. The header has a
# place of its own on our page.
LOOKS = """() => {
    const names = ["display", "color", "background-color", "font-size", "line-height", "float",
        "padding", "margin", "border", "text-align", "text-decoration-line", "list-style-type"];
    const ours = (node) =>
        [...node.classList].filter((name) => /^llm-(?!tabs-)/.test(name)).join(".");
    const looks = {};
    for (const each of document.querySelectorAll(".llm-page :is([class*=llm-], dt, dd, p)")) {
        if (!each.offsetHeight || each.closest(".llm-header")) continue;
        const style = getComputedStyle(each);
        const kind = `${each.tagName} ${ours(each)} in ${ours(each.parentElement)}`;
        looks[kind] ??= Object.fromEntries(names.map((name) => [name, style[name]]));
    }
    return looks;
}"""


@pytest.fixture(scope="module")
def lab_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the demo in JupyterLab, with settings of its own."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(DEMO, folder / "notebooks")
    with running_lab(folder) as url:
        yield url


@pytest.fixture(scope="module")
def lab(browser: Browser, lab_url: str) -> Iterator[Page]:
    """Run the demo in a notebook; all tests share it."""
    context = browser.new_context(viewport={"width": 1600, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    run_first_cell(page, lab_url, "demo.ipynb")
    yield page
    context.close()


def looks(page: Page) -> dict[str, dict[str, str]]:
    """Return how each kind of element on all tabs looks."""
    found = {}
    for tab in ("General", "Models", "Services"):
        to_tab(page, tab)
        found.update({f"{tab}: {kind}": look for kind, look in page.evaluate(LOOKS).items()})
    return found


def test_it_looks_as_on_our_own_page(lab: Page, open_page: Any, demo_server: Server) -> None:
    theme(lab, "JupyterLab Light")
    width = lab.evaluate("document.querySelector('.llm-page').offsetWidth")
    own = open_page(demo_server.url)
    own.set_viewport_size({"width": width, "height": 900})
    there, here = looks(lab), looks(own)
    shared = there.keys() & here.keys()
    assert len(shared) > 80
    assert {kind: there[kind] for kind in shared} == {kind: here[kind] for kind in shared}


def test_a_dark_theme_is_followed(lab: Page, violations: Callable[..., list[str]]) -> None:
    theme(lab, "JupyterLab Dark")
    for tab in ("General", "Models", "Services"):
        to_tab(lab, tab)
        assert violations(lab, ".llm-page") == []
    scheme = "getComputedStyle(document.querySelector('.llm-page')).colorScheme"
    assert lab.evaluate(scheme) == "dark"
    theme(lab, "JupyterLab Light")
    assert lab.evaluate(scheme) == "light"


def test_half_a_window_is_a_narrow_page(lab: Page) -> None:
    lab.set_viewport_size({"width": 840, "height": 900})
    to_tab(lab, "Models")
    expect(lab.locator(".llm-table thead").first).to_have_css("position", "absolute")
    boxes = [
        each.bounding_box() for each in lab.locator(".llm-header > *").locator("visible=true").all()
    ]
    shown = [box for box in boxes if box]
    for first, second in itertools.combinations(shown, 2):
        assert (
            first["x"] + first["width"] <= second["x"]
            or second["x"] + second["width"] <= first["x"]
            or first["y"] + first["height"] <= second["y"]
            or second["y"] + second["height"] <= first["y"]
        )


def test_what_sticks_sticks_to_the_notebook(lab: Page) -> None:
    scrolls = """() => {
        let at = document.querySelector(".llm-page");
        while (["visible", "clip"].includes(getComputedStyle(at).overflowY)) at = at.parentElement;
        return at.className;
    }"""
    assert "jp-WindowedPanel-outer" in lab.evaluate(scrolls)
