"""What hubs answer is checked at their door."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from llm_widgets.config import Endpoint, Settings
from llm_widgets.errors import HubError, InvalidInputError
from llm_widgets.hubs import check_endpoints, documents, facts
from llm_widgets.hubs.huggingface.repository import Model
from llm_widgets.hubs.ollama.documents import Manifest, ModelConfig

DIGEST = "sha256:" + "ab" * 32
LAYER = {"digest": DIGEST, "size": 5, "mediaType": "application/vnd.ollama.image.model"}


def read(value: Any, kind: type = Manifest) -> Any:
    return documents.read(json.dumps(value).encode(), kind, name="The answer", wrong="It is none.")


def test_a_manifest() -> None:
    found = read({"schemaVersion": 2, "config": {**LAYER, "mediaType": None}, "layers": [LAYER]})
    (layer,) = found.layers
    assert (layer.kind, layer.sha256, layer.size) == ("model", "ab" * 32, 5)
    assert found.config.kind == ""
    assert read({"config": LAYER, "layers": None}).layers is None


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ([], "Expected `object`"),
        ({"layers": [LAYER]}, "`config`"),
        ({"config": LAYER, "layers": {}}, "$.layers"),
        ({"config": LAYER, "layers": [{**LAYER, "size": -1}]}, "$.layers[0].size"),
        ({"config": LAYER, "layers": [{**LAYER, "size": True}]}, "$.layers[0].size"),
        ({"config": LAYER, "layers": [{**LAYER, "size": "5"}]}, "$.layers[0].size"),
        ({"config": {**LAYER, "digest": "sha256:../../x"}}, "$.config.digest"),
        ({"config": {**LAYER, "digest": DIGEST + "\n"}}, "$.config.digest"),
    ],
)
def test_what_is_no_manifest(value: Any, where: str) -> None:
    with pytest.raises(HubError, match="It is none") as caught:
        read(value)
    assert where in caught.value.cause


@pytest.mark.parametrize("raw", [b"", b"{", b"<html>", b"\xff", b"[" * 100_000])
def test_what_is_no_json(raw: bytes) -> None:
    with pytest.raises(HubError, match="The answer is not JSON"):
        documents.parsed(raw, name="The answer")


def test_a_configuration_of_another_kind_is_named() -> None:
    assert read({"model_family": None, "unknown": {}}, ModelConfig) == ModelConfig()
    with pytest.raises(HubError) as caught:
        read({"context_length": "long"}, ModelConfig)
    assert "$.context_length" in caught.value.cause


def repository(**changes: Any) -> SimpleNamespace:
    """Make what the hub's client gives."""
    file = SimpleNamespace(rfilename="a", size=1, blob_id="1" * 40, lfs=None)
    return SimpleNamespace(
        **{"id": "org/name", "sha": "2" * 40, "siblings": [file], "gated": False, **changes}
    )


def test_a_repository() -> None:
    found = documents.checked(repository(gated="auto"), Model, wrong="It is none.")
    assert found.files["a"].size == 1
    assert found.gated == "auto"


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"sha": None}, "$.sha"),
        ({"sha": "main"}, "$.sha"),
        ({"id": "../other"}, "$.id"),
        ({"id": "org/.."}, "$.id"),
        ({"id": "a/b/c"}, "$.id"),
        ({"siblings": [SimpleNamespace(rfilename="")]}, "$.siblings[0].rfilename"),
        ({"siblings": [SimpleNamespace(rfilename="a", size=-1)]}, "$.siblings[0].size"),
        ({"siblings": [SimpleNamespace(rfilename="a", blob_id="x")]}, "$.siblings[0].blob_id"),
        (
            {"siblings": [SimpleNamespace(rfilename="a", lfs={"sha256": "x"})]},
            "$.siblings[0].lfs.sha256",
        ),
        ({"safetensors": {"parameters": {"BF16": "many"}, "total": 1}}, "$.safetensors"),
    ],
)
def test_what_is_no_repository(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(HubError, match="It is none") as caught:
        documents.checked(repository(**changes), Model, wrong="It is none.")
    assert where in caught.value.cause


def test_facts_that_are_none_are_left_out() -> None:
    config = {
        "architectures": "LlamaForCausalLM",
        "model_type": 7,
        "torch_dtype": ["bfloat16"],
        "quantization_config": "awq",
        "text_config": "none",
    }
    assert facts.from_config(config) == {}
    assert "context_length" not in facts.from_config({"max_position_embeddings": "many"})
    assert facts.from_config({"architectures": []}) == {}


def test_where_a_hub_is_asked() -> None:
    endpoint = Endpoint("THERE", "https://there.example")
    assert Settings().endpoint(endpoint) == "https://there.example"
    chosen = Settings.from_environment({"THERE": "http://127.0.0.1:1/"})
    assert chosen.endpoint(endpoint) == "http://127.0.0.1:1"
    with pytest.raises(InvalidInputError, match="THERE is not a URL"):
        Settings.from_environment({"THERE": "there"}).endpoint(endpoint)
    secret = Settings.from_environment({"HF_TOKEN": "hf_secret", "HF_ENDPOINT": "none"})
    assert "hf_secret" not in repr(secret)
    with pytest.raises(InvalidInputError, match="HF_ENDPOINT is not a URL"):
        check_endpoints(secret)
