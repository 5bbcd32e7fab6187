"""The Models tab in a browser: pre-flight, a token, cancel, reload, a second person, delete."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest
from playwright.sync_api import Page, expect

from llm_widgets.cli.local_cloud import local_cloud
from llm_widgets.domain.metadata import METADATA_NAME
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.gcp.storage import buckets
from llm_widgets.gcp.storage.metadata import update_metadata
from local_cloud.testing.waiting import until
from tests.contract.product import PROJECT, REGION
from tests.e2e.conftest import WIDTHS
from tests.e2e.manager import (
    RunningManager,
    choose_project,
    fill_in_import,
    import_model,
    running_manager,
    to_tab,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, WebSocket

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]

BUCKET = "tab-models"
GATED = "local/tiny-llama-gated"
TOKEN = "hf_local_reader"
SMOLLM2 = "smollm2:135m"


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningManager]:
    with running_manager(tmp_path_factory.mktemp("models")) as manager:
        yield manager


@pytest.fixture
def models(open_page: Callable[[str], Page], manager: RunningManager) -> Iterator[Page]:
    page = open_page(manager.url)
    choose_project(page)
    to_tab(page, "Models")
    yield page
    manager.faults()


def row(page: Page, text: str) -> Locator:
    return page.get_by_role("row").filter(has_text=text)


def test_gated_model_with_a_token_that_is_sent_once(
    models: Page, violations: Callable[[Page], list[str]], manager: RunningManager
) -> None:
    page = models
    sent: list[str] = []
    received: list[str] = []
    page.on("websocket", lambda socket: listen(socket, sent, received))
    page.reload()  # so that the socket is listened to
    to_tab(page, "Models")
    expect(page.get_by_text("No models in this project's buckets yet.")).to_be_visible()

    fill_in_import(page, "Hugging Face", GATED, new_bucket=BUCKET)
    expect(page.get_by_text(f"{GATED} is gated")).to_be_visible()
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("alert").filter(has_text="No token was given")).to_be_visible()
    assert violations(page) == []
    for token, said in (
        ("hf_local_visitor", "has not accepted the licence"),
        ("hf_local_waiting", "not granted yet"),
        ("hf_nonsense", "does not accept this token"),
    ):
        page.get_by_label("Hugging Face token").locator("visible=true").fill(token)
        page.get_by_role("button", name="Check").click()
        expect(page.get_by_text(said).first).to_be_visible()
    page.get_by_label("Hugging Face token").locator("visible=true").fill(TOKEN)
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("Gated; your token has access")).to_be_visible()
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_focused()
    page.get_by_role("button", name="Show the 10 files").click()
    left_out = row(page, "original/consolidated.safetensors")
    expect(left_out).to_contain_text("the same weights once more")
    page.get_by_role("button", name="Copy README.md").click()
    expect(page.get_by_text("You changed the selected files")).to_be_visible()
    page.get_by_role("button", name="Leave out README.md").click()
    expect(page.get_by_text("You changed the selected files")).not_to_be_visible()
    assert violations(page) == []
    assert TOKEN not in widget_state(page)  # the page may still need it
    page.get_by_role("button", name="Import", exact=True).click()
    expect(row(page, GATED)).to_contain_text("Ready")
    expect(page.get_by_text("All checksums match the hub.")).to_be_visible()
    assert violations(page) == []

    assert sum(TOKEN in message for message in sent) == 1
    assert not any(TOKEN in message for message in received)
    assert TOKEN not in page.content()
    assert TOKEN not in widget_state(page)
    for file in manager.data.parent.rglob("*"):
        # The sample hub knows its own tokens, and holds nothing of the product.
        if file.is_file() and "hub" not in file.relative_to(manager.data.parent).parts:
            assert TOKEN.encode() not in file.read_bytes(), file


# Asks the kernel for the state of all widgets, as any client on its socket may.
_ASK_FOR_STATE = """() => new Promise((resolve) => {
  const { kernelId } = JSON.parse(document.getElementById("jupyter-config-data").textContent);
  const socket = new WebSocket(
    `${location.origin.replace("http", "ws")}/api/kernels/${kernelId}/channels`);
  socket.binaryType = "arraybuffer";
  const send = (msg_type, content, metadata) => socket.send(JSON.stringify({
    channel: "shell", parent_header: {}, metadata, content, buffers: [],
    header: { msg_id: crypto.randomUUID(), msg_type, username: "", session: "grep",
      version: "5.3", date: new Date().toISOString() } }));
  const comm_id = crypto.randomUUID();
  socket.onopen = () => {
    send("comm_open", { comm_id, target_name: "jupyter.widget.control", data: {} },
      { version: "1.0.0" });
    send("comm_msg", { comm_id, data: { method: "request_states" } }, {});
  };
  socket.onmessage = ({ data }) => {
    const text = typeof data === "string" ? data : new TextDecoder("latin1").decode(data);
    if (!text.includes("update_states")) return;
    socket.close();
    resolve(text);
  };
})"""


def widget_state(page: Page) -> str:
    """Return the state of all widgets of the page; the model's id is in it."""
    state: str = page.evaluate(_ASK_FOR_STATE)
    assert GATED in state
    return state


def listen(socket: WebSocket, sent: list[str], received: list[str]) -> None:
    def text(payload: str | bytes) -> str:
        return payload if isinstance(payload, str) else payload.decode("latin-1")

    socket.on("framesent", lambda payload: sent.append(text(payload)))
    socket.on("framereceived", lambda payload: received.append(text(payload)))


def test_reload_a_second_person_and_cancel(
    models: Page, manager: RunningManager, browser: Browser
) -> None:
    page = models
    # Minutes for all of it: it must not be over before a second person has come to cancel it.
    manager.faults(bandwidth=50_000)
    import_model(page, "Ollama", SMOLLM2)
    phase = "Copying from the hub into the bucket"
    expect(page.get_by_text(phase)).to_be_visible()
    page.reload()
    to_tab(page, "Models")
    expect(page.get_by_text(phase)).to_be_visible()
    files = page.get_by_role("list", name=f"Files of {SMOLLM2}")
    expect(files.get_by_role("listitem")).to_have_count(5)
    expect(files).to_contain_text("Weights (sha256-")
    expect(row(page, SMOLLM2)).to_contain_text(re.compile(r"Importing \d+%"))

    context = browser.new_context()
    other = context.new_page()
    other.goto(manager.url)
    choose_project(other)
    to_tab(other, "Models")
    expect(other.get_by_text(phase)).to_be_visible()
    expect(other.get_by_text(re.compile("about .* left"))).to_be_visible()
    other.get_by_role("button", name="Cancel", exact=True).locator("visible=true").click()
    cancelled = "Cancelled. No files were published."
    for each in (other, page):
        expect(each.get_by_text(cancelled)).to_be_visible()
    manager.faults()
    context.close()
    left = list((manager.data / "buckets" / BUCKET).glob("ollama/**/*"))
    assert [path for path in left if path.is_file()] == []
    page.get_by_role("button", name="Resume", exact=True).click()
    expect(row(page, SMOLLM2)).to_contain_text("Ready")


class Serving:
    """A page server and its kernels, to be killed at once."""

    def __init__(self, environ: dict[str, str]) -> None:
        command = [sys.executable, "-m", "llm_widgets", "serve", "--port", "0"]
        self._process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.url = self._process.stdout.readline().split()[-1]

    def kill(self) -> None:
        """Leave it no time for anything."""
        server = psutil.Process(self._process.pid)
        for each in (server, *server.children()):
            each.kill()
        self._process.wait(60)


def test_tab_closed_and_server_killed(tmp_path: Path, browser: Browser) -> None:
    with local_cloud(tmp_path / "cloud", offline=True) as environment:
        environ = {**os.environ, **environment(), "XDG_CACHE_HOME": str(tmp_path / "cache")}
        environ.pop("LLM_WIDGETS_IMAGE", None)  # no job runner: the worker is a process
        cloud = RunningManager("", tmp_path / "cloud")
        cloud.faults(bandwidth=200_000)
        page, server = browser.new_page(), Serving(environ)
        page.goto(server.url)
        choose_project(page)
        to_tab(page, "Models")
        import_model(page, "Ollama", SMOLLM2, new_bucket=BUCKET)
        expect(page.get_by_text("Copying from the hub")).to_be_visible()
        page.close()
        server.kill()
        entries = tmp_path / "cloud" / "buckets" / BUCKET / "llm-manager-metadata.json"
        assert '"downloading"' in entries.read_text()
        cloud.faults()
        until(lambda: '"completed"' in entries.read_text(), 120)
        page, server = browser.new_page(), Serving(environ)  # somebody comes later
        page.goto(server.url)
        choose_project(page)
        to_tab(page, "Models")
        expect(row(page, SMOLLM2)).to_contain_text("Ready")
        page.close()
        server.kill()


def test_an_import_that_is_begun_before_the_buckets_are_listed(
    models: Page, manager: RunningManager
) -> None:
    page = models
    manager.faults(holds=["GET /storage/v1/b$"])
    page.reload()
    to_tab(page, "Models")
    fill_in_import(page, "Hugging Face", GATED)
    where = page.get_by_label("Destination bucket")
    expect(where).to_have_value("")
    expect(where.locator("option:checked")).to_have_text("Looking for buckets …")
    model = page.get_by_label("Model ID").locator("visible=true")
    model.select_text()
    manager.faults()
    expect(where).to_have_value(BUCKET)
    expect(model).to_have_value(GATED)
    page.keyboard.type("other")  # in place of what is selected still
    expect(model).to_have_value("other")


def test_details_verify_and_delete(
    models: Page, violations: Callable[[Page], list[str]], manager: RunningManager
) -> None:
    page = models
    page.get_by_role("link", name=GATED, exact=True).click()
    expect(page.get_by_role("heading", name=GATED)).to_be_visible()
    expect(page.get_by_text("No service", exact=True)).to_be_visible()
    expect(row(page, "config.json").first).to_contain_text("git-sha1:")
    page.get_by_role("button", name="Verify again").locator("visible=true").click()
    expect(page.get_by_text("All 8 files are as imported")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Delete", exact=True).locator("visible=true").click()
    dialog = page.get_by_role("dialog", name=f"Delete {GATED}?")
    assert violations(page) == []
    dialog.get_by_role("button", name="Delete").click()
    expect(row(page, SMOLLM2)).to_be_visible()
    expect(row(page, GATED)).to_have_count(0)
    left = list((manager.data / "buckets" / BUCKET).glob("huggingface/**/*"))
    assert [path for path in left if path.is_file()] == []


# All at once: a table that is drawn again has other labels.
_BEYOND_THEIR_COLUMNS = """(labels) => labels.filter((label) => {
  const column = label.closest("th");
  const padding = Number.parseFloat(getComputedStyle(column).paddingRight);
  const end = column.getBoundingClientRect().right - padding;
  return label.getBoundingClientRect().right > end + 0.5;
}).map((label) => label.textContent)"""


def test_a_view_is_shown_from_its_top_and_not_below_the_bar(models: Page) -> None:
    page = models
    page.set_viewport_size({"width": 1280, "height": 220})  # so low that it stays scrolled
    labels = page.locator(".llm-table thead .llm-sort").locator("visible=true")
    expect(labels.first).to_be_visible()
    fill_in_import(page, "Hugging Face", "local/tiny-llama")
    back = page.get_by_role("button", name="Back to models").locator("visible=true")
    expect(back).to_be_visible()
    # By a script: a click would scroll first. The heading of the list is where the bar is, then.
    back.evaluate("(each) => { window.scrollTo(0, 80); each.click(); }")
    heading = page.get_by_role("heading", name="Models", exact=True)
    expect(heading).to_be_visible()
    bar = page.locator(".llm-header").bounding_box()
    assert bar
    until(lambda: (box := heading.bounding_box()) and box["y"] >= bar["height"])
    expect(labels.first).to_be_visible()
    assert labels.evaluate_all(_BEYOND_THEIR_COLUMNS) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_the_import_fits(models: Page, violations: Callable[[Page], list[str]], width: int) -> None:
    page = models
    page.set_viewport_size({"width": width, "height": 800})
    listed = page.get_by_role("button", name="Import here")
    expect(listed.or_(page.get_by_text("No models in this project")).first).to_be_visible()
    fill_in_import(page, "Hugging Face", "local/tiny-llama")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("Ready to import")).to_be_visible()
    page.get_by_role("button", name="Show the").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []


def test_a_bucket_is_tidied_and_deleted(
    models: Page, manager: RunningManager, violations: Callable[[Page], list[str]]
) -> None:
    name, page = "tidy-models", models
    clients = manager.clients()
    buckets.create_bucket(clients, PROJECT, name, REGION)
    bucket = clients.storage(PROJECT).get_bucket(name)
    record = ModelRecord(
        "a/unused", "huggingface", ModelStatus.READY, revision="1", prefix="huggingface/a/unused/1"
    )
    update_metadata(clients.storage(PROJECT), name, lambda file: file.with_model(record))
    bucket.blob(f"{record.prefix}/config.json").upload_from_string(b"{}")
    bucket.blob("notes/a").upload_from_string(b"mine")
    page.get_by_role("button", name="Refresh").locator("visible=true").click()
    card = page.locator(".llm-card").filter(has=page.get_by_role("heading", name=name))
    expect(card.get_by_role("button", name="Delete bucket")).not_to_be_visible()
    card.get_by_role("button", name="Tidy", exact=True).click()
    found = card.get_by_role("table", name=f"What could be removed from {name}")
    young = found.get_by_role("row").filter(has_text="Folder without an entry")
    expect(young).to_contain_text("Something was written there in the last 24 hours.")
    expect(young.get_by_role("button", name="Delete")).to_be_disabled()
    assert violations(page) == []

    found.get_by_role("button", name="Delete a/unused").click()
    dialog = page.get_by_role("dialog")
    typed = dialog.get_by_label(f"Type {record.id} to confirm")
    typed.fill("a/used")
    dialog.get_by_role("button", name="Delete").click()
    expect(dialog.get_by_text(f"This is not {record.id}.")).to_be_visible()
    typed.fill(record.id)
    dialog.get_by_role("button", name="Delete").click()
    expect(dialog).to_be_hidden()
    expect(found).not_to_contain_text(record.id)
    assert {blob.name for blob in bucket.list_blobs()} == {METADATA_NAME, "notes/a"}

    bucket.blob("notes/a").delete()
    card.get_by_role("button", name="Tidy", exact=True).click()
    expect(card.get_by_text("Nothing to tidy.")).to_be_visible()
    expect(card.get_by_text("Empty", exact=True)).to_be_visible()
    card.get_by_role("button", name="Delete bucket").click()
    dialog.get_by_label(f"Type {name} to confirm").fill(name)
    assert violations(page) == []
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name=name)).to_have_count(0)
    assert not bucket.exists()


def test_a_model_that_was_found_is_taken_over(
    models: Page, violations: Callable[[Page], list[str]]
) -> None:
    page = models
    page.set_viewport_size({"width": 390, "height": 800})
    page.get_by_role("button", name="Import model").first.click()
    page.get_by_label("Part of its ID").fill("tiny-llama")
    found = page.get_by_role("table", name="Models found")
    expect(found.locator("tbody tr")).to_have_count(2)
    expect(row(page, "Open").locator("visible=true")).to_contain_text("With up to 512 tokens")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []
    found.get_by_role("button", name="Use local/tiny-llama", exact=True).click()
    expect(found).to_be_hidden()
    expect(page.get_by_role("radio", name="Hugging Face")).to_be_checked()
    expect(page.get_by_label("Model ID").locator("visible=true")).to_have_value("local/tiny-llama")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("Ready to import")).to_be_visible()
