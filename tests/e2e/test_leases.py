"""A service that is paused at a time, on the page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect

from llm_widgets.gcp import scheduler
from tests.contract.engine import ENGINE, deploy, service
from tests.contract.product import PARENT
from tests.e2e.conftest import PATIENCE
from tests.e2e.services_tab import check_sizes, cloud_with_model, row_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.contract.product import Product

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

NAME = f"{PARENT}/services/ours"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with cloud_with_model(tmp_path_factory.mktemp("cloud")) as started:
        deploy(started, "ours", service(ENGINE))
        yield started


def test_it_is_set_shown_carried_out_and_ended(
    open_page: Callable[[str], Page],
    url: str,
    product: Product,
    violations: Callable[[Page], list[str]],
) -> None:
    page = open_page(url)
    page.get_by_role("tab", name="Services", exact=True).click()
    row_of(page, "ours").get_by_role("link", name="ours", exact=True).click()
    page.get_by_role("button", name="Pause later").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Pause ours later?")).to_be_visible()
    check_sizes(page, violations)
    dialog.get_by_label("When").select_option(label="In 2 hours")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Automatic pause")).to_be_visible()
    expect(page.get_by_text("Pauses at").first).to_be_visible()
    check_sizes(page, violations)
    assert scheduler.job_of(NAME) in {
        each.name for each in product.clients.scheduler.list_jobs(parent=PARENT)
    }
    product.faults.update(schedule_ahead=2 * 3600 + 120)
    expect(page.get_by_role("button", name="Resume", exact=True)).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name="Pause later")).to_be_hidden()
    check_sizes(page, violations)
    page.get_by_role("button", name="Resume", exact=True).click()
    expect(page.get_by_role("button", name="Pause later")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Automatic pause")).to_be_hidden()
    product.faults.reset()
    assert not list(product.clients.scheduler.list_jobs(parent=PARENT))


def test_without_cloud_scheduler_it_is_told(
    open_page: Callable[[str], Page], url: str, product: Product
) -> None:
    product.faults.update(disabled_apis=["cloudscheduler.googleapis.com"])
    page = open_page(url)
    page.get_by_role("tab", name="Services", exact=True).click()
    row_of(page, "ours").get_by_role("link", name="ours", exact=True).click()
    page.get_by_role("button", name="Pause later").click()
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Nothing pauses it automatically.").first).to_be_visible()
    product.faults.reset()


def test_any_time_with_the_clock_of_the_browser_and_none(
    browser: Browser, url: str, violations: Callable[[Page], list[str]]
) -> None:
    context = browser.new_context(timezone_id="Asia/Kolkata")  # 5 hours and a half before UTC
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(url)
    page.get_by_role("tab", name="Services", exact=True).click()
    row_of(page, "ours").get_by_role("link", name="ours", exact=True).click()
    page.get_by_role("button", name="Pause later").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("When").select_option(label="At a time")
    time = dialog.get_by_label("Time (Asia/Calcutta)")
    day = datetime.now(UTC).date() + timedelta(days=3)
    time.fill(f"{day - timedelta(days=30)}T12:00")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("06:30 UTC is over.")).to_be_visible()
    time.fill(f"{day}T12:00")
    check_sizes(page, violations)
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text(f"Pauses at {day} 06:30 UTC").first).to_be_visible()
    page.get_by_role("button", name="Pause later").click()
    dialog.get_by_label("When").select_option(label="Not automatically")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Automatic pause")).to_be_hidden()
    context.close()
