"""The pre-flight of an import from Ollama's registry, against the sample hub."""

from __future__ import annotations

import hashlib
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest
import requests

from llm_widgets import hubs
from llm_widgets.config import Settings
from llm_widgets.errors import HubError, InvalidInputError, NotFoundError, UnavailableError
from local_cloud.hub.samples import SMOLLM2_GGUF

if TYPE_CHECKING:
    from llm_widgets.domain.imports import HubModel
    from local_cloud.hub import Hub


def settings(hub: Hub) -> Settings:
    return Settings(variables={"HF_ENDPOINT": hub.url, "LLM_WIDGETS_OLLAMA_REGISTRY": hub.url})


def inspect(hub: Hub, text: str) -> HubModel:
    return hubs.inspect("ollama", text, settings(hub))


def add(hub: Hub, model: str, config: dict[str, Any], *kinds: str) -> None:
    layers = [(kind, hub.blobs.add(f"made up: {model} {kind}".encode())) for kind in kinds]
    hub.models.add("made-here", model, ["latest"], config=config, layers=layers)


@pytest.mark.parametrize("typed", ["smollm2:135m", "ollama run smollm2:135m"])
def test_everything_that_an_import_needs_to_know(hub: Hub, typed: str) -> None:
    model = inspect(hub, typed)
    raw = requests.get(f"{hub.url}/v2/library/smollm2/manifests/135m", timeout=30).content
    assert (model.id, model.source) == ("smollm2:135m", "ollama")
    assert model.revision == hashlib.sha256(raw).hexdigest()
    assert model.license == "Apache License, Version 2.0, January 2004"
    facts = {key: value for key, value in model.facts.items() if key != "memory"}
    assert facts == {
        "architecture": "llama",
        "parameter_size": "134.52M",
        "parameter_count": 134_520_000,
        "quantization": "Q4_1",
    }
    manifest = json.loads(raw)
    blobs = [manifest["config"], *manifest["layers"]]
    assert {file.path: file.size for file in model.files} == {
        **{f"blobs/{blob['digest'].replace(':', '-')}": blob["size"] for blob in blobs},
        "manifests/registry.ollama.ai/library/smollm2/135m": len(raw),
    }
    assert model.files[-1].content == raw  # byte for byte, and last
    assert model.chosen == model.files


def test_each_file_is_what_it_is_said_to_be(hub: Hub) -> None:
    for file in inspect(hub, "smollm2:135m").files:
        content = file.content
        if content is None:
            content = requests.get(file.url, timeout=30).content
        assert len(content) == file.size
        assert hashlib.sha256(content).hexdigest() == file.digest.value


def test_a_gguf_of_hugging_face(hub: Hub) -> None:
    model = inspect(hub, f"hf.co/{SMOLLM2_GGUF}:Q4_1")
    assert model.id == f"hf.co/{SMOLLM2_GGUF}:Q4_1"
    assert model.files[-1].path == f"manifests/hf.co/{SMOLLM2_GGUF}/Q4_1"


def test_a_tag_that_moved_is_noticed(hub: Hub) -> None:
    add(hub, "moving", {"model_format": "gguf"}, "model")
    before = inspect(hub, "made-here/moving").revision
    assert hubs.newest_revision("ollama", "made-here/moving", settings(hub)) == before
    add(hub, "moving", {"model_format": "gguf"}, "model", "params")
    assert hubs.newest_revision("ollama", "made-here/moving", settings(hub)) != before


def test_blobs_that_stand_twice_in_a_manifest_are_copied_once(hub: Hub) -> None:
    blob = hub.blobs.add(b"the same licence twice")
    weights = hub.blobs.add(b"weights")
    layers = [("model", weights), ("license", blob), ("license", blob)]
    hub.models.add("made-here", "twice", ["latest"], config={}, layers=layers)
    paths = [file.path for file in inspect(hub, "made-here/twice").files]
    assert len(paths) == len(set(paths)) == 4


@pytest.mark.parametrize(
    ("config", "kinds", "said"),
    [
        ({"model_format": "safetensors"}, ["tensor", "tensor", "json"], "Apple computers"),
        ({"model_format": "gguf"}, ["model", "tensor"], "Apple computers"),
        ({"remote_host": "https://ollama.com", "remote_model": "x"}, [], "Ollama's cloud"),
        ({"model_format": "gguf"}, ["params"], "no weights"),
    ],
)
def test_what_ollama_cannot_run_on_linux(
    hub: Hub, config: dict[str, Any], kinds: list[str], said: str
) -> None:
    add(hub, "refused", config, *kinds)
    with pytest.raises(HubError, match=said) as caught:
        inspect(hub, "made-here/refused")
    assert caught.value.fix


def test_a_model_for_a_later_ollama(hub: Hub) -> None:
    add(hub, "from-tomorrow", {"model_format": "gguf", "requires": "99.1.0"}, "model")
    with pytest.raises(HubError, match="needs a newer Ollama") as caught:
        inspect(hub, "made-here/from-tomorrow")
    assert "newer version of Ollama" in caught.value.cause
    add(hub, "from-today", {"model_format": "gguf", "requires": "0.24.0"}, "model")
    assert inspect(hub, "made-here/from-today").notes == ()
    add(hub, "for-a-newer-image", {"model_format": "gguf", "requires": "v0.30.1-rc2"}, "model")
    (note,) = inspect(hub, "made-here/for-a-newer-image").notes
    assert note.startswith("It needs Ollama v0.30.1-rc2 or later, and services are deployed with")


@pytest.mark.parametrize("typed", ["nothing", "smollm2:9b", "hf.co/local/nothing:Q4_K_M"])
def test_unknown_models_and_tags(hub: Hub, typed: str) -> None:
    with pytest.raises(NotFoundError, match="There is no model") as caught:
        inspect(hub, typed)
    assert caught.value.fix
    assert caught.value.fix.url.startswith("https://")


def test_bytes_that_are_not_those_of_the_manifest(hub: Hub) -> None:
    add(hub, "damaged", {"model_format": "gguf"}, "model")
    raw = requests.get(f"{hub.url}/v2/made-here/damaged/manifests/latest", timeout=30).json()
    config = hub.blobs.path(raw["config"]["digest"].removeprefix("sha256:"))
    config.write_bytes(config.read_bytes().replace(b"gguf", b"ggml"))
    with pytest.raises(HubError, match="other bytes"):
        inspect(hub, "made-here/damaged")


def test_wrong_input_and_a_registry_that_is_away(hub: Hub) -> None:
    with pytest.raises(InvalidInputError):
        inspect(hub, "../smollm2")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"
        nobody = Settings(variables={"LLM_WIDGETS_OLLAMA_REGISTRY": address})
    with pytest.raises(UnavailableError, match="can't be reached"):
        hubs.inspect("ollama", "smollm2", nobody)


def test_suggestions_exist_and_have_their_sizes(hub: Hub) -> None:
    found = hubs.suggest("ollama", "SMOL", settings(hub))
    assert {entry.id for entry in found} == {"smollm2:135m", "smollm2:latest"}
    for entry in found:
        assert entry.size == pytest.approx(inspect(hub, entry.id).size, rel=0.01)
    assert hubs.suggest("ollama", "no such", settings(hub)) == ()
