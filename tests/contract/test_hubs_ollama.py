"""The pre-flight of an import from Ollama's registry, against the sample hub."""

from __future__ import annotations

import hashlib
import json
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import requests

from llm_widgets import hubs
from llm_widgets.config import Settings
from llm_widgets.domain.loading import LAYERS
from llm_widgets.errors import (
    GatedModelError,
    HubError,
    InvalidInputError,
    ManagerError,
    NotFoundError,
    TransferError,
    UnavailableError,
)
from llm_widgets.hubs import registry
from local_cloud.hub.blobs import Blob
from local_cloud.hub.repositories import Repository
from local_cloud.hub.samples import SMOLLM2_GGUF
from tests.gguf_models import metadata, written

if TYPE_CHECKING:
    from llm_widgets.domain.imports import HubModel
    from local_cloud.hub import Hub


LARGE = 60_000_000_000  # bytes
SAMPLE = f"hf.co/{SMOLLM2_GGUF}:Q4_1"


def settings(hub: Hub) -> Settings:
    return Settings(variables={"HF_ENDPOINT": hub.url, "LLM_WIDGETS_OLLAMA_REGISTRY": hub.url})


def inspect(hub: Hub, text: str, token: str = "") -> HubModel:
    return hubs.inspect("ollama", text, settings(hub), token=token)


def add_files(hub: Hub, name: str, *paths: str, private: bool = True) -> None:
    """Add a repository whose files all hold the weights of the sample."""
    sample = hub.repositories.get(SMOLLM2_GGUF)
    assert sample
    files = sample.commits[sample.branches["main"]].files
    weights = next(blob for path, blob in files.items() if path.endswith(".gguf"))
    repository = Repository(name, private=private)
    contents = dict.fromkeys(paths, weights)
    hub.repositories.add_commit(repository, contents, title="Add", date="2026-11-01T00:00:00.000Z")


def add(hub: Hub, model: str, config: dict[str, Any], *kinds: str) -> None:
    made_up = {kind: f"made up: {model} {kind}".encode() for kind in kinds}
    contents = made_up | ({"model": written()} if "model" in kinds else {})
    layers = [(kind, hub.blobs.add(content)) for kind, content in contents.items()]
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
        LAYERS: {"model": max(model.files, key=lambda file: file.size).path},
        "architecture": "llama",
        "parameter_size": "134.52M",
        "parameter_count": 134_520_000,
        "quantization": "Q4_1",
        "loading": {
            "engine": "ollama",
            "task": "chat",
            "source": "its manifest",
            "notes": [],
            "code": False,
            "format": "",
        },
    }
    manifest = json.loads(raw)
    blobs = [manifest["config"], *manifest["layers"]]
    assert {file.path: file.size for file in model.files} == {
        **{f"blobs/{blob['digest'].replace(':', '-')}": blob["size"] for blob in blobs},
        "manifests/registry.ollama.ai/library/smollm2/135m": len(raw),
    }
    assert model.files[-1].content == raw  # byte for byte, and last
    assert [file.part for file in model.files] == [
        *("Weights", "Licence", "Parameters", "Configuration"),
        "",
    ]
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


def test_a_private_gguf_is_laid_out_for_ollama(hub: Hub) -> None:
    add_files(hub, "me/secret-GGUF", "s-Q8_0.gguf", "s-Q4_1.gguf", "README.md")
    address = "https://huggingface.co/me/secret-GGUF/blob/main/s-Q4_1.gguf"
    with pytest.raises(GatedModelError, match="private or gated") as caught:
        inspect(hub, address)
    assert caught.value.field == "token"
    assert caught.value.fix
    assert "Enter a Hugging Face token" in caught.value.fix.text
    model = inspect(hub, address, "hf_local_reader")
    assert model.id == "hf.co/me/secret-GGUF:Q4_1"
    assert inspect(hub, model.id, "hf_local_reader") == model
    weights, config, manifest = model.files
    assert weights.url.endswith("/s-Q4_1.gguf")
    assert weights.path == f"blobs/sha256-{weights.digest.value}"
    assert manifest.path == "manifests/hf.co/me/secret-GGUF/Q4_1"
    assert config.content
    assert manifest.content
    told = json.loads(config.content)
    assert (told["model_format"], told["model_family"], told["file_type"]) == (
        "gguf",
        "llama",
        "Q4_1",
    )
    (layer,) = json.loads(manifest.content)["layers"]
    assert layer["digest"] == f"sha256:{weights.digest.value}"
    assert model.facts["architecture"] == "llama"
    ollama = registry.get("ollama")
    assert ollama.file_url(model.id, model.revision, weights, settings(hub)) == weights.url
    elsewhere = replace(weights, url=weights.url.replace("secret", "other"))
    assert "/v2/" in ollama.file_url(model.id, model.revision, elsewhere, settings(hub))


@pytest.mark.parametrize(
    ("tag", "said", "advice"),
    [
        ("Q5_K_M", "has no quantization Q5_K_M", "hf.co/me/many-GGUF:IQ4_XS, hf.co/me/many-GGUF"),
        ("Q8_0", "in several GGUF files", "hf.co/me/many-GGUF:IQ4_XS"),
        ("latest", "has several quantizations: say which", "hf.co/me/many-GGUF:IQ4_XS"),
        ("IQ3_M", "2 files of me/many-GGUF are quantized as IQ3_M", "many-GGUF:a-IQ3_M.gguf or"),
    ],
)
def test_advice_names_what_a_repository_has(hub: Hub, tag: str, said: str, advice: str) -> None:
    files = ["m-Q8_0-00001-of-00002.gguf", "m-Q8_0-00002-of-00002.gguf", "m-IQ4_XS.gguf"]
    more = ["m-Q2_K.gguf", "a-IQ3_M.gguf", "b-IQ3_M.gguf", "mmproj-F16.gguf"]
    add_files(hub, "me/many-GGUF", *files, *more)
    with pytest.raises(ManagerError, match=said) as caught:
        inspect(hub, f"hf.co/me/many-GGUF:{tag}", "hf_local_reader")
    assert caught.value.fix
    assert advice in caught.value.fix.text
    model = inspect(hub, "hf.co/me/many-GGUF:a-iq3_m.gguf", "hf_local_reader")
    assert [file.path for file in model.files][-1].endswith("/a-iq3_m.gguf")
    assert len(json.loads(model.files[-1].content or b"")["layers"]) == 2  # and the projector


def test_a_token_that_may_not_read_a_gguf(hub: Hub) -> None:
    add_files(hub, "me/secret-GGUF", "s-Q8_0.gguf")
    for token, error in (("hf_local_visitor", NotFoundError), ("hf_x", InvalidInputError)):
        with pytest.raises(error):
            inspect(hub, "hf.co/me/secret-GGUF:Q8_0", token)


def test_what_hf_co_does_not_serve_is_advised_on(hub: Hub) -> None:
    add_files(hub, "me/open-GGUF", "o-Q8_0.gguf", private=False)
    with pytest.raises(NotFoundError, match="has no quantization Q4_K_M") as caught:
        inspect(hub, "hf.co/me/open-GGUF:Q4_K_M")
    assert caught.value.fix
    assert "hf.co/me/open-GGUF:Q8_0" in caught.value.fix.text
    with pytest.raises(HubError, match="has no GGUF files"):
        inspect(hub, "hf.co/local/tiny-llama")


@pytest.mark.parametrize("private", [False, True])
def test_a_gguf_over_50_gb_is_read_in_ranges_or_refused(hub: Hub, *, private: bool) -> None:
    digest = f"{int(private):064x}"
    sample = next(file for file in inspect(hub, SAMPLE).files if file.size > 1 << 20)
    weights = hub.blobs.path(digest)
    weights.write_bytes(hub.blobs.path(sample.digest.value).read_bytes())
    with weights.open("r+b") as file:
        file.truncate(LARGE)  # a hole, which takes no place
    blob, name = Blob(LARGE, digest, "0" * 40), f"large-{private}-GGUF"
    if private:
        repository = Repository(f"me/{name}", private=True)
        date = "2026-11-01T00:00:00.000Z"
        hub.repositories.add_commit(repository, {"l-Q8_0.gguf": blob}, title="Add", date=date)
    else:
        config = {"model_format": "gguf", "model_family": "llama"}
        hub.models.add("me", name, ["Q8_0"], config=config, layers=[("model", blob)])
    name = f"hf.co/me/{name}:Q8_0"
    found = inspect(hub, name, "hf_local_reader" if private else "")
    assert found.files[0].size == LARGE
    hub.downloads.ignore_ranges = True
    try:
        with pytest.raises(TransferError, match=r"hf\.co does not give .*, which has 60 GB"):
            inspect(hub, name, "hf_local_reader" if private else "")
    finally:
        hub.downloads.ignore_ranges = False


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (written()[:-1000], "its tensors take"),
        (written(order=">"), "big-endian"),
        (b"<!doctype html><html></html>", "a web page stands there"),
        (written(metadata("llama9")), "has no architecture “llama9”"),
        (written(metadata("clip")), "a projector"),
    ],
)
def test_weights_that_are_none_are_refused(hub: Hub, content: bytes, said: str) -> None:
    layers = [("model", hub.blobs.add(content))]
    hub.models.add("made-here", "odd", ["latest"], config={"model_family": "x"}, layers=layers)
    with pytest.raises(HubError) as caught:
        inspect(hub, "made-here/odd")
    assert said in caught.value.cause
    assert caught.value.fix


def test_a_later_ollama_may_know_more_architectures(hub: Hub) -> None:
    layers = [("model", hub.blobs.add(written(metadata("llama9"))))]
    config = {"model_family": "llama9", "requires": "0.33.0"}
    hub.models.add("made-here", "later", ["latest"], config=config, layers=layers)
    assert "needs Ollama 0.33.0" in inspect(hub, "made-here/later").notes[-1]


def test_a_tag_that_moved_is_noticed(hub: Hub) -> None:
    add(hub, "moving", {"model_format": "gguf"}, "model")
    before = inspect(hub, "made-here/moving").revision
    assert hubs.newest_revision("ollama", "made-here/moving", settings(hub)) == before
    add(hub, "moving", {"model_format": "gguf"}, "model", "params")
    assert hubs.newest_revision("ollama", "made-here/moving", settings(hub)) != before


def test_blobs_that_stand_twice_in_a_manifest_are_copied_once(hub: Hub) -> None:
    blob = hub.blobs.add(b"the same licence twice")
    weights = hub.blobs.add(written())
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
        ({"model_format": "gguf", "capabilities": ["image"]}, ["model"], "draws pictures"),
        ({"model_format": "safetensors", "model_family": "z-image"}, ["tensor"], "draws pictures"),
    ],
)
def test_what_ollama_cannot_run_on_linux(
    hub: Hub, config: dict[str, Any], kinds: list[str], said: str
) -> None:
    add(hub, "refused", config, *kinds)
    with pytest.raises(HubError, match=said) as caught:
        inspect(hub, "made-here/refused")
    assert caught.value.fix


@pytest.mark.parametrize(
    "config",
    [
        {"model_family": "bert", "model_families": ["bert"]},
        {"model_family": "nomic-bert"},
        {"model_family": "gemma3", "capabilities": ["embedding"]},
    ],
)
def test_a_model_that_makes_embeddings(hub: Hub, config: dict[str, Any]) -> None:
    add(hub, "vectors", {"model_format": "gguf", **config}, "model")
    found = inspect(hub, "made-here/vectors")
    assert "/v1/embeddings" in found.notes[0]
    assert found.facts["loading"]["task"] == "embeddings"


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
