"""The whole way, as a newcomer goes it: from an empty folder to a chat, and away again.

The local cloud is as slow and as strict as Google, but for the length of the minutes.
"""

from __future__ import annotations

import re
import shutil
import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.manager import choose_project, import_model, running_manager, to_tab
from tests.e2e.services_tab import row_of, unfold
from tests.e2e.witness import has_shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]

BUCKET = "journey-models"
GRANT_SECONDS = "6"
# What would be false of somebody who has all rights and a quota, or asks for a click in vain.
FALSE = (
    "which lacks",
    "Access is denied",
    "Deploy again",
    "Someone else made a change",
    "Try again in a minute",
    "or request a higher quota",
    "need a higher quota",
    "can't be read",
    "Permission denied",
)


class Times:
    """How long each part of the way took, in seconds."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._told: list[str] = []

    def done(self, part: str) -> None:
        """End a part."""
        now = time.monotonic()
        self._told.append(f"{part} {now - self._since:.1f} s")
        self._since = now

    def __str__(self) -> str:
        """Write them in their order."""
        return ", ".join(self._told)


@pytest.fixture(scope="module")
def manager_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("journey")
    with running_manager(folder, "--as-slow-as-google", GRANT_SECONDS) as manager:
        yield manager.url


@pytest.fixture
def page_of(open_page: Callable[[str], Page], manager_url: str) -> Page:
    return open_page(manager_url)


def begin(page: Page, violations: Callable[[Page], list[str]]) -> None:
    """See the identity, and choose a project that a reload remembers."""
    expect(page.get_by_text("manager@local-project.iam.gserviceaccount.com").first).to_be_visible()
    expect(page.get_by_role("banner")).to_contain_text("Local cloud")
    assert violations(page) == []
    to_tab(page, "Services")
    expect(page.get_by_text("Services of the project will appear here.")).to_be_visible()
    to_tab(page, "General")
    choose_project(page)
    expect(page.get_by_role("banner")).to_contain_text("local-project")
    assert violations(page) == []
    page.reload()
    expect(page.get_by_role("button", name="Change")).to_be_visible()
    expect(page.get_by_role("banner")).to_contain_text("local-project")


def chat(page: Page) -> None:
    """Ask something by keyboard: the answer streams, and is there when one comes back."""
    box = page.get_by_label("Prompt", exact=True)
    expect(box).to_be_focused()  # by the click that led here
    box.fill("Reply with one short greeting.")
    box.press("Enter")
    expect(page.get_by_text(re.compile(r"First token after [\d.]+ s .* tokens"))).to_be_visible()
    expect(box).to_be_focused()
    answer = page.get_by_role("log", name="Conversation").locator(".llm-answer")
    expect(answer).to_contain_text(re.compile(r"\S"))
    said = answer.inner_text()
    page.get_by_role("button", name="Back to services").click()
    page.get_by_role("row").get_by_role("button", name="Try it").click()
    expect(answer).to_have_text(said, use_inner_text=True)
    expect(box).to_be_focused()
    page.evaluate("scrollTo(0, 0)")
    expect(box).to_be_in_viewport(ratio=1)  # below the whole header of the service
    page.get_by_role("button", name="Regenerate").click()
    expect(page.get_by_role("button", name="Regenerate")).to_be_visible()
    expect(answer).to_have_count(1)
    expect(answer).to_contain_text(re.compile(r"\S"))


def change(page: Page) -> None:
    """Change the service, until that is deployed."""
    page.get_by_role("button", name="Edit & deploy new revision").click()
    unfold(page, "Advanced")
    page.get_by_label("Concurrent requests per instance", exact=True).fill("2")
    page.get_by_role("button", name="Review changes").click()
    review = page.get_by_role("dialog", name="Deploy these changes?")
    review.get_by_role("button", name="Deploy changes").click()
    expect(
        page.locator(".llm-detail").filter(has_text="Concurrent requests per instance")
    ).to_contain_text("2")
    expect(page.locator(".llm-detail").filter(has_text="Status")).to_contain_text("Ready")


def test_from_an_empty_folder_to_a_chat(
    page_of: Page, violations: Callable[[Page], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    page = page_of
    times = Times()
    begin(page, violations)
    # An account of its own for services: new, and let read the bucket by the deployment only.
    page.get_by_role("button", name="Create account: Runtime service account").click()
    expect(page.get_by_text("created for this.").first).to_be_visible()
    times.done("account")

    # Models: a model, with a bucket for it. Each page says what comes next.
    page.get_by_role("button", name="Import a model").click()
    expect(page.get_by_role("heading", name="Import model")).to_be_visible()
    page.get_by_role("button", name="Back to models").click()
    expect(page.get_by_text("No models in this project's buckets yet.")).to_be_visible()
    assert violations(page) == []
    import_model(page, "Ollama", "smollm2:135m", new_bucket=BUCKET)
    expect(page.get_by_role("heading", name=BUCKET, exact=True)).to_be_visible()
    row = page.get_by_role("row").filter(has_text="smollm2:135m")
    expect(row).to_contain_text("Ready")
    assert violations(page) == []
    times.done("import")

    # Deploy, and see it come up.
    page.get_by_role("button", name="Deploy", exact=True).click()
    expect(page.get_by_role("heading", name="Deploy smollm2:135m")).to_be_visible()
    expect(page.get_by_role("textbox", name="Service name")).to_have_value("ollama-smollm2-135m")
    assert violations(page) == []
    page.get_by_role("button", name="Deploy", exact=True).click()
    page.get_by_role("button", name="Back to services").click()
    service = row_of(page, "ollama-smollm2-135m")
    has_shown(page, "Deploying")
    has_shown(page, "waits for a new grant")
    expect(service).to_contain_text("Ready")
    times.done("grant and deploy")
    for text in ("smollm2:135m", "Ollama", "NVIDIA L4", "http://"):
        expect(service).to_contain_text(text)
    assert violations(page) == []

    service.get_by_role("link", name="ollama-smollm2-135m").click()
    page.get_by_role("button", name="Try it", exact=True).click()
    chat(page)
    assert violations(page) == []
    times.done("chat")
    change(page)
    times.done("edit")

    # Away with it; its files stay.
    page.get_by_role("button", name="Delete").click()
    confirm = page.get_by_role("dialog", name="Delete ollama-smollm2-135m?")
    expect(confirm).to_contain_text("files stay")
    confirm.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No services yet.")).to_be_visible()
    times.done("delete")
    to_tab(page, "Models")
    expect(row).to_contain_text("Ready")
    assert [text for text in FALSE if page.evaluate("text => window.hasShown(text)", text)] == []
    with capsys.disabled():
        print(f"\nThe journey where grants take {GRANT_SECONDS} s: {times}")


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
    expect(page.get_by_role("heading", name="Deploy local/tiny-llama")).to_be_visible()
    page.get_by_role("button", name="Deploy", exact=True).click()
    page.get_by_role("button", name="Back to services").click()
    service = row_of(page, "vllm-tiny-llama")
    expect(service).to_contain_text("Error")
    expect(service).to_contain_text("it has no vLLM")
