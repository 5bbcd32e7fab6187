"""The Services tab in a browser: deployed, used, changed, removed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.contract.product import REGION
from tests.contract.served_model import BUCKET, RECORD
from tests.e2e.services_tab import (
    ask,
    begin_to_deploy,
    cloud_with_model,
    delete,
    deploy,
    ready,
    row_of,
    unfold,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.contract.product import Product

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]

NAME = "ollama-smollm2-135m"
WIDTHS = (390, 1280, 1600)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    pytest.importorskip("xllamacpp")
    with cloud_with_model(tmp_path_factory.mktemp("cloud")) as started:
        yield started


@pytest.fixture
def page_of(open_page: Callable[[str], Page], url: str) -> Page:
    page = open_page(url)
    begin_to_deploy(page, RECORD.id)
    expect(page.get_by_role("textbox", name="Service name")).to_have_value(NAME)
    return page


def section(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_deployed_tried_changed_and_removed(
    page_of: Page, violations: Callable[[Page], list[str]]
) -> None:
    page = page_of
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert fits(page), width
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(page.get_by_text("$1.42 per hour while an instance is running.")).to_be_visible()
    expect(page.get_by_text("Available in europe-west1.")).to_be_visible()

    # What is changed can be restored; what is wrong is told at its field, also by Cloud Run.
    minimum = page.get_by_label("Minimum instances", exact=True)
    minimum.fill("1")
    expect(page.get_by_text(re.compile(r"At least \$\d+\.\d\d a day"))).to_be_visible()
    page.get_by_role("button", name="Restore the default of Minimum instances").click()
    expect(minimum).to_have_value("0")

    # What depends on a choice follows it; what is rarely changed is folded, and unfolds itself.
    page.get_by_label("GPU", exact=True).select_option("None")
    expect(page.get_by_text("every 10 s, for at most 600 s")).to_be_visible()
    page.get_by_label("GPU", exact=True).select_option("NVIDIA L4 (24 GB)")
    expect(page.get_by_text("every 10 s, for at most 1800 s")).to_be_visible()
    failures = page.get_by_label("Failures", exact=True)
    expect(failures).to_be_hidden()
    page.get_by_text("Startup probe", exact=True).click()
    failures.fill("181")
    page.get_by_text("Startup probe", exact=True).click()
    expect(page.get_by_text("The startup probe lasts 1810 seconds")).to_be_visible()
    page.get_by_role("button", name="Restore the default of Failures").click()
    page.get_by_role("button", name="Check").click()
    accepted = page.get_by_text("Check passed: Cloud Run accepts this configuration")
    expect(accepted).to_be_in_viewport()
    page.get_by_label("Format").select_option("Terraform")
    expect(page.get_by_text('resource "google_cloud_run_v2_service"')).to_be_visible()
    # The default account reads it as an editor of the project: there is nothing to grant.
    expect(page.get_by_text(re.compile(f"can read gs://{BUCKET}\\.$"))).to_be_visible()
    assert violations(page) == []

    deploy(page, NAME)
    ready(page)
    for step in ("Created", "Image", "Container started", "Weights loading", "Probe passed"):
        # The log tells when, which comes later than Cloud Run's answer.
        shown = page.locator(".llm-detail").filter(has_text=step).first
        expect(shown).to_contain_text(re.compile(r"\d\d:\d\d:\d\d"))
    assert violations(page) == []

    section(page, "Try it")
    ask(page, "Reply with one short greeting.", most_tokens=24)
    figures = page.get_by_text(re.compile(r"First token after [\d.]+ s · \d+ tokens"))
    expect(figures).to_be_visible()
    expect(page.get_by_text("gcloud auth print-identity-token")).to_be_visible()
    assert violations(page) == []

    look_through_the_sections(page, violations)
    back_by_the_tab(page)
    change_the_concurrency(page, violations)
    delete(page, NAME)


def look_through_the_sections(page: Page, violations: Callable[[Page], list[str]]) -> None:
    section(page, "Logs")
    expect(page.get_by_role("log", name="Log", exact=True)).to_contain_text("probe succeeded")
    page.get_by_label("Search", exact=True).fill("probe succeeded")
    page.get_by_label("Search", exact=True).press("Enter")
    expect(page.get_by_role("log", name="Log", exact=True)).not_to_contain_text("Listening")
    assert violations(page) == []

    section(page, "Metrics")
    expect(page.get_by_text(re.compile(r"peak [1-9]")).first).to_be_visible()
    requests = page.locator(".llm-chart").filter(has_text=re.compile("^Requests"))
    requests.get_by_text("Show as table").click()
    expect(requests.get_by_role("cell").first).to_have_text(re.compile(r"\d\d:\d\d"))
    # What is pointed at is said in place of the newest and the highest.
    requests.locator(".u-over").hover()
    expect(requests.locator(".llm-note")).to_have_text(re.compile(r"\d\d:\d\d.* · \d"))
    page.get_by_label("Time", exact=True).select_option("Last 7 days")
    expect(requests.get_by_role("cell").first).to_have_text(re.compile(r"[A-Z]\w+ \d"))
    assert violations(page) == []
    section(page, "Access")
    page.get_by_label("Member", exact=True).fill("allUsers")
    page.get_by_role("button", name="Add", exact=True).click()
    opening = page.get_by_role("dialog", name="Allow allUsers to call the service?")
    expect(opening).to_contain_text("you pay for it")
    assert violations(page) == []
    opening.get_by_role("button", name="Cancel").click()
    expect(opening).to_be_hidden()
    page.get_by_label("Member", exact=True).fill("ann@example.org")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="user:ann@example.org")).to_be_visible()
    assert violations(page) == []
    section(page, "Revisions")
    expect(page.get_by_role("row").filter(has_text="100%")).to_be_visible()
    section(page, "YAML")
    expect(page.get_by_text("llm-manager/model: smollm2:135m")).to_be_visible()


def back_by_the_tab(page: Page) -> None:
    """Press the tab that is shown: it leads back to the list, and from there one deploys."""
    to_services = page.get_by_role("tab", name="Services", exact=True)
    to_services.click()
    page.get_by_role("button", name="Deploy", exact=True).click()
    page.get_by_role("button", name=f"Deploy {RECORD.id}").click()
    expect(page.get_by_role("heading", name=f"Deploy {RECORD.id}")).to_be_visible()
    to_services.click()
    row_of(page, NAME).get_by_role("link", name=NAME, exact=True).click()
    facts = page.locator(".llm-facts")
    for fact in ("Ready", REGION, "http://127.0.0.1"):
        expect(facts).to_contain_text(fact)


def change_the_concurrency(page: Page, violations: Callable[[Page], list[str]]) -> None:
    page.get_by_role("button", name="Edit & deploy new revision").click()
    unfold(page, "Advanced")
    page.get_by_label("Concurrent requests per instance", exact=True).fill("2")
    page.get_by_role("button", name="Review changes").click()
    review = page.get_by_role("dialog", name="Deploy these changes?")
    expect(review.get_by_role("definition")).to_have_text(
        ["4", "2", "OLLAMA_NUM_PARALLEL=4", "OLLAMA_NUM_PARALLEL=2"]
    )
    assert violations(page) == []
    review.get_by_role("button", name="Deploy changes").click()
    expect(
        page.locator(".llm-detail").filter(has_text="Concurrent requests per instance")
    ).to_contain_text("2")
    ready(page)
