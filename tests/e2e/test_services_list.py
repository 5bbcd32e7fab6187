"""The list of services in a browser: rows that open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.contract.product import REGION
from tests.contract.quick_services import deployed
from tests.e2e.services_tab import cloud_with_model, row_of, served_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Locator

    from tests.contract.product import Product

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]

NAMES = ("alpha", "beta", "gamma")


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with cloud_with_model(tmp_path_factory.mktemp("cloud")) as started:
        yield started


@pytest.fixture(scope="module")
def url(product: Product, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served_page(product, tmp_path_factory.mktemp("page")) as address:
        yield address


@pytest.fixture
def listed(open_page: Callable[[str], Page], product: Product, url: str) -> Iterator[Page]:
    with deployed(product, *NAMES):
        page = open_page(url)
        page.get_by_role("tab", name="Services", exact=True).click()
        for name in NAMES:
            expect(row_of(page, name)).to_be_visible()
        yield page


def cell(page: Page, name: str, column: str) -> Locator:
    """Return a cell of a service's row."""
    return row_of(page, name).locator(f'[data-label="{column}"]')


def test_a_row_opens_its_service_and_its_name_is_a_link(listed: Page) -> None:
    page = listed
    heading = page.get_by_role("heading", name="alpha", exact=True)
    cell(page, "alpha", "Region").click()
    expect(heading).to_be_visible()
    page.go_back()

    link = row_of(page, "alpha").get_by_role("link", name="alpha", exact=True)
    address = f"#/services/{REGION}/alpha"
    with page.context.expect_page() as by_middle:
        link.click(button="middle")
    assert by_middle.value.url.endswith(address)
    by_middle.value.close()
    with page.context.expect_page() as by_control:
        link.click(modifiers=["Control"])
    assert by_control.value.url.endswith(address)
    by_control.value.close()
    link.focus()
    page.keyboard.press("Enter")
    expect(heading).to_be_visible()
    page.go_back()

    # Text is selected without leaving; what comes after it is heard after it.
    words = cell(page, "alpha", "Region").locator("span").first.bounding_box()
    assert words
    middle = words["y"] + words["height"] / 2
    page.mouse.move(words["x"] + 1, middle)
    page.mouse.down()
    page.mouse.move(words["x"] + words["width"] - 1, middle)
    page.mouse.up()
    selected = page.evaluate("getSelection().toString()")
    assert len(selected) > 3
    assert selected in REGION
    row_of(page, "alpha").get_by_role("button", name="More actions for alpha").click()
    page.get_by_role("menuitem", name="Delete").click()
    asked = page.get_by_role("dialog", name="Delete alpha?")
    asked.get_by_role("button", name="Cancel").click()
    expect(asked).to_be_hidden()
    expect(row_of(page, "alpha")).to_be_visible()
