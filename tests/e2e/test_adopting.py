"""A service that others deployed, on the page: looked at, tried, adopted, changed and released."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from llm_widgets.gcp.run import service_json
from tests.contract.engine import ENGINE, deploy, service
from tests.contract.product import PARENT
from tests.contract.test_adopting import MODEL, WHO, made
from tests.e2e.services_tab import ask, check_sizes, cloud_with_model, row_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.contract.product import Product

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

NAME = f"{PARENT}/services/theirs"
CHANGES = ("Edit & deploy new revision", "Pause", "Delete")


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with cloud_with_model(tmp_path_factory.mktemp("cloud")) as started:
        deploy(started, "theirs", made("vllm", "serve", MODEL, team="red"))
        deploy(started, "shop", made("serve"))
        deploy(started, "ours", service(ENGINE))
        yield started


@pytest.fixture
def page(open_page: Callable[[str], Page], url: str) -> Page:
    opened = open_page(url)
    opened.get_by_role("tab", name="Services", exact=True).click()
    return opened


def see(page: Page, name: str, *, shown: bool) -> None:
    """See that a button is there, or is not."""
    expect(page.get_by_role("button", name=name, exact=True)).to_be_visible(visible=shown)


def open_theirs(page: Page) -> None:
    row_of(page, "theirs").get_by_role("link", name="theirs", exact=True).click()
    expect(page.get_by_text("Not managed here. Deployed with gcloud.")).to_be_visible()


def test_one_of_others_is_looked_at_and_tried_and_not_changed(
    page: Page, violations: Callable[[Page], list[str]]
) -> None:
    row = row_of(page, "theirs")
    expect(row).to_contain_text("Not managed here")
    expect(row).to_contain_text(MODEL)
    expect(row_of(page, "ours")).not_to_contain_text("Not managed here")
    expect(row_of(page, "shop")).to_have_count(0)
    open_theirs(page)
    recognised = page.locator(".llm-detail").filter(has_text="Recognised")
    expect(recognised).to_contain_text("Certain")
    expect(recognised).to_contain_text("Its command runs “vllm serve”.")
    for name in CHANGES:
        see(page, name, shown=False)
    check_sizes(page, violations)
    page.get_by_role("tab", name="Access", exact=True).click()
    see(page, "Add", shown=False)
    page.get_by_role("tab", name="Revisions", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="100%")).to_be_visible()
    see(page, "Send all traffic to the latest", shown=False)
    see(page, "Send all traffic here", shown=False)
    page.get_by_role("tab", name="Try it", exact=True).click()
    ask(page, "hello there", most_tokens=24)
    expect(page.get_by_text("hello there é")).to_be_visible()


def test_adopted_and_released(
    page: Page, product: Product, violations: Callable[[Page], list[str]]
) -> None:
    before = service_json.read(product.clients, NAME)
    open_theirs(page)
    page.get_by_role("button", name="Adopt", exact=True).click()
    asked = page.get_by_role("dialog", name="Adopt theirs?")
    expect(asked).to_contain_text("No revision is made")
    expect(asked.get_by_role("definition")).to_have_text([WHO, "vllm", "llm-manager"])
    check_sizes(page, violations)
    assert service_json.read(product.clients, NAME) == before
    asked.get_by_role("button", name="Adopt", exact=True).click()
    expect(page.get_by_text("Adopted. Deployed with gcloud.")).to_be_visible()
    for name in CHANGES:
        see(page, name, shown=True)
    adopted = service_json.read(product.clients, NAME)
    assert adopted["labels"]["managed-by"] == "llm-manager"
    assert adopted["template"] == before["template"]
    assert adopted["latestCreatedRevision"] == before["latestCreatedRevision"]

    page.get_by_role("button", name="Edit & deploy new revision").click()
    see(page, "Review changes", shown=True)
    page.get_by_role("button", name="Back", exact=True).click()
    page.get_by_role("button", name="Release", exact=True).click()
    asked = page.get_by_role("dialog", name="Release theirs?")
    asked.get_by_role("button", name="Release", exact=True).click()
    expect(page.get_by_text("Not managed here. Deployed with gcloud.")).to_be_visible()
    for name in CHANGES:
        see(page, name, shown=False)
    assert service_json.read(product.clients, NAME)["labels"] == before["labels"]
