"""The notebook of a data scientist, run in JupyterLab as a person runs it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect

from llm_widgets.cli.local_cloud import IMAGES, product_environment
from local_cloud.cloud import LocalCloud
from tests.e2e.conftest import PATIENCE
from tests.e2e.lab import opened_notebook, running_lab

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.matrix, pytest.mark.timeout(420)]

ROOT = Path(__file__).parents[2]
# An import and a deployment on a busy machine, in milliseconds.
LONG = 240_000


@pytest.fixture(scope="module")
def lab_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the notebooks of the repository, whose kernels find a local cloud."""
    pytest.importorskip("xllamacpp")
    cloud = LocalCloud(tmp_path_factory.mktemp("cloud"), offline=True, images=IMAGES)
    cloud.start()
    folder = tmp_path_factory.mktemp("lab")
    (folder / "notebooks").mkdir()
    tour = ROOT / "notebooks" / "tour.ipynb"
    (folder / "notebooks" / tour.name).write_bytes(tour.read_bytes())
    with running_lab(folder, product_environment(cloud.environment())) as url:
        yield url
    cloud.stop()


def output(page: Page, source: str) -> str:
    """Return the text below the cell that contains some code, which must have run."""
    cell = page.locator(".jp-CodeCell").filter(has_text=source)
    cell.scroll_into_view_if_needed()
    expect(cell.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]:"))
    return cell.locator(".jp-OutputArea").inner_text()


def test_the_tour_is_run_cell_by_cell(browser: Browser, lab_url: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    opened_notebook(page, lab_url, "tour.ipynb")
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
    last = page.locator(".jp-CodeCell").filter(has_text="manager.delete(NAME)")
    expect(last.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]:"), timeout=LONG)
    assert "Ready" in output(page, "service = manager.deploy(")
    assert output(page, 'answer = ""').strip()
    services = page.locator(".jp-CodeCell").filter(has_text="manager.services()").first
    services.scroll_into_view_if_needed()
    expect(services.get_by_role("row").filter(has_text="tour-smollm2")).to_contain_text("Ready")
    failure = output(page, "max_instancs")
    assert "max_instances" in failure.replace("max_instancs", "")  # the nearest is named
    assert "Traceback" not in failure
    context.close()
