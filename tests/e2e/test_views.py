"""Every view at every size, light and dark, on our own server and in JupyterLab.

Nothing is wider than it may be, axe finds nothing, and ``build/pictures`` gets a picture of each.
"""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.contract.engine import deploy, service
from tests.contract.served_model import BUCKET, RECORD
from tests.contract.test_tasks import ENGINE
from tests.e2e.conftest import PATIENCE
from tests.e2e.lab import run_first_cell, running_lab, theme
from tests.e2e.manager import to_tab
from tests.e2e.services_tab import begin_to_deploy, cloud_with_model, row_of, served_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Locator

    from tests.contract.product import Product

pytestmark = [pytest.mark.e2e, pytest.mark.matrix, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "build" / "pictures"
# Width and height of the window; the last one is the first one at 200 %.
SIZES = {"1280": (1280, 800), "1600": (1600, 1000), "390": (390, 844), "200%": (640, 400)}
LAB_SIZES = {"lab": (1600, 1000), "half": (840, 900)}
NAME = "chats"
SECTIONS = ("Overview", "Logs", "Metrics", "Try it", "Access", "Revisions", "YAML")
_TOO_WIDE = """([...document.querySelectorAll(".llm-page, html")].filter(
    (each) => each.scrollWidth > each.clientWidth + 1).map((each) => each.className))"""


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with cloud_with_model(tmp_path_factory.mktemp("cloud")) as started:
        deploy(started, NAME, service(ENGINE))
        yield started


@pytest.fixture(scope="module")
def own_page(
    browser: Browser, product: Product, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    """Serve the page on our own server, and open it once for all views."""
    with (
        served_page(product, tmp_path_factory.mktemp("page")) as url,
        closing(browser.new_context()) as context,
    ):
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto(url)
        page.get_by_role("tab").first.wait_for()
        yield page


@pytest.fixture(scope="module")
def lab_page(
    browser: Browser, product: Product, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    """Run the notebook of the page in JupyterLab, once for all views."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "notebooks").mkdir()
    shutil.copy(ROOT / "notebooks" / "app.ipynb", folder / "notebooks")
    with (
        running_lab(folder, product.environment) as url,
        closing(browser.new_context(viewport={"width": 1600, "height": 1000})) as context,
    ):
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        run_first_cell(page, url, "app.ipynb")
        yield page


def heading(page: Page, name: str) -> None:
    """See a heading."""
    found = page.get_by_role("heading", name=name, exact=True).locator("visible=true")
    expect(found.first).to_be_visible()


def open_by_name(within: Page | Locator, name: str) -> None:
    """Press a name in a table: with an address of its own a link, else a button."""
    link = within.get_by_role("link", name=name, exact=True)
    link.or_(within.get_by_role("button", name=name, exact=True)).first.click()


def general(page: Page) -> None:
    to_tab(page, "General")
    heading(page, "Project")


def models(page: Page) -> None:
    to_tab(page, "Models")
    heading(page, BUCKET)


def model(page: Page) -> None:
    models(page)
    open_by_name(page, RECORD.id)
    heading(page, RECORD.id)


def importing(page: Page) -> None:
    models(page)
    page.get_by_role("button", name="Import model").first.click()
    heading(page, "Import model")


def services(page: Page) -> None:
    to_tab(page, "Services")
    expect(row_of(page, NAME)).to_contain_text("Ready")


def section(name: str) -> Callable[[Page], None]:
    def show(page: Page) -> None:
        services(page)
        open_by_name(row_of(page, NAME), NAME)
        page.get_by_role("tab", name=name, exact=True).click()

    return show


def edit(page: Page) -> None:
    section("Overview")(page)
    page.get_by_role("button", name="Edit & deploy new revision").click()
    heading(page, f"Edit {NAME}")


VIEWS: dict[str, Callable[[Page], None]] = {
    "general": general,
    "models": models,
    "model": model,
    "import": importing,
    "deploy": lambda page: begin_to_deploy(page, RECORD.id),
    "services": services,
    **{f"service-{name.lower().replace(' ', '-')}": section(name) for name in SECTIONS},
    "edit": edit,
}


def look(page: Page, name: str, *, whole: bool) -> None:
    """See that nothing is wider than it may be, and keep a picture."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=PICTURES / f"{name}.png", full_page=whole, animations="disabled")
    assert page.evaluate(_TOO_WIDE) == [], name


@pytest.mark.parametrize("view", VIEWS)
def test_on_our_own_server(own_page: Page, violations: Callable[..., list[str]], view: str) -> None:
    page = own_page
    page.set_viewport_size({"width": 1280, "height": 800})
    VIEWS[view](page)
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark")
        look(page, f"{view}-{size}-dark", whole=True)
        page.emulate_media(color_scheme="light")
        look(page, f"{view}-{size}-light", whole=True)
        assert violations(page) == [], size
    page.set_viewport_size({"width": 1280, "height": 800})
    to_list(page)


def test_the_first_screen_of_a_deployment_has_its_first_fields(own_page: Page) -> None:
    VIEWS["deploy"](own_page)
    for width, height in SIZES.values():
        own_page.set_viewport_size({"width": width, "height": height})
        own_page.evaluate("scrollTo(0, 0)")
        expect(own_page.get_by_label("Engine", exact=True)).to_be_in_viewport(ratio=1)
    to_list(own_page)


@pytest.mark.parametrize("view", VIEWS)
def test_in_jupyterlab(lab_page: Page, violations: Callable[..., list[str]], view: str) -> None:
    page = lab_page
    page.set_viewport_size({"width": 1600, "height": 1000})
    VIEWS[view](page)
    for scheme in ("Dark", "Light"):
        theme(page, f"JupyterLab {scheme}")
        for size, (width, height) in LAB_SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            look(page, f"{view}-{size}-{scheme.lower()}", whole=False)
            assert violations(page, ".llm-page") == [], size
    page.set_viewport_size({"width": 1600, "height": 1000})
    to_list(page)


def to_list(page: Page) -> None:
    """Leave what is open, so that the next view begins at the lists."""
    for name in ("Models", "Services"):
        to_tab(page, name)
        page.get_by_role("tab", name=name, exact=True).click()
