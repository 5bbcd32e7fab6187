"""What is said of GGUF files before an import, against llama.cpp itself."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets.engines.ollama import weights
from llm_widgets.hubs import gguf
from llm_widgets.hubs.headers import DamagedError
from tests.gguf_models import EMBEDDING, TOKENS, metadata, shapes, written

if TYPE_CHECKING:
    from pathlib import Path

LOAD = """
import os, sys, xllamacpp
parameters = xllamacpp.CommonParams()
parameters.model.path = sys.argv[1]
parameters.hostnames, parameters.port, parameters.n_ctx = ["127.0.0.1"], 0, 64
parameters.warmup = parameters.fit_params = False
parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
try:
    server = xllamacpp.Server(parameters)
except RuntimeError:
    os._exit(1)
os._exit(0)  # at once: the server is not waited for
"""
"""A process of its own for each model: llama.cpp ends it where it is surprised."""


def without(*names: str) -> dict[str, tuple[int, ...]]:
    return {name: shape for name, shape in shapes().items() if name not in names}


def other(**changes: Any) -> bytes:
    """Return a model with other metadata; ``__`` in a name stands for a full stop."""
    return written(metadata(**{key.replace("__", "."): each for key, each in changes.items()}))


WHOLE = {
    "llama, F32": written(),
    "llama, F16, version 2": written(kind="F16", version=2),
    **{f"llama, {kind}": written(kind=kind) for kind in ("BF16", "Q8_0", "Q4_0", "Q4_K", "Q6_K")},
    **{
        family: written(metadata(family), shapes(family))
        for family in ("qwen2", "qwen3", "gemma", "gemma2", "gemma3", "internlm2", "smollm3")
    },
    "without scores": other(tokenizer__ggml__scores=None),
    "with bytes behind it": written() + bytes(999),
}
NO_TOKENIZER: dict[str, Any] = {key: None for key in metadata() if key.startswith("tokenizer")}
BROKEN = {
    "truncated": written()[:-1000],
    "cut in its header": written()[:3000],
    "version 1": written(version=1),
    "version 4": written(version=4),
    "big-endian": written(order=">"),
    "empty": b"",
    "zeros": bytes(5000),
    "a pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64,
    "a web page": b"<!doctype html><html><body>Not found</body></html>",
    "gaps between tensors": written(gap=32),
    "odd alignment": other(general__alignment=33),
    "unknown architecture": written(metadata("llama9")),
    "no architecture": other(general__architecture=None),
    "no tokenizer": written(metadata(**NO_TOKENIZER)),
    "unknown tokenizer": other(tokenizer__ggml__model="mine"),
    "no merges": other(tokenizer__ggml__model="gpt2"),
    "no number of layers": other(llama__block_count=None),
    "no context": other(llama__context_length=None),
    "no heads": other(llama__attention__head_count=None),
    "no epsilon": other(llama__attention__layer_norm_rms_epsilon=None),
    "layers in words": other(llama__block_count="two"),
    "too many layers": other(llama__block_count=2**32 - 1),
    "a layer is missing": written(tensors=shapes(layers=1)),
    "a tensor is missing": written(tensors=without("blk.1.ffn_up.weight")),
    "no embeddings": written(tensors=without("token_embd.weight")),
    "no last norm": written(tensors=without("output_norm.weight")),
    "half as wide": written(tensors=shapes() | {"token_embd.weight": (128, len(TOKENS))}),
    "seven tokens": written(tensors=shapes() | {"token_embd.weight": (EMBEDDING, 7)}),
    "half a query": written(tensors=shapes() | {"blk.0.attn_q.weight": (EMBEDDING, 128)}),
    "a narrow query": written(tensors=shapes() | {"blk.0.attn_q.weight": (128, EMBEDDING)}),
    "one of two files": other(split__count=2, split__no=0, split__tensors__count=50),
    "a projector": written(metadata("clip")),
    "an adapter": written(
        metadata(**{"general.type": "adapter", "adapter.type": "lora"}),
        {"blk.0.attn_q.weight.lora_a": (EMBEDDING, 8)},
    ),
}


def said(content: bytes) -> str:
    """Return why a file is refused before an import; empty where it is not."""
    try:
        found = gguf.header("m.gguf", len(content), lambda _, start, end: content[start:end])
    except DamagedError as error:
        return error.cause
    return weights.problem(gguf.described(*found), has_newer=False)


@pytest.mark.parametrize("name", [*WHOLE, *BROKEN])
def test_the_verdict_is_that_of_llama_cpp(tmp_path: Path, name: str) -> None:
    content = {**WHOLE, **BROKEN}[name]
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    loaded = subprocess.run([sys.executable, "-c", LOAD, str(path)], check=False, timeout=60)
    assert (loaded.returncode == 0) == (name in WHOLE)
    assert bool(said(content)) == (name in BROKEN)
