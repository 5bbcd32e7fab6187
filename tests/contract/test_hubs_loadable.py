"""What can't be loaded is told before a byte is copied, and what is needed is copied."""

from __future__ import annotations

import json
import struct
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets import hubs
from llm_widgets.config import Settings
from llm_widgets.errors import HubError, ManagerError, UnavailableError
from local_cloud.hub.repositories import Repository

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.domain.imports import HubModel
    from local_cloud.hub import Hub

LLAMA: dict[str, Any] = {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
SHARD = "model-00001-of-00001.safetensors"
INDEX = "model.safetensors.index.json"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12\n"


def tensors(*names: str) -> bytes:
    entries = {
        name: {"dtype": "BF16", "shape": [2, 2], "data_offsets": [8 * i, 8 * i + 8]}
        for i, name in enumerate(names or ("w",))
    }
    head = json.dumps(entries).encode()
    return struct.pack("<Q", len(head)) + head + bytes(8 * len(entries))


def inspect(hub: Hub, name: str, files: Mapping[str, Any]) -> HubModel:
    contents = {
        path: body if isinstance(body, bytes) else json.dumps(body).encode()
        for path, body in files.items()
    }
    date = "2026-11-01T00:00:00.000Z"
    hub.repositories.add_commit(Repository(f"loads/{name}"), contents, title="Add", date=date)
    settings = Settings(variables={"HF_ENDPOINT": hub.url})
    return hubs.inspect("huggingface", f"loads/{name}", settings)


def test_dense_layers_and_adapters_of_its_own_are_copied(hub: Hub) -> None:
    modules = [{"path": "", "type": "T"}, {"path": "1_Pooling"}, {"path": "2_Dense"}]
    found = inspect(
        hub,
        "dense",
        {
            "config.json": {"architectures": ["Gemma3TextModel"]},
            "model.safetensors": tensors(),
            "modules.json": modules,
            "1_Pooling/config.json": {},
            "2_Dense/config.json": {},
            "2_Dense/model.safetensors": tensors(),
            "3_Other/model.safetensors": tensors(),
        },
    )
    left_out = {file.path: file.skipped for file in found.files if file.skipped}
    assert left_out.keys() == {"3_Other/model.safetensors"}
    assert "modules.json" in left_out["3_Other/model.safetensors"]
    assert found.facts["loading"]["task"] == "embeddings"


NAMES_ITS_ADAPTER: list[dict[str, Any]] = [
    {"config.json": {**LLAMA, "speech_lora": {}}},
    {
        "config.json": {**LLAMA, "auto_map": {"AutoModel": "modeling_x.X"}},
        "modeling_x.py": b"LORA = 'speech-lora'",
    },
]


@pytest.mark.parametrize("named", NAMES_ITS_ADAPTER)
def test_adapters_that_the_model_names_are_copied(hub: Hub, named: dict[str, Any]) -> None:
    adapter = {
        "speech-lora/adapter_config.json": {},
        "speech-lora/adapter_model.safetensors": tensors("a.lora_A.weight"),
        "other-lora/adapter_config.json": {},
        "other-lora/adapter_model.safetensors": tensors("a.lora_A.weight"),
    }
    found = inspect(hub, "lora", {**named, "model.safetensors": tensors(), **adapter})
    left_out = {file.path for file in found.files if file.skipped}
    assert left_out == {"other-lora/adapter_model.safetensors"}
    assert any("speech-lora" in note for note in found.notes)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (POINTER, "pointer of Git LFS"),
        (b"<!doctype html><html></html>", "web page"),
        (b"", "empty"),
        (b"Entry not found", "text stands there"),
        (tensors()[:-3], "its tensors take"),
        (tensors() + b"more", "its tensors take"),
        (struct.pack("<Q", 1 << 40) + b"{}", "announces a header"),
        (b"GGUF" + bytes(60), ""),
        (b"PK\3\4" + bytes(60), ""),
    ],
)
def test_weights_that_are_none_are_refused(hub: Hub, body: bytes, said: str) -> None:
    with pytest.raises(HubError, match=r"model\.safetensors is not a weights file") as caught:
        inspect(hub, "none", {"config.json": LLAMA, "model.safetensors": body})
    assert said in caught.value.cause
    assert caught.value.fix
    assert caught.value.fix.url.endswith("/loads/none/discussions")


@pytest.mark.parametrize("path", ["llama-7b-4bit-128g.pt", "model.bin"])
def test_weights_with_unusual_names_are_copied(hub: Hub, path: str) -> None:
    archive = b"PK\3\4" + bytes(60) + b"PK\5\6" + bytes(18)
    found = inspect(hub, "unusual", {"config.json": LLAMA, path: archive, "optimizer.pt": archive})
    assert {file.path for file in found.files if file.skipped} == {"optimizer.pt"}
    assert any(f"vLLM takes “{path}” as its weights" in note for note in found.notes)
    with pytest.raises(HubError, match="is not a weights file"):
        inspect(hub, "unusual", {"config.json": LLAMA, path: b"\x06\x00\x00\x00ctranslate"})


@pytest.mark.parametrize("body", [POINTER, b"<html></html>", b"", b"Access denied"])
def test_weights_of_pytorch_that_are_none_are_refused(hub: Hub, body: bytes) -> None:
    with pytest.raises(HubError, match="is not a weights file"):
        inspect(hub, "none-of-pytorch", {"config.json": LLAMA, "pytorch_model.bin": body})


def test_an_index_that_contradicts_the_weights_is_refused(hub: Hub) -> None:
    files = {"config.json": LLAMA, "tokenizer.json": {}, SHARD: tensors("a")}
    whole = {**files, INDEX: {"weight_map": {"a": SHARD}}}
    assert inspect(hub, "index", whole).notes == ()
    with pytest.raises(HubError, match="1 tensors are missing") as caught:
        inspect(hub, "index", {**files, INDEX: {"weight_map": {"a": SHARD, "b": SHARD}}})
    assert f"{SHARD} has no b." in caught.value.cause


@pytest.mark.parametrize(
    "names",
    [
        ("model.q_proj.lora_A.weight", "model.q_proj.lora_B.weight"),
        ("base_model.model.model.layers.0.mlp.down_proj.ia3_l", "base_model.model.lm_head.weight"),
        ("lora_unet_a.hada_w1_a", "lora_unet_a.hada_w2_b", "lora_unet_a.alpha"),
        ("lora_te_a.lora_down.weight", "lora_te_a.dora_scale"),
        ("base_model.model.vera_A", "a.vera_lambda_d"),
        ("prompt_embeddings",),
    ],
)
def test_an_adapter_under_the_name_of_a_model_is_refused(hub: Hub, names: tuple[str, ...]) -> None:
    body = tensors(*names)
    with pytest.raises(HubError, match="not a model"):
        inspect(hub, "disguised", {"config.json": LLAMA, "model.safetensors": body})


def test_an_adapter_leads_to_its_base(hub: Hub) -> None:
    files = {
        "adapter_config.json": {"base_model_name_or_path": "org/base"},
        "adapter_model.safetensors": tensors("a.lora_A.weight"),
    }
    with pytest.raises(HubError, match="LoRA adapter") as caught:
        inspect(hub, "adapter", files)
    assert caught.value.fix
    assert caught.value.fix.url == f"{hub.url}/org/base"


def test_a_quantization_that_is_there_is_advised(hub: Hub) -> None:
    with pytest.raises(HubError, match="GGUF") as caught:
        inspect(hub, "gguf", {"m-Q5_K_S.gguf": b"GGUF", "m-IQ3_XXS.gguf": b"GGUF"})
    assert caught.value.fix
    assert "hf.co/loads/gguf:IQ3_XXS." in caught.value.fix.text


def test_gguf_shards_have_a_way(hub: Hub) -> None:
    files = {f"m-Q4_K_M-0000{number}-of-00002.gguf": b"GGUF" for number in (1, 2)}
    with pytest.raises(HubError, match="can't load loads/shards") as caught:
        inspect(hub, "shards", files)
    assert caught.value.fix
    assert "llama-gguf-split --merge" in caught.value.fix.text


def test_the_format_of_mistral_needs_no_config(hub: Hub) -> None:
    files = {"params.json": {"dim": 64}, "tekken.json": {}, "consolidated.safetensors": tensors()}
    found = inspect(hub, "mistral", files)
    assert found.notes == ()
    assert found.facts["loading"]["format"] == "mistral"
    assert {file.path for file in found.chosen} == files.keys()


def test_weights_in_the_folders_of_a_pipeline_are_copied(hub: Hub) -> None:
    config = {"architectures": ["Cosmos3ForConditionalGeneration"]}
    files = {
        "config.json": config,
        "model_index.json": {},
        "transformer/model.safetensors": tensors(),
        "vision_encoder/model.safetensors": tensors(),
        "vae/model.safetensors": tensors(),
    }
    found = inspect(hub, "pipeline", files)
    left_out = {file.path for file in found.files if file.skipped}
    assert left_out == {"vae/model.safetensors"}
    with pytest.raises(HubError, match="not a weights file"):
        inspect(hub, "pipeline", {**files, "transformer/model.safetensors": POINTER})


ODD = [None, "x", [1], {"a": 1}, {"w": [SHARD]}, 1e999]


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        (INDEX, ("", "weight_map")),
        ("config.json", ("", "architectures", "layer_types", "quantization_config", "text_config")),
        ("modules.json", ("",)),
        ("params.json", ("",)),
    ],
)
def test_odd_json_is_a_sentence_or_left_out(hub: Hub, path: str, keys: tuple[str, ...]) -> None:
    files = {"config.json": LLAMA, SHARD: tensors(), INDEX: {"weight_map": {"w": SHARD}}}
    usual = files.get(path, {})
    for key, odd in product(keys, ODD):
        changed = {**usual, key: odd} if key and isinstance(usual, dict) else odd
        assert outcome(hub, {**files, path: changed}) in ("refused", None, "LlamaForCausalLM")


def outcome(hub: Hub, files: Mapping[str, Any]) -> str | None:
    """Return the architecture that is found; any error but one for a person is raised."""
    try:
        found = inspect(hub, "odd", files)
    except ManagerError:
        return "refused"
    named: str | None = found.facts.get("architecture")
    return named


@pytest.mark.parametrize("raw", [b"", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_is_a_sentence_or_left_out(hub: Hub, raw: bytes) -> None:
    files = {"config.json": LLAMA, SHARD: tensors(), INDEX: {"weight_map": {"w": SHARD}}}
    for path in ("config.json", INDEX):
        with pytest.raises(HubError, match="is not JSON"):
            inspect(hub, "no-json", {**files, path: raw})
    assert inspect(hub, "no-json", {**files, "modules.json": raw, "params.json": raw}).chosen


@pytest.mark.parametrize("path", ["config.json", INDEX])
def test_a_page_in_place_of_a_document_is_told_as_one(hub: Hub, path: str) -> None:
    files = {"config.json": LLAMA, SHARD: tensors(), INDEX: {"weight_map": {"w": SHARD}}}
    with pytest.raises(UnavailableError, match="something between here and there answered"):
        inspect(hub, "page", {**files, path: b"<html>sign in</html>"})
