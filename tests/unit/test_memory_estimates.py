"""Does it fit: what holds for every model, and some that were tried by people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from llm_widgets.domain import gpus
from llm_widgets.domain.memory import (
    Attention,
    Estimate,
    Latent,
    MemoryModel,
    Recurrent,
)
from llm_widgets.domain.units import GIB
from llm_widgets.engines.ollama import memory as ollama
from llm_widgets.engines.ollama.memory import estimate as estimate_ollama
from llm_widgets.engines.vllm import memory as vllm
from llm_widgets.engines.vllm import speculation
from llm_widgets.engines.vllm.memory import estimate as estimate_vllm

L4, RTX = gpus.GPUS[:2]

ATTENTION = st.builds(
    Attention,
    layers=st.integers(1, 100),
    heads=st.integers(1, 64),
    key=st.sampled_from([64, 128, 256]),
    value=st.sampled_from([64, 128, 256]),
    window=st.sampled_from([0, 0, 128, 1024, 4096]),
)
LATENT = st.builds(
    Latent, layers=st.integers(1, 61), width=st.just(576), index=st.sampled_from([0, 128])
)
RECURRENT = st.builds(
    Recurrent,
    layers=st.integers(1, 60),
    convolution=st.integers(0, 100_000),
    state=st.integers(1, 1_000_000),
    state_bytes=st.sampled_from([2, 4]),
)
MODELS = st.builds(
    MemoryModel,
    weights=st.integers(1, 60 * GIB),
    layers=st.one_of(
        st.tuples(ATTENTION),
        st.tuples(LATENT),
        st.tuples(ATTENTION, RECURRENT),
        st.tuples(ATTENTION, ATTENTION),
    ),
    hidden=st.integers(64, 16384),
    intermediate=st.integers(64, 60000),
    vocab=st.integers(1000, 300_000),
    heads=st.integers(1, 128),
    host_weights=st.integers(0, GIB),
    context_length=st.sampled_from([0, 8192, 32768, 131072]),
    quantization=st.sampled_from(["", "fp8", "mxfp4"]),
)
GPUS = st.sampled_from(gpus.GPUS)
CONTEXTS = st.integers(1, 300_000)
REQUESTS = st.integers(1, 256)

QWEN_3_8B = MemoryModel(
    weights=int(15.26 * GIB),
    layers=(Attention(36, heads=8, key=128, value=128),),
    hidden=4096,
    intermediate=12288,
    vocab=151936,
    heads=32,
    context_length=40960,
)


def both(model: MemoryModel, gpu: gpus.Gpu, context: int, requests: int) -> list[Estimate]:
    return [
        estimate_vllm(model, gpu, context=context, concurrency=requests),
        estimate_ollama(model, gpu, context=context, parallel=requests),
    ]


@given(MODELS, GPUS, CONTEXTS, CONTEXTS, REQUESTS)
def test_a_longer_context_never_takes_less(
    model: MemoryModel, gpu: gpus.Gpu, one: int, other: int, requests: int
) -> None:
    short, long = sorted((one, other))
    for less, more in zip(
        both(model, gpu, short, requests), both(model, gpu, long, requests), strict=True
    ):
        assert less.total <= more.total
        assert less.fits or not more.fits
        assert less.longest_context == more.longest_context


@given(MODELS, GPUS, CONTEXTS, REQUESTS, REQUESTS)
def test_more_requests_never_take_less(
    model: MemoryModel, gpu: gpus.Gpu, context: int, one: int, other: int
) -> None:
    few, many = sorted((one, other))
    for less, more in zip(
        both(model, gpu, context, few), both(model, gpu, context, many), strict=True
    ):
        assert less.total <= more.total
        assert less.longest_context >= more.longest_context


@given(MODELS, GPUS, REQUESTS)
def test_the_longest_context_fits_and_a_block_more_does_not(
    model: MemoryModel, gpu: gpus.Gpu, requests: int
) -> None:
    for number, block in ((0, 16), (1, 256)):
        found = both(model, gpu, 4096, requests)[number].longest_context
        assert not model.context_length or found <= model.context_length
        if found:
            assert both(model, gpu, found, requests)[number].fits
        if found not in {model.context_length, 1 << 24}:
            assert not both(model, gpu, found + block, requests)[number].fits


@given(MODELS, GPUS, CONTEXTS, REQUESTS)
def test_parts_add_up(model: MemoryModel, gpu: gpus.Gpu, context: int, requests: int) -> None:
    for found in both(model, gpu, context, requests):
        assert found.known
        assert found.total == sum(part.bytes for part in found.parts.values())
        assert found.free == found.usable - found.total
        assert found.fits == (found.free >= 0) == (not found.reason)
        assert found.band[0] <= found.total <= found.band[1]
        assert all(part.bytes >= 0 and part.why for part in found.parts.values())
        assert found.usable <= gpu.usable_gib * GIB


@given(MODELS, GPUS, CONTEXTS)
def test_the_requests_that_are_possible_are_the_most(
    model: MemoryModel, gpu: gpus.Gpu, context: int
) -> None:
    found = estimate_ollama(model, gpu, context=context)
    most = found.concurrency_possible
    assume(most < 1 << 14)
    assert not estimate_ollama(model, gpu, context=context, parallel=most + 1).fits
    assert not most or estimate_ollama(model, gpu, context=context, parallel=most).fits


@given(MODELS, GPUS, CONTEXTS, REQUESTS)
def test_advice_is_true(model: MemoryModel, gpu: gpus.Gpu, context: int, requests: int) -> None:
    engine, other = both(model, gpu, context, requests)
    if engine.fits:
        assert not any(said.startswith("Fits") for said in engine.advice)
        return
    ways: dict[str, dict[str, Any]] = {
        "Fits with --kv-cache-dtype=fp8.": {"kv_dtype": "fp8"},
        "Fits with --enforce-eager.": {"eager": True},
    }
    for said, change in ways.items():
        tried = estimate_vllm(model, gpu, context=context, concurrency=requests, **change)
        assert (said in engine.advice) == tried.fits
    if gpu is L4:
        on_the_larger = any(said.startswith(f"Fits on {RTX.label}") for said in engine.advice)
        assert on_the_larger == both(model, RTX, context, requests)[0].fits
    assert other.fits != any("many times slower" in said for said in other.advice)


def test_qwen_3_8b_with_its_whole_context_on_24_gb() -> None:
    """LMCache#3430: documentation claims that it fits, and it runs out of memory."""
    whole = estimate_vllm(QWEN_3_8B, L4, context=40960, concurrency=64)
    assert not whole.fits
    assert "cache of 40,960 tokens takes 5.6 GiB" in whole.reason
    assert f"Fits with --max-model-len={whole.longest_context}." in whole.advice
    assert whole.longest_context % 16 == 0
    short = estimate_vllm(QWEN_3_8B, L4, context=8192, concurrency=64)
    assert short.fits
    assert short.concurrency_possible >= 1
    assert any("the others wait" in said for said in short.advice)
    assert estimate_vllm(QWEN_3_8B, RTX, context=40960, concurrency=8).advice == ()


def test_gpt_oss_120b_on_80_gb() -> None:
    """vllm#33155: fits on paper, and differs by version: it is close."""
    model = MemoryModel(
        weights=int(60.76 * GIB),
        layers=(Attention(18, 8, 64, 64, window=128), Attention(18, 8, 64, 64)),
        hidden=2880,
        intermediate=11520,
        vocab=201088,
        heads=64,
        context_length=131072,
        quantization="mxfp4",
    )
    small = replace(RTX, accelerator="other", memory_gib=80, usable_gib=72)
    found = estimate_vllm(model, small, context=131072, concurrency=64)
    assert not found.fits
    assert estimate_vllm(model, RTX, context=131072, concurrency=64).fits
    assert not estimate_vllm(model, L4, context=4096).fits


def test_a_model_with_states_needs_one_for_each_request() -> None:
    """vLLM: "max_num_seqs (256) exceeds available Mamba cache blocks (108)"."""
    model = replace(
        QWEN_3_8B,
        weights=int(17.66 * GIB),
        layers=(
            Attention(8, heads=4, key=256, value=256),
            Recurrent(24, convolution=3 * 8192, state=32 * 128 * 128, state_bytes=4),
        ),
        context_length=262144,
    )
    many = estimate_vllm(model, RTX, context=4096, concurrency=256)
    few = estimate_vllm(model, RTX, context=4096, concurrency=8)
    block = 8 * 528 * 4096
    assert many.kv_cache.bytes == 256 * block
    assert few.kv_cache.bytes == (8 + 3 * 2) * block
    tight = estimate_vllm(model, L4, context=4096, concurrency=256)
    assert not tight.fits
    eager = estimate_vllm(model, RTX, context=4096, concurrency=256, eager=True)
    assert eager.kv_cache.bytes == few.kv_cache.bytes


def test_graphs_are_counted_as_vllm_records_them() -> None:
    # Of public logs: PIECEWISE=51 and FULL=35 for 256 requests.
    assert vllm.graph_count(256) == 51 + 35
    assert vllm.graph_count(1024) == 51 + 51
    assert vllm.graph_count(8) == 5 + 4
    few, many = (
        estimate_vllm(QWEN_3_8B, L4, context=4096, concurrency=requests) for requests in (256, 512)
    )
    assert few.overhead.bytes < many.overhead.bytes
    assert (vllm.default_requests(L4), vllm.default_requests(RTX)) == (256, 1024)


def test_types_of_the_cache() -> None:
    """What stands beside the numbers counts too: scales of each head, and of sixteen numbers."""

    def kept(name: str) -> float:
        return estimate_vllm(
            QWEN_3_8B, L4, context=4096, concurrency=8, kv_dtype=name
        ).kv_cache.bytes

    plain = kept("auto")
    assert kept("fp8_e5m2") == kept("fp8") == plain / 2
    assert kept("int8_per_token_head") == plain / 2 * (1 + 4 / 128)
    assert kept("nvfp4") == plain * 9 / 32
    assert kept("turboquant_3bit_nc") == plain / 2
    assert kept("some_new_type") == plain


def test_heads_that_guess_take_memory() -> None:
    """Their weights, a layer of the cache, and a state for each token that is guessed."""
    hybrid = replace(
        QWEN_3_8B,
        layers=(
            Attention(8, heads=4, key=256, value=256),
            Recurrent(24, convolution=3 * 8192, state=32 * 128 * 128, state_bytes=4),
        ),
        drafts=GIB,
        draft_layers=1,
    )
    mtp = speculation.told('{"method": "qwen3_next_mtp", "num_speculative_tokens": 3}')
    assert (mtp.tokens, mtp.has_own_heads, mtp.has_other_model) == (3, True, False)
    without = estimate_vllm(hybrid, RTX, context=4096, concurrency=1)
    guessing = estimate_vllm(hybrid, RTX, context=4096, concurrency=1, speculation=mtp)
    assert guessing.weights.bytes == without.weights.bytes + GIB
    states = 24 * 3 * (without.kv_cache.bytes // (8 + 24 * 2))
    assert guessing.kv_cache.bytes >= without.kv_cache.bytes + states
    assert "layers with a state" in guessing.doubt


def test_a_model_that_guesses_is_not_known() -> None:
    other = speculation.told('{"model": "acme/draft", "num_speculative_tokens": 3}')
    found = estimate_vllm(QWEN_3_8B, L4, context=4096, concurrency=8, speculation=other)
    assert found.fits
    assert found.is_close
    assert "guesses further tokens" in found.doubt
    for plain in ("", "{", "[]", '{"method": "ngram"}'):
        same = estimate_vllm(
            QWEN_3_8B, L4, context=4096, concurrency=8, speculation=speculation.told(plain)
        )
        assert (same.is_close, same.doubt) == (False, "")


def test_ollama_keeps_states_to_go_on_from() -> None:
    """Its own engine keeps 24 beside the one in use; llama.cpp, which runs others, does not."""
    states = Recurrent(36, convolution=24576, state=524288, state_bytes=4)
    model = replace(QWEN_3_8B, layers=(Attention(12, 2, 256, 256), states))
    one = 36 * (24576 + 524288) * 4
    growing = ollama.cache_bytes(replace(model, layers=model.layers[:1]), 32768)
    assert ollama.cache_bytes(model, 32768) == growing + 25 * one
    assert ollama.cache_bytes(model, 32768, parallel=4) == 4 * (growing + 25 * one)
    granite = replace(model, architecture="granitehybrid")
    assert ollama.cache_bytes(granite, 32768) == growing + one
    found = estimate_ollama(model, L4, context=32768)
    assert "layers with a state" in found.doubt
    assert found.band[1] - found.total > found.total - found.band[0]


def test_ollama_remembers_more_than_a_window() -> None:
    layers = (Attention(12, 8, 64, 64, window=128),)
    model = replace(QWEN_3_8B, layers=layers)
    token = 12 * 8 * 128 * 2
    assert ollama.cache_bytes(model, 32768) == 768 * token
    remembering = replace(model, architecture="gptoss")
    assert ollama.cache_bytes(remembering, 32768) == (4096 + 512) * token
    assert ollama.cache_bytes(remembering, 2048) == 2048 * token


def test_activations_grow_with_what_is_worked_on_at_once() -> None:
    # Qwen's measurements of Qwen2.5 7B beside its weights and its cache.
    qwen = replace(QWEN_3_8B, intermediate=18944)
    for tokens, measured in ((6144, 0.76), (14336, 1.85), (30720, 4.03)):
        assert vllm.activation_bytes(qwen, tokens) / GIB == pytest.approx(measured, rel=0.05)
    assert (vllm.batch_tokens(L4), vllm.batch_tokens(RTX)) == (2048, 8192)
    found = estimate_vllm(QWEN_3_8B, L4, context=4096, concurrency=64)
    words = 64 * 151936 * 4
    assert found.activations.bytes == vllm.activation_bytes(QWEN_3_8B, 2048) > words
    many = estimate_vllm(QWEN_3_8B, L4, context=4096, concurrency=512)
    assert many.activations.bytes == 8 * words


def test_the_graph_explodes_without_flash_attention() -> None:
    """ollama#10615: 13.3 GiB for Mistral Small at 131,072 tokens."""
    mistral = replace(QWEN_3_8B, hidden=5120, intermediate=32768, vocab=131072, heads=32)
    slow = ollama.graph_bytes(mistral, 131072, flash=False)
    assert slow / GIB == pytest.approx(13.3, rel=0.02)
    assert ollama.graph_bytes(mistral, 131072, flash=True) < 0.1 * slow


def test_ollama_takes_the_cache_of_all_requests() -> None:
    one = estimate_ollama(QWEN_3_8B, L4, context=8192)
    four = estimate_ollama(QWEN_3_8B, L4, context=8192, parallel=4)
    assert one.kv_cache.bytes * 4 == four.kv_cache.bytes == 4 * 8192 * 147456
    assert four.fits
    eight = estimate_ollama(QWEN_3_8B, L4, context=8192, parallel=8)
    assert not eight.fits
    assert f"Fits with OLLAMA_NUM_PARALLEL={eight.concurrency_possible}." in eight.advice


def test_caches_of_fewer_bits() -> None:
    plain = estimate_ollama(QWEN_3_8B, L4, context=8192).kv_cache.bytes
    eight = estimate_ollama(QWEN_3_8B, L4, context=8192, kv_cache_type="q8_0")
    four = estimate_ollama(QWEN_3_8B, L4, context=8192, kv_cache_type="q4_0")
    assert eight.kv_cache.bytes / plain == 8.5 / 16
    assert four.kv_cache.bytes / plain == 4.5 / 16
    ignored = estimate_ollama(
        QWEN_3_8B, L4, context=8192, kv_cache_type="q8_0", flash_attention=False
    )
    assert ignored.kv_cache.bytes == plain
    assert not estimate_ollama(QWEN_3_8B, L4, context=8192, kv_cache_type="q2").known


def test_what_is_unknown_is_not_guessed() -> None:
    strange = replace(QWEN_3_8B, layers=(), unknown="it has layers of the kind “retention”.")
    for found in both(strange, L4, 4096, 1):
        assert (found.known, found.fits, found.longest_context) == (False, False, 0)
        assert (
            "Unknown how much memory the model needs: it has layers of the kind “retention”"
            in found.reason
        )
        assert found.weights.bytes == strange.weights
    large = estimate_vllm(replace(strange, weights=50 * GIB), L4, context=4096)
    assert "weights alone take 50.0 GiB" in large.reason


def test_a_context_longer_than_the_model_was_made_for() -> None:
    found = estimate_vllm(QWEN_3_8B, RTX, context=100_000)
    assert found.fits
    assert found.longest_context == 40960
    assert any("made for 40,960 tokens" in said for said in found.advice)
    cut = estimate_ollama(QWEN_3_8B, RTX, context=100_000)
    assert cut.kv_cache.bytes == 40960 * 147456
    assert any("gives no more" in said for said in cut.advice)


def test_weights_alone_are_too_large() -> None:
    found = estimate_vllm(replace(QWEN_3_8B, weights=130 * GIB), RTX, context=4096)
    assert found.reason.startswith("Does not fit: the weights take 130.0 GiB")
    assert any("quantised" in said for said in found.advice)
    assert (found.longest_context, found.concurrency_possible) == (0, 0)
