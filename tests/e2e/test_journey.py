"""The whole way, as a newcomer goes it: from an empty folder to a chat, and away again."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.manager import choose_project, import_model, running_manager, to_tab
from tests.e2e.witness import has_shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]

BUCKET = "journey-models"


@pytest.fixture(scope="module")
def manager_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_manager(tmp_path_factory.mktemp("journey")) as manager:
        yield manager.url


@pytest.fixture
def page_of(open_page: Callable[[str], Page], manager_url: str) -> Page:
    return open_page(manager_url)


def test_from_an_empty_folder_to_a_chat(
    page_of: Page, violations: Callable[[Page], list[str]]
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
    expect(page.get_by_role("button", name="Change")).to_be_visible()
    expect(page.get_by_role("banner")).to_contain_text("local-project")

    # Models: a model, with a bucket for it.
    to_tab(page, "Models")
    expect(page.get_by_text("No bucket of this project holds models yet.")).to_be_visible()
    assert violations(page) == []
    import_model(page, "Ollama", "smollm2:135m", new_bucket=BUCKET)
    expect(page.get_by_role("heading", name=BUCKET, exact=True)).to_be_visible()
    row = page.get_by_role("row").filter(has_text="smollm2:135m")
    expect(row).to_contain_text("Ready")
    assert violations(page) == []

    # Deploy, and see it come up.
    row.get_by_role("button", name="Deploy smollm2:135m").click()
    expect(page.get_by_role("heading", name="Deploy smollm2:135m")).to_be_visible()
    expect(page.get_by_role("textbox", name="Service name")).to_have_value("ollama-smollm2-135m")
    assert violations(page) == []
    page.get_by_role("button", name="Deploy", exact=True).click()
    page.get_by_role("button", name="Back to services").click()
    service = page.get_by_role("row").filter(has_text="ollama-smollm2-135m")
    has_shown(page, "Deploying")
    expect(service).to_contain_text("Ready")
    for text in ("smollm2:135m", "Ollama", "NVIDIA L4", "http://"):
        expect(service).to_contain_text(text)
    assert violations(page) == []

    # Use it: the answer streams.
    service.get_by_role("button", name="Try it").click()
    page.get_by_label("Prompt", exact=True).fill("Reply with one short greeting.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text(re.compile(r"First token after [\d.]+ s · \d+ tokens"))).to_be_visible()
    answer = page.get_by_role("log", name="Conversation").locator("[data-kind=assistant]")
    expect(answer).to_contain_text(re.compile(r"\S"))
    assert violations(page) == []

    # Away with it; its files stay.
    page.get_by_role("button", name="Delete").click()
    confirm = page.get_by_role("dialog", name="Delete ollama-smollm2-135m?")
    expect(confirm).to_contain_text("files stay")
    confirm.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No services yet.")).to_be_visible()
    to_tab(page, "Models")
    expect(row).to_contain_text("Ready")


@pytest.mark.skipif(shutil.which("vllm") is not None, reason="this machine has vLLM")
def test_a_hugging_face_model_without_vllm_ends_in_a_clear_sentence(page_of: Page) -> None:
    page = page_of
    if page.get_by_role("button", name="Confirm").is_visible():
        choose_project(page)
    to_tab(page, "Models")
    expect(page.get_by_role("heading", name=BUCKET, exact=True)).to_be_visible()
    import_model(page, "Hugging Face", "local/tiny-llama")
    row = page.get_by_role("row").filter(has_text="local/tiny-llama")
    expect(row).to_contain_text("Ready")
    row.get_by_role("button", name="Deploy local/tiny-llama").click()
    page.get_by_role("button", name="Deploy", exact=True).click()
    page.get_by_role("button", name="Back to services").click()
    service = page.get_by_role("row").filter(has_text="vllm-tiny-llama")
    expect(service).to_contain_text("Error")
    expect(service).to_contain_text("it has no vLLM")
