"""What hubs answer to an import, as a person sees it: the sentence, and the way out."""

from __future__ import annotations

import json
import os
import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect

from local_cloud.hub.blobs import Blobs
from local_cloud.hub.repositories import Repositories, Repository
from tests.e2e.manager import (
    RunningManager,
    choose_project,
    fill_in_import,
    running_manager,
    to_tab,
)
from tests.gguf_models import metadata, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]

HUGGING_FACE, OLLAMA = "Hugging Face", "Ollama"
GGUF = "secret-Q8_0.gguf"
SECRET = "hf.co/me/secret-GGUF:Q8_0"
PAGE = "https://huggingface.co/me/secret-GGUF"
FILE = f"{PAGE}/blob/main/{GGUF}"


def tensors() -> bytes:
    head = json.dumps({"w": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]}}).encode()
    return struct.pack("<Q", len(head)) + head + bytes(8)


def config(architecture: str) -> bytes:
    return json.dumps({"architectures": [architecture]}).encode()


REPOSITORIES: tuple[tuple[Repository, dict[str, bytes]], ...] = (
    (
        Repository("acme/embedder", pipeline_tag="feature-extraction"),
        {
            "config.json": config("BertModel"),
            "tokenizer.json": b"{}",
            "model.safetensors": tensors(),
            "modules.json": b'[{"path": ""}, {"path": "1_Pooling"}]',
            "1_Pooling/config.json": b"{}",
        },
    ),
    (
        Repository("acme/painter", pipeline_tag="text-to-image", library_name="diffusers"),
        {
            "model_index.json": b"{}",
            "unet/diffusion_pytorch_model.safetensors": tensors(),
        },
    ),
    (Repository("me/secret-GGUF", private=True), {GGUF: written(metadata())}),
)


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningManager]:
    with running_manager(tmp_path_factory.mktemp("answers")) as manager:
        hub = manager.data / "hub"
        repositories = Repositories(hub / "models", Blobs(hub / "blobs"))
        for repository, files in REPOSITORIES:
            repositories.add_commit(repository, files, title="Add", date="2026-11-01T00:00:00.000Z")
        yield manager


@pytest.fixture
def form(open_page: Callable[[str], Page], manager: RunningManager) -> Page:
    page = open_page(manager.url)
    choose_project(page)
    to_tab(page, "Models")
    fill_in_import(page, HUGGING_FACE, "local/tiny-llama", new_bucket="answers-of-hubs")
    return page


def check(page: Page, source: str, model_id: str, *, token: str = "") -> Locator:
    """Ask for a model, and return the notices that are shown: at first those of before."""
    page.get_by_role("radio", name=source).check()
    page.get_by_label("Model ID").locator("visible=true").fill(model_id)
    page.get_by_label("Hugging Face token").locator("visible=true").fill(token)
    page.get_by_role("button", name="Check").click()
    return page.get_by_role("alert").locator("visible=true")


def pictures(page: Page, name: str) -> None:
    """Keep what is shown in ``$LLM_WIDGETS_PICTURES``, for whoever wants to look at it."""
    if folder := os.environ.get("LLM_WIDGETS_PICTURES"):
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)


def test_each_answer_has_a_sentence_and_a_way_out(
    form: Page, manager: RunningManager, violations: Callable[[Page], list[str]]
) -> None:
    page = form
    told = check(page, HUGGING_FACE, "local/tiny-llama-gated")
    sentence = "local/tiny-llama-gated is gated."
    expect(told.filter(has_text=sentence)).to_have_count(2)  # beside the token, and with the link
    link = told.filter(has_text=sentence).get_by_role("link")
    expect(link).to_have_attribute("href", re.compile("/local/tiny-llama-gated$"))
    expect(page.get_by_label("Hugging Face token").locator("visible=true")).to_be_focused()
    pictures(page, "gated")

    told = check(page, HUGGING_FACE, "acme/painter")
    pipeline = told.filter(has_text="It is a pipeline of several models (diffusers)")
    expect(pipeline).to_contain_text("Choose another model.")
    pictures(page, "diffusers")

    told = check(page, HUGGING_FACE, FILE)
    gguf = told.filter(has_text="is a GGUF file, which Ollama loads")
    expect(gguf).to_contain_text(f"Choose Ollama as the source and enter {SECRET}.")
    pictures(page, "pasted")

    told = check(page, OLLAMA, SECRET)
    expect(told.filter(has_text=f"{SECRET} is private or gated")).to_have_count(2)
    advice = told.filter(has_text="Enter a Hugging Face token of an account that may read it")
    expect(advice.get_by_role("link")).to_have_attribute("href", PAGE)
    pictures(page, "private")
    check(page, OLLAMA, FILE, token="hf_local_reader")
    ready = page.locator(".llm-card").filter(has_text="Ready to import")
    expect(ready).to_contain_text(SECRET)
    pictures(page, "private-ready")

    limit = {"match": "/api/models/local/tiny-llama", "status": 429, "retry_after": 47}
    manager.faults(failures=[{**limit, "message": "We had to rate limit you."}])
    told = check(page, HUGGING_FACE, "local/tiny-llama")
    limited = told.filter(has_text="Hugging Face accepts no more requests from here for now.")
    expect(limited).to_contain_text("Try again in 47 seconds.")
    pictures(page, "limited")
    manager.faults()

    check(page, HUGGING_FACE, "acme/embedder")
    expect(page.get_by_text("It makes embeddings and does not chat")).to_be_visible()
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_visible()
    pictures(page, "embedding")
    assert violations(page) == []


def test_what_is_being_typed_outlives_answers_that_come_meanwhile(
    form: Page, manager: RunningManager
) -> None:
    page = form
    manager.faults(holds=["GET /storage/v1/b$", "GET /api/models$"])
    page.reload()
    model, where = page.get_by_label("Model ID").locator("visible=true"), "Destination bucket"
    expect(model).to_have_value("local/tiny-llama")
    expect(page.get_by_label(where)).to_contain_text("Looking for buckets")
    model.press("Control+A")  # what is typed next takes the place of all that stands there
    manager.faults()
    expect(page.get_by_text("local/tiny-llama (788 kB)")).to_be_visible()
    expect(page.get_by_label(where)).not_to_contain_text("Looking for buckets")
    page.keyboard.type("local/tiny-llama-gated")
    expect(model).to_have_value("local/tiny-llama-gated")
    page.get_by_role("button", name="Check").click()
    gated = page.get_by_role("alert").filter(has_text="local/tiny-llama-gated is gated.")
    expect(gated).to_have_count(2)
    expect(page.get_by_label("Name").locator("visible=true")).to_have_value("answers-of-hubs")
