"""The way of the guide to the page, with a picture of each step for the documentation.

They go to ``build/guide``; ``make pictures`` takes them over into ``docs/pictures``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.manager import (
    RunningManager,
    choose_project,
    fill_in_import,
    running_manager,
    to_tab,
)
from tests.e2e.services_tab import ask, deploy, ready, row_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.matrix, pytest.mark.timeout(600)]

PICTURES = Path(__file__).parents[2] / "build" / "guide"
BUCKET = "my-models"
MODEL = "smollm2:135m"
SERVICE = "smollm2"


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningManager]:
    with running_manager(tmp_path_factory.mktemp("guide")) as started:
        yield started


def picture(page: Page, name: str, *, is_scrolled: bool = False) -> None:
    """Keep what a window of usual size shows, from the top unless it is scrolled on purpose."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    # A toast would hide what the step is about; one may go by itself meanwhile.
    page.evaluate("document.querySelectorAll('.llm-toast button').forEach((each) => each.click())")
    page.mouse.move(0, 0)
    if not is_scrolled:
        page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")


def test_each_step_of_the_guide(open_page: Callable[[str], Page], manager: RunningManager) -> None:
    page = open_page(manager.url)
    choose_project(page)
    expect(page.get_by_text(re.compile(r"^All \d+ checks passed$"))).to_be_visible()
    picture(page, "general")

    to_tab(page, "Models")
    fill_in_import(page, "Ollama", MODEL, new_bucket=BUCKET)
    page.get_by_role("button", name="Check").click()
    start = page.get_by_role("button", name="Import", exact=True)
    expect(start).to_be_enabled()
    start.scroll_into_view_if_needed()
    picture(page, "plan", is_scrolled=True)
    manager.faults(bandwidth=4_000_000)
    start.click()
    expect(page.get_by_text(re.compile("about .* left"))).to_be_visible()
    picture(page, "import")
    manager.faults()
    row = page.get_by_role("row").filter(has_text=MODEL)
    expect(row).to_contain_text("Ready")
    row.get_by_role("link", name=MODEL).click()
    expect(page.get_by_role("row").filter(has_text="Weights")).to_contain_text("98.4 MB")
    page.get_by_role("button", name="Back to models").locator("visible=true").click()

    row.get_by_role("button", name=f"Deploy {MODEL}").click()
    name = page.get_by_role("textbox", name="Service name")
    name.fill(SERVICE)
    name.press("Tab")
    expect(page.get_by_text("Available in europe-west1")).to_be_visible()
    picture(page, "deploy")
    deploy(page, SERVICE)
    ready(page)
    picture(page, "service")

    page.get_by_role("button", name="Try it", exact=True).click()
    ask(page, "Write one sentence about the sea.", most_tokens=60)
    expect(page.get_by_text(re.compile(r"First token after [\d.]+ s .* tokens"))).to_be_visible()
    picture(page, "chat")

    page.get_by_role("button", name="Back to services").click()
    expect(row_of(page, SERVICE)).to_contain_text("Ready")
    picture(page, "services")
