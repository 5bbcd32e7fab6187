"""The load test of a service in a browser: its price, its stop, its results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from llm_widgets.domain.load_tests import kept
from llm_widgets.domain.load_tests.advice import Told
from llm_widgets.gcp.run import service_json
from local_cloud.testing.waiting import until
from tests.contract.engine import deploy
from tests.contract.product import PARENT, Product
from tests.contract.slotted_engine import slotted
from tests.e2e.services_tab import check_sizes, cloud_with_model, row_of
from tests.unit.queue_server import QueueServer
from tests.unit.test_load_tests import curve, made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Locator

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]

NAME = f"{PARENT}/services/queue"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the engine writes how many requests it has."""
    return tmp_path_factory.mktemp("state") / "running"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, state: Path) -> Iterator[Product]:
    with cloud_with_model(tmp_path_factory.mktemp("cloud")) as started:
        made = slotted(1, state, at_once=2, instances=2)
        template = made.template
        template.node_selector.accelerator = "nvidia-l4"
        template.gpu_zonal_redundancy_disabled = True
        limits = {"cpu": "4", "memory": "16Gi", "nvidia.com/gpu": "1"}
        template.containers[0].resources.limits.update(limits)
        deploy(started, "queue", made)
        yield started


@pytest.fixture
def page(open_page: Callable[[str], Page], url: str) -> Page:
    page = open_page(url)
    page.get_by_role("tab", name="Services", exact=True).click()
    open_metrics(page)
    return page


def open_metrics(page: Page) -> None:
    row_of(page, "queue").get_by_role("link", name="queue", exact=True).click()
    page.get_by_role("tab", name="Metrics", exact=True).click()


def begin(page: Page, seconds: str, violations: Callable[..., list[str]]) -> None:
    """Begin a test once its price is told."""
    page.get_by_role("button", name="Run load test").click()
    dialog = page.get_by_role("dialog", name="Run load test")
    expect(dialog.get_by_text("1, 2 at once. An instance costs $1.05 an hour")).to_be_visible()
    expect(dialog.get_by_text("the service runs one instance at most")).to_be_visible()
    assert violations(page) == []
    times = dialog.get_by_label("Time")
    expect(times.get_by_role("option").first).to_have_text("3 min, at most $0.05")
    times.select_option(seconds)
    dialog.get_by_role("button", name="Run").click()


def table(page: Page) -> Locator:
    return page.get_by_role("table", name="Load test")


def limit(product: Product) -> object:
    document = service_json.read(product.clients, NAME)
    return document["annotations"].get(kept.LIMITS_ANNOTATION)


def test_a_service_is_measured(
    page: Page, product: Product, violations: Callable[..., list[str]]
) -> None:
    begin(page, "20", violations)
    rows = table(page).get_by_role("row")
    expect(page.get_by_text("Set the concurrency of the service to 1, not 2")).to_be_visible()
    expect(page.get_by_text("1M tokens of answers cost $")).to_have_count(2)
    expect(rows).to_have_count(5)
    expect(rows.nth(1)).to_contain_text("Short chat")
    expect(rows.nth(4)).to_contain_text("Long prompt")
    charts = page.locator(".llm-chart").filter(has_text="By concurrent requests")
    expect(charts).to_have_count(6)
    expect(charts.locator(".llm-chart-marked")).to_have_count(6)
    expect(page.get_by_text("Kept with the service")).to_be_visible()
    assert limit(product) is None
    check_sizes(page, violations)
    # Who comes later sees it, too.
    page.reload()
    page.get_by_role("tab", name="Metrics", exact=True).click()
    expect(table(page).get_by_role("row")).to_have_count(5)


def test_one_that_is_stopped_left_or_broken_off_can_be_undone(
    page: Page, product: Product, state: Path, violations: Callable[..., list[str]]
) -> None:
    begin(page, "180", violations)
    stop = page.get_by_role("button", name="Stop", exact=True)
    expect(page.get_by_text("Short chat: 1 at once")).to_be_visible()
    assert limit(product)
    assert violations(page) == []
    stop.click()
    expect(page.get_by_role("button", name="Run load test")).to_be_enabled()
    expect(stop).to_be_hidden()
    assert limit(product) is None
    until(lambda: state.read_text() == "0")

    begin(page, "180", violations)
    expect(page.get_by_text("Short chat: 1 at once")).to_be_visible()
    page.get_by_role("button", name="Back to services").click()
    until(lambda: limit(product) is None)
    until(lambda: state.read_text() == "0")

    document = service_json.read(product.clients, NAME)
    told = '{"at": "2026-12-03T05:00:00+00:00", "by": "ada@example.com"}'
    document["annotations"][kept.LIMITS_ANNOTATION] = told
    document["scaling"] = {"maxInstanceCount": 1}
    service_json.patch(product.clients, document, ["annotations", "scaling"])
    open_metrics(page)
    warned = page.get_by_text("limited this service to one instance: since 2026-12-03 05:00 UTC")
    expect(warned).to_be_visible()
    page.get_by_role("button", name="Restore limit").click()
    expect(warned).to_be_hidden()
    assert limit(product) is None
    assert "maxInstanceCount" not in service_json.read(product.clients, NAME).get("scaling", {})


def test_a_closed_page_leaves_nothing(
    page: Page, product: Product, state: Path, violations: Callable[..., list[str]]
) -> None:
    begin(page, "180", violations)
    expect(page.get_by_text("Short chat: 1 at once")).to_be_visible()
    assert limit(product)
    page.close(run_before_unload=False)
    until(lambda: limit(product) is None)
    until(lambda: state.read_text() == "0")


def test_what_is_advised_is_reviewed_in_the_form_before_it_is_sent(
    page: Page, product: Product, violations: Callable[..., list[str]]
) -> None:
    test = made(curve(QueueServer(1), most=2), told=Told(2))
    document = service_json.read(product.clients, NAME)
    document["annotations"][kept.ANNOTATION] = kept.written(test)
    service_json.patch(product.clients, document, ["annotations"])
    page.get_by_role("button", name="Set concurrency to 1 …").click()
    expect(page.get_by_role("heading", name="Edit queue")).to_be_visible()
    page.get_by_role("button", name="Review changes").click()
    dialog = page.get_by_role("dialog", name="Deploy these changes?")
    expect(dialog.get_by_text("Concurrent requests per instance")).to_be_visible()
    assert violations(page) == []
    dialog.get_by_role("button", name="Deploy changes").click()

    def at_once() -> object:
        return service_json.read(product.clients, NAME)["template"]["maxInstanceRequestConcurrency"]

    until(lambda: at_once() == 1)
    page.get_by_role("tab", name="Metrics", exact=True).click()
    expect(table(page)).to_be_visible()
    expect(page.get_by_role("button", name="Set concurrency to")).to_be_hidden()
