"""The page as on a server, with the local cloud in the place of Google, and steps in Services."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from llm_widgets.gcp.run import rollout, service_list, services
from tests.contract.product import PROJECT, Product, running
from tests.contract.served_model import BUCKET, put_served_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from playwright.sync_api import Locator


MOST_STEPS = 50  # that Chromium keeps of a tab's history


@contextmanager
def cloud_with_model(folder: Path) -> Iterator[Product]:
    """Run a local cloud whose bucket has a model."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LLM_WIDGETS_PROJECT", PROJECT)
        for started in running(folder, environment):
            put_served_model(started)
            yield started


@contextmanager
def served_page(product: Product, folder: Path) -> Iterator[str]:
    """Serve the page, and give its URL; its log must stay without a traceback."""
    log = (folder / "page.log").open("w+")
    process = subprocess.Popen(
        [sys.executable, "-m", "llm_widgets", "serve", "--port", "0", "--host", "127.0.0.1"],
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env={
            **os.environ,
            **product.environment,
            "LLM_WIDGETS_PROJECT": PROJECT,
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        },
    )
    assert process.stdout is not None
    found = re.search(r"http://\S+", process.stdout.readline())
    log.seek(0)
    assert found, log.read()
    try:
        yield found[0]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
    log.seek(0)
    assert "Traceback" not in (said := log.read()), said


def row_of(page: Page, name: str) -> Locator:
    """Return a service's row in the table of services; the costs have rows of their own."""
    table = page.get_by_role("table", name="Services", exact=True)
    return table.get_by_role("row").filter(has_text=name)


def begin_to_deploy(page: Page, model: str) -> None:
    """Open the form that deploys a model, with what is advanced."""
    page.get_by_role("tab", name="Models", exact=True).click()
    expect(page.get_by_role("heading", name=BUCKET)).to_be_visible()
    page.get_by_role("button", name=f"Deploy {model}").click()
    expect(page.get_by_role("heading", name=f"Deploy {model}")).to_be_visible()
    unfold(page, "Advanced")


def unfold(page: Page, card: str) -> None:
    """Open a part of the form that is folded at first."""
    page.locator("summary").filter(has=page.get_by_role("heading", name=card, exact=True)).click()


def deploy(page: Page, name: str) -> None:
    """Send the form, and see the page of the service: no list of services is a step between."""
    steps = page.evaluate("history.length")
    page.get_by_role("button", name="Deploy", exact=True).click()
    expect(page.get_by_role("tab", name="Overview")).to_be_visible()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_in_viewport()
    expect(page).to_have_url(re.compile(f"/{name}$"))
    assert page.evaluate("history.length") == min(steps + 1, MOST_STEPS)


def ready(page: Page) -> None:
    """See the service come up."""
    step = page.locator(".llm-detail").filter(has_text="Ready").locator("[data-state=ok]")
    expect(step.first).to_be_visible()


def delete(page: Page, name: str) -> None:
    """Delete the service on its page."""
    page.get_by_role("button", name="Delete", exact=True).click()
    confirm = page.get_by_role("dialog", name=f"Delete {name}?")
    confirm.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No services yet.")).to_be_visible()


def remove_all(product: Product) -> None:
    """Delete all services, as somebody else does."""
    for each in service_list.list_services(product.clients, PROJECT).services:
        operation = services.delete(product.clients, each.name)
        for _ in rollout.follow(product.clients, operation, period=0.1):
            pass


def ask(page: Page, text: str, *, most_tokens: int) -> None:
    """Ask the model of an open service something, for a short answer."""
    page.locator("summary", has_text="Settings").locator("visible=true").click()
    page.get_by_label("Maximum tokens of an answer").fill(str(most_tokens))
    page.get_by_label("Prompt", exact=True).fill(text)
    page.get_by_role("button", name="Send", exact=True).click()


def check_sizes(
    page: Page, violations: Callable[[Page], list[str]], widths: Iterable[int] = (1280, 390)
) -> None:
    """Check what is shown on a desk and on a telephone: it fits, and axe finds nothing."""
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        assert violations(page) == []
    page.set_viewport_size({"width": 1280, "height": 800})
