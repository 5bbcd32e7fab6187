"""Places have addresses: opened cold, gone through by Back and Forward, kept by a reload."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from llm_widgets.domain.services import StartupProbe
from llm_widgets.gcp.run import services
from llm_widgets.serving import codec, recipes
from tests.contract.product import PROJECT, REGION
from tests.contract.served_model import BUCKET, RECORD
from tests.e2e.conftest import PATIENCE, Problems
from tests.e2e.planted import added
from tests.e2e.services_tab import cloud_with_model, row_of, served_page, unfold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(180)]

NAME = "chat"
SERVICE = f"services/{REGION}/{NAME}"
PLACES = {
    "general": "General",
    "models": "Models",
    f"models/{BUCKET}/{RECORD.id}": RECORD.id,
    "import": "Import model",
    f"import/{BUCKET}": "Import model",
    f"deploy/{BUCKET}/{RECORD.id}": f"Deploy {RECORD.id}",
    "services": "Services",
    SERVICE: NAME,
    f"{SERVICE}/logs": NAME,
    f"{SERVICE}/yaml": NAME,
    f"{SERVICE}/edit": f"Edit {NAME}",
}
SECTIONS = {f"{SERVICE}/logs": "Logs", f"{SERVICE}/yaml": "YAML", SERVICE: "Overview"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with cloud_with_model(tmp_path_factory.mktemp("cloud")) as product:
        number = product.clients.projects.get_project(name=f"projects/{PROJECT}").name.split("/")[1]
        offered = recipes.defaults(
            RECORD,
            project=PROJECT,
            region=REGION,
            bucket=BUCKET,
            service_account=f"{number}-compute@developer.gserviceaccount.com",
        )
        server = ("/bin/sh", "-c", "exec python3 -m http.server $PORT --bind 127.0.0.1")
        probe = StartupProbe("/", period=1, timeout=1)
        wanted = replace(offered, name=NAME, command=server, probe=probe)
        services.create_from(product.clients, codec.document(wanted))
        with served_page(product, tmp_path_factory.mktemp("page")) as address:
            yield address


def at(page: Page, place: str) -> None:
    """See that a place is shown, and that the address says so."""
    shown = page.get_by_role("heading", level=1, name=PLACES[place], exact=True)
    expect(shown.locator("visible=true")).to_be_visible()
    if place in SECTIONS:
        section = page.get_by_role("tab", name=SECTIONS[place], exact=True)
        expect(section).to_have_attribute("aria-selected", "true")
    expect(page).to_have_url(f"{page.url.partition('#')[0]}#/{place}")


@pytest.fixture(scope="module")
def opened(browser: Browser, url: str) -> Iterator[tuple[Page, Problems]]:
    """Open the page once for the tests that do not need it cold."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE)
    page, problems = context.new_page(), Problems(url)
    problems.watch(page)
    page.goto(url)
    page.get_by_role("tab").first.wait_for()
    yield page, problems
    context.close()


@pytest.fixture
def page(opened: tuple[Page, Problems]) -> Iterator[Page]:
    page, problems = opened
    yield page
    assert problems.found == []


def tab(page: Page, name: str) -> Locator:
    return page.get_by_role("tab", name=name, exact=True)


def link(page: Page, name: str) -> Locator:
    """Return the link of a row; the card of costs has one of that name as well."""
    return row_of(page, name).get_by_role("link", name=name, exact=True)


def test_each_place_is_shown_in_a_fresh_browser(browser: Browser, url: str) -> None:
    context, problems = browser.new_context(), Problems(url)
    context.set_default_timeout(PATIENCE)
    # What another page of the test has kept is not there for this one.
    context.add_init_script("localStorage.clear()")
    # A service's overview is opened cold by its link, below; one section stands for the others.
    cold = [place for place in PLACES if place not in (SERVICE, f"{SERVICE}/yaml")]
    for together in (cold[:3], cold[3:6], cold[6:]):
        pages = [context.new_page() for _ in together]
        for page, place in zip(pages, together, strict=True):
            problems.watch(page)
            page.goto(f"{url}#/{place}", wait_until="commit")
        for page, place in zip(pages, together, strict=True):
            at(page, place)
            if place == f"{SERVICE}/logs":
                expect(page).to_have_title(f"{NAME} - Services - Cloud Run LLM Manager")
            page.close()
    page = context.new_page()
    problems.watch(page)
    page.goto(f"{url}#/services/{REGION}/gone/logs")
    told = page.get_by_text(f"No service gone was found in {REGION} of project {PROJECT}.")
    expect(told).to_be_visible()
    at(page, "services")
    context.close()
    assert problems.found == []


def test_back_and_forward_lead_through_ten_places(page: Page) -> None:
    steps = [
        ("general", tab(page, "General")),
        ("models", tab(page, "Models")),
        (f"models/{BUCKET}/{RECORD.id}", page.get_by_role("link", name=RECORD.id, exact=True)),
        (f"deploy/{BUCKET}/{RECORD.id}", page.get_by_role("button", name="Deploy", exact=True)),
        ("services", tab(page, "Services")),
        (SERVICE, link(page, NAME)),
        (f"{SERVICE}/logs", tab(page, "Logs")),
        (f"{SERVICE}/yaml", tab(page, "YAML")),
        ("general", tab(page, "General")),
        # A tab is as it was left.
        (f"models/{BUCKET}/{RECORD.id}", tab(page, "Models")),
    ]
    for place, leads_there in steps:
        leads_there.locator("visible=true").click()
        at(page, place)
    for place, _ in steps[-2::-1]:
        page.go_back()
        at(page, place)
    for place, _ in steps[1:]:
        page.go_forward()
        at(page, place)


def test_a_place_that_is_gone_says_so(page: Page, url: str) -> None:
    page.goto(f"{url}#/models/{BUCKET}/%3Cimg%20src=x%20onerror=alert(1)%3E")
    expect(page.get_by_text("No model <img src=x onerror=alert(1)> was found")).to_be_visible()
    at(page, "models")
    page.goto(f"{url}#/nowhere/at/all")
    expect(page.get_by_text("This address leads to no place of this page.")).to_be_visible()
    at(page, "general")


def test_a_link_opens_in_a_tab_of_its_own(page: Page, url: str) -> None:
    page.goto(f"{url}#/services")
    with page.context.expect_page() as other:
        link(page, NAME).click(button="middle")
    at(other.value, SERVICE)
    other.value.close()
    at(page, "services")


def kept(page: Page) -> str:
    """Return all that the browser keeps for its tab."""
    return str(page.evaluate("JSON.stringify(sessionStorage)"))


def test_a_form_that_is_filled_in_by_half_survives_a_reload(page: Page, url: str) -> None:
    place = f"deploy/{BUCKET}/{RECORD.id}"
    page.goto(f"{url}#/{place}")
    at(page, place)
    name = page.get_by_label("Service name", exact=True)
    most = page.get_by_label("Maximum instances", exact=True)
    cost = page.get_by_text("At least $")
    unfold(page, "Advanced")
    added("Add an argument", "--api-key=not-to-keep")(page)
    added("Add a variable", "OWN", "not-to-keep")(page)
    name.fill("half-way")
    most.fill("2")
    page.get_by_label("Minimum instances", exact=True).fill("1")
    expect(cost).to_be_visible()
    assert "half-way" in kept(page)
    assert "not-to-keep" not in kept(page)
    page.reload()
    at(page, place)
    expect(name).to_have_value("half-way")
    expect(most).to_have_value("2")
    expect(cost).to_be_visible()  # what is put in again is what the page reckons with
    page.get_by_role("button", name="Cancel").locator("visible=true").click()
    at(page, "models")
    page.go_back()
    at(page, place)
    expect(name).to_have_value("ollama-smollm2-135m")

    place = f"{SERVICE}/edit"
    page.goto(f"{url}#/{place}")
    at(page, place)
    most.fill("3")
    page.reload()
    at(page, place)
    expect(most).to_have_value("3")
