"""The list of services in a browser: rows that open, are chosen and deleted; its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.contract.product import REGION
from tests.contract.quick_services import deployed
from tests.contract.served_model import BUCKET, RECORD
from tests.e2e.services_tab import row_of
from tests.e2e.witness import has_shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Locator

    from tests.contract.product import Product

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]

NAMES = ("alpha", "beta", "gamma")


@pytest.fixture
def listed(open_page: Callable[[str], Page], product: Product, url: str) -> Iterator[Page]:
    with deployed(product, *NAMES):
        page = open_page(url)
        page.get_by_role("tab", name="Services", exact=True).click()
        for name in NAMES:
            expect(row_of(page, name)).to_be_visible()
        yield page
        product.faults.reset()


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


def test_of_several_that_are_deleted_one_fails_and_stays_selected(
    listed: Page, product: Product, violations: Callable[[Page], list[str]]
) -> None:
    page = listed
    held = "DELETE /v2/projects/[^/]+/locations/[^/]+/services/beta$"
    denied = "Permission 'run.services.delete' denied on resource"
    product.faults.update(failures=[{"match": held, "status": 403, "message": denied}])
    page.get_by_label("Select all").check()
    expect(page.get_by_text("3 selected", exact=True)).to_be_visible()
    page.get_by_label("Select gamma").uncheck()
    expect(page.get_by_text("2 selected", exact=True)).to_be_visible()
    assert violations(page) == []
    # What is chosen stays it when the list is read again.
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("button", name="Refresh")).to_be_enabled()
    expect(page.get_by_label("Select alpha")).to_be_checked()

    page.get_by_role("button", name="Delete", exact=True).click()
    asked = page.get_by_role("dialog", name="Delete 2 services?")
    for name in ("alpha", "beta"):
        url = cell(page, name, "URL").locator("a").get_attribute("href")
        assert url
        expect(asked).to_contain_text(url.rstrip("/"))
        expect(asked).to_contain_text(f"{name} ({REGION}): {RECORD.id} stays in gs://{BUCKET}")
    assert violations(page) == []
    asked.get_by_role("button", name="Delete").click()
    expect(asked).to_be_hidden()
    has_shown(page, "alpha was deleted.")
    expect(row_of(page, "alpha")).to_have_count(0)
    failed = page.get_by_role("alert").filter(has_text="Deleting beta failed.")
    expect(failed).to_contain_text("run.services.delete")
    expect(failed.get_by_role("group", name="Command")).to_contain_text("gcloud projects")
    expect(page.get_by_label("Select beta")).to_be_checked()
    expect(page.get_by_label("Select gamma")).not_to_be_checked()
    expect(page.get_by_text("1 selected", exact=True)).to_be_visible()
    assert violations(page) == []

    product.faults.update(failures=[])
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog", name="Delete beta?").get_by_role("button", name="Delete").click()
    expect(row_of(page, "beta")).to_have_count(0)
    expect(failed).to_have_count(0)
    expect(row_of(page, "gamma")).to_be_visible()


def test_columns_that_are_hidden_stay_so(
    listed: Page, violations: Callable[[Page], list[str]]
) -> None:
    page = listed
    heading = page.get_by_role("columnheader", name="Framework", exact=True)
    opener = page.get_by_role("button", name="Columns", exact=True)
    opener.focus()
    page.keyboard.press("Enter")
    offered = page.get_by_role("group", name="Columns that are shown").get_by_role("checkbox")
    expect(offered).to_have_count(7)
    expect(page.get_by_label("Status", exact=True)).to_have_count(0)
    page.keyboard.press("Tab")
    expect(page.get_by_label("URL", exact=True)).to_be_focused()
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(heading).to_be_hidden()
    expect(cell(page, "alpha", "Framework")).to_be_hidden()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(offered.first).to_be_hidden()
    expect(opener).to_be_focused()

    page.reload()
    expect(cell(page, "alpha", "Region")).to_be_visible()
    expect(heading).to_be_hidden()
    # A card shows all of them, and offers no choice.
    page.set_viewport_size({"width": 390, "height": 800})
    expect(cell(page, "alpha", "Framework")).to_be_visible()
    expect(opener).to_be_hidden()
    assert violations(page) == []
    page.set_viewport_size({"width": 1280, "height": 800})
    opener.click()
    page.get_by_label("Framework", exact=True).check()
    expect(cell(page, "alpha", "Framework")).to_be_visible()


def test_a_list_that_is_being_read_is_not_said_to_be_empty(listed: Page, product: Product) -> None:
    page = listed
    page.add_init_script("""new MutationObserver(() => {
        window.sawRows ||= document.querySelector("[aria-busy=true] .llm-skeleton") !== null;
    }).observe(document, {subtree: true, childList: true, attributes: true});""")
    product.faults.update(delays={"GET /v2/projects/[^/]+/locations/[^/]+/services$": 1})
    page.reload()
    expect(row_of(page, "alpha")).to_be_visible()
    assert page.evaluate("window.sawRows")
    for text in ("No services yet.", "will appear here", "Choose a project on the General tab"):
        assert not page.evaluate("text => window.hasShown(text)", text)
