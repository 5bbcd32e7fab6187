"""The General tab in a browser: projects, the checklist, networks, quotas."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.manager import RunningManager, running_manager

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(240)]

PROJECT = "local-project"
KEY = "llm-widgets.v1"
SIGN_IN = "Google Cloud does not accept the credentials, or no longer does."


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningManager]:
    with running_manager(tmp_path_factory.mktemp("general")) as manager:
        yield manager


@pytest.fixture
def manager(started: RunningManager) -> Iterator[RunningManager]:
    yield started
    started.faults()


@pytest.fixture
def page_of(open_page: Callable[[str], Page], manager: RunningManager) -> Page:
    return open_page(manager.url)


def chosen(page: Page) -> Page:
    """Take the project that is marked, and wait for the checklist."""
    expect(page.get_by_label("Projects", exact=True)).to_contain_text(PROJECT)
    page.get_by_role("button", name="Confirm").click()
    # The checklist, networks, quotas.
    expect(page.get_by_text("Checked just now")).to_have_count(3)
    return page


def reloaded(page: Page) -> Page:
    page.reload()
    page.get_by_role("tab", name="General").wait_for()
    return page


def row(page: Page, title: str) -> Locator:
    """Return the row of the checklist with a title."""
    titled = page.locator(".llm-check-title").filter(has_text=re.compile(f"^{title}$"))
    return page.get_by_role("listitem").filter(has=titled)


def refresh(page: Page) -> None:
    card = page.locator(".llm-card").filter(has_text="Configuration status")
    card.get_by_role("button", name="Refresh").click()


def test_a_project_stays_selected_by_keyboard_alone(
    page_of: Page, violations: Callable[[Page], list[str]]
) -> None:
    page = page_of
    search = page.get_by_label("Search projects")
    expect(page.get_by_label("Projects", exact=True)).to_contain_text(PROJECT)
    assert violations(page) == []
    search.focus()
    page.keyboard.type("demo")
    expect(page.get_by_label("Projects", exact=True)).not_to_contain_text(PROJECT)
    page.keyboard.press("Tab")
    expect(page.get_by_label("Projects", exact=True)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Confirm")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("All 18 checks passed")).to_be_visible()
    assert violations(page) == []
    header = page.locator(".llm-header-project")
    expect(header).to_contain_text("Demo project")
    reloaded(page)
    expect(header).to_contain_text("Demo project")
    page.get_by_role("tab", name="Services").click()
    expect(header).to_contain_text("Demo project")
    header.press("Enter")
    expect(page.get_by_label("Search projects")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Change")).to_be_visible()


def test_where_listing_is_denied_the_id_is_typed(manager: RunningManager, page_of: Page) -> None:
    page = page_of
    # The first answer has come: else it is the one that is denied, and nobody can search.
    expect(page.get_by_label("Projects", exact=True)).to_contain_text(PROJECT)
    manager.faults(failures=[{"match": "projects:search", "status": 403}])
    page.get_by_label("Search projects").fill("x")
    field = page.get_by_label("Project ID")
    expect(field).to_be_visible()
    wrong = {
        "two words": "“two words” is not a project ID",
        "<img src=x onerror=alert(1)>": "“<img src=x onerror=alert(1)>” is not a project ID",
        "a" * 300: "aaa…” is not a project ID",
        "other-project": "does not exist, or you don't have permission to view it",
    }
    for text, told in wrong.items():
        field.fill(text)
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_role("alert").filter(has_text=told)).to_be_visible()
        expect(field).to_have_value(text)
    manager.faults()
    page.get_by_role("button", name="List projects again").click()
    page.get_by_label("Search projects").fill("")
    expect(page.get_by_label("Projects", exact=True)).to_contain_text(PROJECT)
    page.get_by_role("button", name="Enter a project ID").click()
    field.fill(" demo-project ")
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator(".llm-header-project")).to_contain_text("Demo project")


def test_a_corrupt_value_in_the_browser_is_nothing(page_of: Page) -> None:
    page = page_of
    expect(page.get_by_label("Projects", exact=True)).to_contain_text(PROJECT)
    for saved in (
        "{{{ no JSON",
        '{"project": {"id": 1}, "networks": "none"}',
        '{"project": "<b>bold</b>", "networks": {"p": {"kind": ["subnet"]}}}',
    ):
        page.evaluate("([key, value]) => localStorage.setItem(key, value)", [KEY, saved])
        reloaded(page)
        projects = page.get_by_label("Projects", exact=True)
        expect(projects).to_contain_text(PROJECT)
        expect(page.get_by_role("alert")).to_have_count(0)


def test_a_saved_project_that_is_gone_leads_back_with_the_reason(page_of: Page) -> None:
    page = page_of
    # What the page keeps in the browser at its start is written before the list is shown.
    expect(page.get_by_label("Projects", exact=True)).to_contain_text(PROJECT)
    saved = json.dumps({"project": "gone-project"})
    page.evaluate("([key, value]) => localStorage.setItem(key, value)", [KEY, saved])
    reloaded(page)
    told = "The project gone-project does not exist, or you don't have permission to view it."
    expect(page.get_by_text(told)).to_be_visible()
    chosen(page)


def test_denied_then_granted_without_a_reload(
    manager: RunningManager, page_of: Page, violations: Callable[[Page], list[str]]
) -> None:
    page = chosen(page_of)
    services = row(page, "Cloud Run services")
    expect(services).to_have_attribute("data-state", "ok")
    manager.faults(denied_permissions=["run.services.*"], billing_disabled=[PROJECT])
    refresh(page)
    expect(services).to_have_attribute("data-state", "error")
    expect(services.locator(".llm-code")).to_contain_text("--role=roles/run.admin")
    expect(row(page, "Billing")).to_contain_text("The project's billing account is closed.")
    expect(row(page, "Cloud Run jobs")).to_have_attribute("data-state", "ok")
    assert violations(page) == []
    blocker = page.get_by_text("Fix this before you import a model.")
    page.get_by_role("tab", name="Models").click()
    expect(blocker).to_be_visible()
    against = page.get_by_label("Blocks the import")
    expect(against.get_by_role("listitem")).to_have_count(1)
    expect(against).to_contain_text("gcloud billing projects link")
    page.get_by_role("tab", name="General").click()
    for width in (390, 1600):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    manager.faults()
    refresh(page)
    expect(services).to_have_attribute("data-state", "ok")
    expect(page.get_by_text("All 18 checks passed")).to_be_visible()
    page.get_by_role("tab", name="Models").click()
    expect(blocker).not_to_be_visible()


def test_one_click_enables_what_is_missing(manager: RunningManager, page_of: Page) -> None:
    usage = manager.clients().service_usage
    for api in ("vpcaccess", "secretmanager"):
        usage.disable_service(
            request={"name": f"projects/{PROJECT}/services/{api}.googleapis.com"}
        ).result(timeout=20)
    page = chosen(page_of)
    expect(row(page, "Google APIs")).to_contain_text("Secret Manager")
    page.get_by_role("button", name="Enable all 2: Google APIs").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("All 18 checks passed")).to_be_visible()
    expect(row(page, "Google APIs")).to_be_focused()  # the button is gone, the place is not


def test_credentials_that_expire_while_the_page_is_open(
    manager: RunningManager, page_of: Page
) -> None:
    page = chosen(page_of)
    manager.faults(failures=[{"match": "^(?!.*_local)", "status": 401}])
    refresh(page)
    expect(row(page, "Billing")).to_contain_text(SIGN_IN)
    expect(page.locator(".llm-header-project")).to_contain_text("Local project")
    manager.faults()
    refresh(page)
    expect(page.get_by_text("All 18 checks passed")).to_be_visible()


def test_networks(page_of: Page, browser: Browser, manager: RunningManager) -> None:
    page = chosen(page_of)
    card = page.locator(".llm-card").filter(has_text="Networking")
    subnet = card.get_by_role("row").filter(has_text="us-east4")
    expect(subnet).to_contain_text("Private Google Access off")
    subnet.get_by_role("button", name="Turn on").click()
    expect(subnet).to_contain_text("Private Google Access on")
    default = card.get_by_label("Default for all deployments")
    expect(default).to_have_value(re.compile("."))
    subnet.get_by_role("button", name="Use as default").click()
    expect(subnet).to_contain_text("Default")
    reloaded(page)
    expect(subnet).to_contain_text("Default")
    told = "Direct VPC: subnet default of the network default"
    expect(default.locator("option:checked")).to_have_text(told)
    other = browser.new_page()  # of another person: nothing is kept in this browser
    other.goto(manager.url)
    chosen(other)
    elsewhere = other.get_by_label("Default for all deployments")
    expect(elsewhere.locator("option:checked")).to_have_text(told)
    other.context.close()


def test_quotas(page_of: Page, violations: Callable[[Page], list[str]]) -> None:
    page = chosen(page_of)
    card = page.locator(".llm-card").filter(has_text="GPUs and quotas")
    small = card.get_by_role("row").filter(has_text="L4").filter(has_text="us-east4")
    large = card.get_by_role("row").filter(has_text="RTX PRO 6000").filter(has_text="us-central1")
    expect(small).to_contain_text("3 GPUs are free.")
    expect(large).to_contain_text(
        "Needs 80 GiB of memory; the limit is 40 GiB. Request a higher quota."
    )
    large.get_by_role("button", name="Request quota").click()
    dialog = page.get_by_role("dialog")
    # Filled in with what the GPU lacks here.
    expect(dialog.get_by_label("Quota").locator("option:checked")).to_have_text(
        "Memory in GiB, all services"
    )
    expect(dialog.get_by_label("New limit")).to_have_value("80")
    dialog.get_by_label("New limit").fill("100")
    expect(dialog).to_contain_text("--preferred-value=107374182400")
    assert violations(page) == []
    dialog.get_by_role("button", name="Request").click()
    expect(large).to_contain_text("0 of 100 GiB")
