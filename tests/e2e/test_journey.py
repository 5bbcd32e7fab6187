"""The whole way, as a newcomer goes it: from an empty folder to a chat, and away again."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]

BUCKET = "journey-models"
SECONDS = 1000  # milliseconds


@pytest.fixture(scope="module")
def manager_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run what `make run` runs, in an empty folder."""
    folder = tmp_path_factory.mktemp("journey")
    log = (folder / "manager.log").open("w+")
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "llm_widgets", "run", "--port", "0", "--offline"),
            *("--data", str(folder / "cloud")),
        ],
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env={**os.environ, "JUPYTER_RUNTIME_DIR": str(folder / "runtime")},
    )
    assert process.stdout is not None
    url = ""
    for line in process.stdout:
        if found := re.search(r"http://\S+", line):
            url = found[0]
            break
    log.seek(0)
    assert url, log.read()
    yield url
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    log.seek(0)
    assert "Traceback" not in log.read()


@pytest.fixture
def page_of(open_page: Callable[[str], Page], manager_url: str) -> Page:
    return open_page(manager_url)


def to_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()
    expect(page.get_by_role("tabpanel", name=name, exact=True)).to_be_visible()


def choose_project(page: Page) -> None:
    """Take the project that is marked, the one of the identity."""
    expect(page.get_by_label("Projects", exact=True)).to_contain_text("local-project")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("button", name="Change")).to_be_visible()


def import_model(page: Page, source: str, model_id: str, new_bucket: str = "") -> None:
    page.get_by_role("button", name="Import model").first.click()
    page.get_by_role("radio", name=source).check()
    page.get_by_label("Model ID").locator("visible=true").fill(model_id)
    if new_bucket:
        page.get_by_label("Where the model goes").select_option(label="Create a bucket")
        page.get_by_label("Name").locator("visible=true").fill(new_bucket)
    page.get_by_role("button", name="Check").click()
    page.get_by_role("button", name="Import", exact=True).click()


def test_from_an_empty_folder_to_a_chat(
    page_of: Page, violations: Callable[[Page], list[str]], manager_url: str
) -> None:
    page = page_of
    # General: the identity, and a project that a reload remembers.
    expect(page.get_by_text("manager@local-project.iam.gserviceaccount.com").first).to_be_visible()
    expect(page.get_by_role("banner")).to_contain_text("Local cloud")
    assert violations(page) == []
    choose_project(page)
    expect(page.get_by_role("banner")).to_contain_text("local-project")
    assert violations(page) == []
    page.reload()
    expect(page.get_by_role("button", name="Change")).to_be_visible(timeout=20 * SECONDS)
    expect(page.get_by_role("banner")).to_contain_text("local-project")

    # Models: a model, with a bucket for it.
    to_tab(page, "Models")
    expect(page.get_by_text("No bucket of this project holds models yet.")).to_be_visible()
    assert violations(page) == []
    import_model(page, "Ollama", "smollm2:135m", new_bucket=BUCKET)
    expect(page.get_by_role("heading", name=BUCKET)).to_be_visible(timeout=20 * SECONDS)
    row = page.get_by_role("row").filter(has_text="smollm2:135m")
    expect(row).to_contain_text("Ready", timeout=60 * SECONDS)
    assert violations(page) == []

    # Deploy, and see it come up.
    row.get_by_role("button", name="Deploy smollm2:135m").click()
    expect(page.get_by_role("heading", name="Deploy smollm2:135m")).to_be_visible()
    expect(page.get_by_role("textbox", name="Service name")).to_have_value("ollama-smollm2-135m")
    assert violations(page) == []
    page.get_by_role("button", name="Deploy", exact=True).click()
    page.get_by_role("button", name="Back to services").click()
    service = page.get_by_role("row").filter(has_text="ollama-smollm2-135m")
    expect(service).to_contain_text("Deploying", timeout=20 * SECONDS)
    expect(service).to_contain_text("Ready", timeout=60 * SECONDS)
    for text in ("smollm2:135m", "Ollama", "NVIDIA L4", "http://"):
        expect(service).to_contain_text(text)
    assert violations(page) == []

    # Use it: the answer streams.
    service.get_by_role("button", name="Try it").click()
    page.get_by_label("Prompt", exact=True).fill("Reply with one short greeting.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text(re.compile(r"First token after [\d.]+ s · \d+ tokens"))).to_be_visible(
        timeout=60 * SECONDS
    )
    answer = page.get_by_role("log", name="Conversation").locator("[data-kind=assistant]")
    expect(answer).to_contain_text(re.compile(r"\w{2,}"))
    assert violations(page) == []

    # Away with it; its files stay.
    page.get_by_role("button", name="Delete").click()
    confirm = page.get_by_role("dialog", name="Delete ollama-smollm2-135m?")
    expect(confirm).to_contain_text("files stay")
    confirm.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No services yet.")).to_be_visible(timeout=30 * SECONDS)
    to_tab(page, "Models")
    expect(row).to_contain_text("Ready")


@pytest.mark.skipif(shutil.which("vllm") is not None, reason="this machine has vLLM")
def test_a_hugging_face_model_without_vllm_ends_in_a_clear_sentence(page_of: Page) -> None:
    page = page_of
    if page.get_by_role("button", name="Confirm").is_visible():
        choose_project(page)
    to_tab(page, "Models")
    expect(page.get_by_role("heading", name=BUCKET)).to_be_visible(timeout=20 * SECONDS)
    import_model(page, "Hugging Face", "local/tiny-llama")
    row = page.get_by_role("row").filter(has_text="local/tiny-llama")
    expect(row).to_contain_text("Ready", timeout=60 * SECONDS)
    row.get_by_role("button", name="Deploy local/tiny-llama").click()
    page.get_by_role("button", name="Deploy", exact=True).click()
    page.get_by_role("button", name="Back to services").click()
    service = page.get_by_role("row").filter(has_text="vllm-tiny-llama")
    expect(service).to_contain_text("Error", timeout=60 * SECONDS)
    expect(service).to_contain_text("no vLLM on this machine")
