"""Each task's Try it in a browser, against an engine that answers it."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from llm_widgets.domain.loading import Task
from llm_widgets.domain.services import TASK_ANNOTATION
from llm_widgets.serving.snippets import PASSAGES, PICTURE, SENTENCES
from tests.contract.engine import deploy, service
from tests.contract.test_tasks import ENGINE
from tests.e2e.services_tab import check_sizes, cloud_with_model, row_of, served_page
from tests.e2e.witness import has_shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

TASKS = {
    "chats": Task.CHAT,
    "embeds": Task.EMBED,
    "hears": Task.TRANSCRIBE,
    "labels": Task.CLASSIFY,
    "ranks": Task.RERANK,
    "sees": Task.VISION,
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with cloud_with_model(tmp_path_factory.mktemp("cloud")) as product:
        for name, task in TASKS.items():
            made = service(ENGINE)
            made.annotations[TASK_ANNOTATION] = task.value
            deploy(product, name, made)
        with served_page(product, tmp_path_factory.mktemp("page")) as address:
            yield address


@pytest.fixture
def page(open_page: Callable[[str], Page], url: str) -> Page:
    return open_page(url)


def open_service(page: Page, name: str) -> None:
    page.get_by_role("tab", name="Services", exact=True).click()
    row_of(page, name).get_by_role("button", name="Try it").click()


def test_each_task_is_tried(
    page: Page, violations: Callable[[Page], list[str]], tmp_path: Path
) -> None:
    def checked() -> None:
        check_sizes(page, violations)
        page.get_by_role("button", name="Back to services").click()

    open_service(page, "embeds")
    page.get_by_role("button", name="Embed", exact=True).click()
    told = page.locator(".llm-detail").filter(has_text="Cosine similarity")
    expect(told).to_contain_text("0.9")
    checked()

    open_service(page, "ranks")
    page.get_by_role("button", name="Rank", exact=True).click()
    first = page.get_by_role("table", name="Ranking").get_by_role("row").nth(1)
    expect(first).to_contain_text(PASSAGES[-1])
    checked()

    open_service(page, "labels")
    page.get_by_role("button", name="Classify", exact=True).click()
    labels = page.get_by_role("table", name="Labels").get_by_role("row")
    expect(labels.nth(1)).to_contain_text(f"{SENTENCES[0]}Default0.566")
    expect(labels.nth(3)).to_contain_text("Spoiled")
    checked()

    open_service(page, "hears")
    file = tmp_path / "speech.wav"
    file.write_bytes(bytes(3_000_000))  # several messages
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Transcribe", exact=True).click()
    expect(page.get_by_text("hears 3000000 bytes of speech.wav")).to_be_visible()
    checked()

    open_service(page, "sees")
    picture = tmp_path / "red.png"
    picture.write_bytes(bytes(3_000_000))
    page.locator("input[type=file]").set_input_files(picture)
    expect(page.get_by_text("This file has 3.0 MB")).to_be_visible()
    picture.write_bytes(base64.b64decode(PICTURE.partition(",")[2]))
    page.locator("input[type=file]").set_input_files(picture)
    expect(page.get_by_text("red.png", exact=True)).to_be_visible()
    page.get_by_label("Prompt", exact=True).fill("Which colour?")
    page.get_by_role("button", name="Send", exact=True).click()
    shown = page.get_by_role("img", name="Picture beside the question")
    expect(shown).to_be_visible()
    assert shown.get_attribute("src") == PICTURE
    expect(page.get_by_text("text and image_url")).to_be_visible()
    checked()


def test_a_chat_outlives_a_reload(page: Page) -> None:
    def ask(prompt: str) -> None:
        page.get_by_label("Prompt", exact=True).fill(prompt)
        page.get_by_role("button", name="Send", exact=True).click()

    open_service(page, "chats")
    said = page.get_by_role("log", name="Conversation", exact=True)
    ask("Hello?")
    expect(said.get_by_text("First token after")).to_have_count(1)
    expect(page.get_by_text("Kept until you start a new chat")).to_be_visible()
    page.reload()
    expect(said.get_by_text("First token after")).to_have_count(1)
    expect(said.get_by_text("Hello?", exact=True).first).to_be_visible()
    ask("And then?")
    expect(said.get_by_text("First token after")).to_have_count(2)
    page.get_by_role("button", name="New chat").click()
    expect(said.get_by_text("Send a message to try the model.")).to_be_visible()
    page.reload()
    expect(said.get_by_text("Send a message to try the model.")).to_be_visible()


def test_services_that_are_selected_are_compared(page: Page) -> None:
    page.get_by_role("tab", name="Services", exact=True).click()
    row_of(page, "chats").get_by_role("checkbox").check()
    page.get_by_role("button", name="Compare", exact=True).click()
    has_shown(page, "Select 2 to 4 services to compare.")
    row_of(page, "sees").get_by_role("checkbox").check()
    page.get_by_role("button", name="Compare", exact=True).click()
    for name in ("chats", "sees"):
        expect(page.get_by_role("log", name=f"Conversation with {name}")).to_be_visible()


def test_answers_of_services_stand_side_by_side(
    page: Page, violations: Callable[[Page], list[str]]
) -> None:
    open_service(page, "chats")
    page.get_by_role("button", name="Compare with other services").click()
    choice = page.get_by_role("dialog", name="Compare")
    expect(choice.get_by_role("checkbox")).to_have_count(1)  # the others do not chat
    choice.get_by_role("button", name="Compare").click()
    expect(choice.get_by_text("Choose 1 to 3 services.")).to_be_visible()
    choice.get_by_label("sees").check()
    choice.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="sees")).to_be_visible()

    page.get_by_label("Prompt", exact=True).fill("Hello?")
    page.get_by_role("button", name="Send", exact=True).click()
    for name in ("chats", "sees"):
        said = page.get_by_role("log", name=f"Conversation with {name}")
        expect(said.get_by_text("First token after")).to_be_visible()
    check_sizes(page, violations, (1600, 1280, 390))
    page.get_by_role("button", name="Stop comparing").click()
    expect(page.get_by_role("log", name="Conversation", exact=True)).to_be_visible()
