"""What is read out of the header of a GGUF file."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_widgets.domain.memory import (
    Attention,
    Latent,
    MemoryModel,
    Recurrent,
    Tensor,
    from_gguf,
    to_facts,
)

SOME = (Tensor("blk.0.attn_norm.weight", "F32", (4096,), 16384),)
"""A table that says nothing of the layers."""

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=6,
)

GGUF = {
    "general.architecture": "llama",
    "tokenizer.ggml.tokens": range(128256),
    "llama.block_count": 32,
    "llama.context_length": 131072,
    "llama.embedding_length": 4096,
    "llama.feed_forward_length": 14336,
    "llama.attention.head_count": 32,
    "llama.attention.head_count_kv": 8,
}


def gguf(kind: str, **own: Any) -> MemoryModel:
    """Make a model of another architecture; ``__`` in names stands for a full stop."""
    metadata = {
        key.replace("llama.", f"{kind}."): value for key, value in GGUF.items() if value != "llama"
    }
    own = {f"{kind}.{key.replace('__', '.')}": value for key, value in own.items()}
    return from_gguf({**metadata, "general.architecture": kind, **own}, SOME)


def test_gguf() -> None:
    model = from_gguf(GGUF, SOME)
    assert model.layers == (Attention(32, heads=8, key=128, value=128),)
    assert (model.vocab, model.intermediate, model.heads) == (128256, 14336, 32)
    assert (model.context_length, model.unknown) == (131072, "")


def test_gguf_windows() -> None:
    window = {"attention__sliding_window": 512}
    assert gguf("qwen2", **window).layers == from_gguf(GGUF, SOME).layers  # unused by llama.cpp
    assert [layer.layers for layer in gguf("gemma3", **window).layers] == [27, 5]
    pattern = {"attention__sliding_window_pattern": [True, True, True, False]}
    wider = {"attention__key_length": 512, "attention__value_length": 512}
    narrower = {"attention__key_length_swa": 256, "attention__value_length_swa": 256}
    assert gguf("gemma4", **window, **pattern, **wider, **narrower).layers == (
        Attention(24, heads=8, key=256, value=256, window=512),
        Attention(8, heads=8, key=512, value=512),
    )


def test_gguf_shared_and_recurrent_layers() -> None:
    shared = gguf("gemma3n", attention__shared_kv_layers=12)
    assert sum(layer.layers for layer in shared.layers) == 20
    state = {
        "ssm__conv_kernel": 4,
        "ssm__inner_size": 4096,
        "ssm__state_size": 128,
        "ssm__group_count": 16,
    }
    hybrid = Recurrent(24, convolution=3 * 8192, state=4096 * 128, state_bytes=4)
    assert gguf("qwen35", **state).layers[0] == hybrid
    alternating = gguf("granitehybrid", **state, attention__head_count_kv=[0, 0, 0, 8] * 8)
    assert alternating.layers[0] == hybrid
    assert "recurrent" in gguf("new", **state).unknown


def test_gguf_compressed() -> None:
    model = gguf("deepseek2", attention__key_length=576, attention__key_length_mla=192)
    assert model.layers == (Latent(32, width=576),)


@pytest.mark.parametrize("kind", ["rwkv6", "falcon-h1", "t5"])
def test_gguf_of_unknown_kinds(kind: str) -> None:
    assert kind in gguf(kind).unknown


def test_gguf_embeddings_stay_with_the_cpu_unless_they_are_the_output() -> None:
    words = Tensor("token_embd.weight", "Q4_K", (4096, 128256), 1000)
    output = Tensor("output.weight", "Q6_K", (4096, 128256), 2000)
    other = Tensor("per_layer_token_embd.weight", "Q8_0", (256, 262144), 4000)
    tied = from_gguf(GGUF, (words,), other_weights=8000)
    assert (tied.weights, tied.host_weights, tied.pictures) == (9000, 0, True)
    untied = from_gguf(GGUF, (words, output, other))
    assert (untied.weights, untied.host_weights) == (2000, 5000)


@given(st.dictionaries(st.sampled_from([*GGUF, "llama.full_attention_interval"]), ANYTHING))
def test_whatever_metadata_hold_nothing_breaks(found: dict[str, Any]) -> None:
    json.dumps(to_facts(from_gguf({**GGUF, **found}, SOME)))
