"""Ten failures that nobody planned for: the cause is told, and what is offered puts it right."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from llm_widgets.domain.services import ServiceState
from llm_widgets.gcp.run import services, summaries
from llm_widgets.serving import codec
from local_cloud.testing.waiting import until
from tests.contract.product import PARENT, Product
from tests.e2e.conftest import Problems
from tests.e2e.services_tab import cloud_with_model, row_of
from tests.e2e.unforeseen import UNFORESEEN, Unforeseen

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with cloud_with_model(tmp_path_factory.mktemp("unforeseen") / "data") as started:
        folder = tmp_path_factory.mktemp("files")
        for name, case in UNFORESEEN.items():  # all start, and fail, at once
            services.create_from(started.clients, codec.document(case.deployment(name, folder)))
        yield started


def open_service(page: Page, name: str) -> None:
    row_of(page, name).get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def put_right(page: Page, case: Unforeseen) -> None:
    """See the cause and the fix, and press its button where it has one."""
    expect(page.get_by_role("alert").filter(has_text=case.cause).first).to_be_visible()
    offer = page.locator(".llm-notice").filter(has_text=case.fix).first
    expect(offer).to_be_visible()
    if case.button:
        offer.get_by_role("button", name=case.button, exact=True).click()


def is_ready(product: Product, name: str) -> bool:
    found = services.get(product.clients, f"{PARENT}/services/{name}")
    return summaries.summary(found).state is ServiceState.READY


def test_each_is_explained_and_put_right(page: Page, product: Product, url: str) -> None:
    problems = Problems(url)
    problems.watch(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(url)
    page.get_by_role("tab", name="Services", exact=True).click()
    for name, case in UNFORESEEN.items():
        open_service(page, name)
        put_right(page, case)
        page.get_by_role("button", name="Back to services").click()
    # All that were pressed start at once.
    for name, case in UNFORESEEN.items():
        if case.button:
            until(partial(is_ready, product, name))
    assert problems.found == []
