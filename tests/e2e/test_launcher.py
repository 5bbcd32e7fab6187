"""The page from JupyterLab's launcher, below a path as a JupyterHub gives to each person."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import Page, expect

from llm_widgets.cli.local_cloud import IMAGES, product_environment
from local_cloud.cloud import LocalCloud
from local_cloud.testing.waiting import until
from tests.e2e.conftest import PATIENCE, Problems
from tests.e2e.fetching import fetch
from tests.e2e.lab import running_lab
from tests.e2e.manager import choose_project, to_tab

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.matrix, pytest.mark.timeout(300)]

TITLE = "Cloud Run LLM Manager"


@pytest.fixture(scope="module")
def lab_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve JupyterLab below a person's path; what it starts finds a local cloud."""
    cloud = LocalCloud(tmp_path_factory.mktemp("cloud"), offline=True, images=IMAGES)
    cloud.start()
    folder = tmp_path_factory.mktemp("lab")
    (folder / "notebooks").mkdir()
    environment = product_environment(cloud.environment())
    with running_lab(folder, environment, base_url="/user/ada@example.com") as url:
        yield url
    cloud.stop()


def port_of_the_page() -> int:
    """Return where the page listens that JupyterLab has started."""
    for each in psutil.Process().children(recursive=True):
        words = each.cmdline()
        if "--base-url" in words:
            return int(words[words.index("--port") + 1])
    raise AssertionError("JupyterLab has started no page.")


def test_the_page_is_opened_used_and_closed(page: Page, lab_url: str) -> None:
    page.set_default_timeout(PATIENCE)
    page.goto(f"{lab_url}/lab")
    with page.expect_popup() as opened:
        page.locator(".jp-LauncherCard").filter(has_text=TITLE).click()
    manager = opened.value
    manager.set_default_timeout(PATIENCE)
    problems = Problems(f"{lab_url}/llm-widgets/")
    problems.watch(manager)
    choose_project(manager)
    assert urlsplit(manager.url).path == "/user/ada@example.com/llm-widgets/"
    manager.reload()
    to_tab(manager, "Services")
    expect(manager.get_by_role("button", name="Deploy").first).to_be_visible()

    direct = f"http://127.0.0.1:{port_of_the_page()}{urlsplit(lab_url).path}/llm-widgets/"
    assert fetch(direct)[0] == 403  # another user of the machine

    kernel = manager.evaluate(
        "JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId"
    )
    address = f"{lab_url}/llm-widgets/api/kernels/{kernel}"
    assert page.request.get(address).status == 200
    manager.close(run_before_unload=True)
    until(lambda: page.request.get(address).status == 404)
    assert problems.found == []
