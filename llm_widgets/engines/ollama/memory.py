"""Whether a model fits into a GPU with Ollama, which takes all its memory when it loads.

    weights + cache(context, all parallel requests) + graph + CUDA  <=  memory

What does not fit Ollama gives to the CPU, without failing: it then answers many times slower.
Sources: llama.cpp (``llama-kv-cache-iswa.cpp``: cells of a window; ``ggml-common.h``: 8-bit and
4-bit blocks), Ollama (``fs/ggml/ggml.go``: size of the graph; ``server/sched.go``: batches).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from llm_widgets.domain.memory.estimate import (
    LONGEST,
    Estimate,
    Part,
    cannot_tell,
    larger_gpu,
    longest,
    memory_bytes,
    most_requests,
    why_not,
)
from llm_widgets.domain.memory.model import Attention, Latent
from llm_widgets.domain.units import GIB

if TYPE_CHECKING:
    from llm_widgets.domain.gpus import Gpu
    from llm_widgets.domain.memory.model import Layers, MemoryModel

BLOCK = 256
"""Cells of a cache are a multiple of it."""

BATCH = 512
"""Tokens that are worked on at once. Later versions take up to 2048, but only where memory is
left, so that whether a model fits is decided with the smallest."""

CACHE_TYPES = {"f16": Fraction(2), "q8_0": Fraction(34, 32), "q4_0": Fraction(18, 32)}
"""Bytes of an element by ``OLLAMA_KV_CACHE_TYPE``: blocks of 32 elements with a 16-bit scale."""

CUDA = GIB // 2
"""What CUDA and its libraries take."""

SLOW_GRAPH = 1.6
"""Without flash attention every head's products with the whole text are kept: this times 32 bits
each. From 13.3 GiB measured of Mistral Small at 131,072 tokens (ollama#10615)."""

_FLOAT = 4  # bytes of a number in a graph, and in a state
_UNCERTAIN = 0.3  # of the graph


@dataclass(frozen=True, slots=True)
class _Choices:
    """The variables of Ollama that memory depends on."""

    context: int
    parallel: int
    cache_type: str
    flash: bool


def cache_bytes(
    model: MemoryModel,
    context: int,
    *,
    parallel: int = 1,
    cache_type: str = "f16",
    batch: int = BATCH,
) -> int:
    """Return the bytes of the cache for parallel requests of one context each."""
    element = CACHE_TYPES[cache_type]
    cells = -(-context // BLOCK) * BLOCK
    return sum(_layer_bytes(layer, cells, element, batch) for layer in model.layers) * parallel


def _layer_bytes(layer: Layers, cells: int, element: Fraction, batch: int) -> int:
    if isinstance(layer, Attention):
        if layer.window:
            cells = -(-min(cells, layer.window + batch) // BLOCK) * BLOCK
        return int(layer.layers * layer.heads * (layer.key + layer.value) * cells * element)
    if isinstance(layer, Latent):
        return int(layer.layers * (layer.width + layer.index) * cells * element)
    return layer.layers * (layer.convolution + layer.state) * _FLOAT


def graph_bytes(model: MemoryModel, cells: int, *, flash: bool, batch: int = BATCH) -> int:
    """Return the bytes of what is computed for a batch of tokens.

    Parameters
    ----------
    cells
        Tokens of the cache of all requests.
    flash
        Whether attention is computed piece by piece (``OLLAMA_FLASH_ATTENTION=1``).
    """
    width = model.vocab + 5 * model.hidden + 2 * model.intermediate
    seen = cells * (1 if flash else 1 + int(SLOW_GRAPH * model.heads))
    return batch * (width + seen) * _FLOAT


def estimate(
    model: MemoryModel,
    gpu: Gpu,
    *,
    context: int,
    parallel: int = 1,
    kv_cache_type: str = "f16",
    flash_attention: bool = True,
) -> Estimate:
    """Estimate whether a model with its cache fits into a GPU, so that Ollama uses nothing else.

    Parameters
    ----------
    context
        ``OLLAMA_CONTEXT_LENGTH``: tokens of each request.
    parallel
        ``OLLAMA_NUM_PARALLEL``: requests at once; the cache of all is taken when it loads.
    kv_cache_type
        ``OLLAMA_KV_CACHE_TYPE``; other than ``f16`` only with flash attention.
    flash_attention
        ``OLLAMA_FLASH_ATTENTION``.
    """
    choices = _Choices(context, parallel, kv_cache_type, flash_attention)
    found = _estimate(model, gpu, choices)
    return replace(found, advice=_advice(found, model, gpu, choices) if found.known else ())


def _estimate(model: MemoryModel, gpu: Gpu, choices: _Choices) -> Estimate:
    usable = memory_bytes(gpu)
    if model.unknown:
        return cannot_tell(model.weights, usable, model.unknown)
    # Ollama ignores the type of the cache without flash attention.
    cache_type = choices.cache_type if choices.flash else "f16"
    if cache_type not in CACHE_TYPES:
        return cannot_tell(model.weights, usable, f"caches of type {cache_type} are not known.")

    def cache(context: int, parallel: int) -> int:
        return cache_bytes(model, context, parallel=parallel, cache_type=cache_type)

    def graph(context: int, parallel: int) -> int:
        return graph_bytes(model, context * parallel, flash=choices.flash)

    def fits(context: int, parallel: int) -> bool:
        needed = cache(context, parallel) + graph(context, parallel)
        return model.weights + CUDA + needed <= usable

    # A longer context than the model's own is cut (effectiveModelContext of Ollama).
    context = min(choices.context, model.context_length or choices.context)
    parallel = choices.parallel
    work = graph(context, parallel)
    kept = cache(context, parallel)
    total = model.weights + kept + work + CUDA
    return Estimate(
        weights=Part(
            model.weights,
            "all tensors, less those that the CPU looks tokens up in"
            if model.host_weights
            else "all tensors",
        ),
        kv_cache=Part(
            kept, f"keys and values of {parallel:,} times {context:,} tokens ({cache_type})"
        ),
        activations=Part(work, f"what is computed of {BATCH} tokens at once"),
        overhead=Part(CUDA, "CUDA and its libraries"),
        usable=usable,
        band=(
            total - int(work * _UNCERTAIN),
            total + int(work * _UNCERTAIN) + (GIB if model.pictures else 0),
        ),
        longest_context=longest(
            lambda tokens: fits(tokens, parallel),
            step=BLOCK,
            limit=model.context_length or LONGEST,
        ),
        concurrency_possible=most_requests(lambda number: fits(context, number)),
        reason=""
        if total <= usable
        else why_not(model.weights, work + CUDA, kept, usable, context * parallel),
    )


def _advice(found: Estimate, model: MemoryModel, gpu: Gpu, choices: _Choices) -> tuple[str, ...]:
    """Say what could be changed, and what should be known."""
    said = []
    if model.context_length and choices.context > model.context_length:
        said.append(
            f"The model was made for {model.context_length:,} tokens; Ollama gives no more."
        )
    if found.fits:
        if found.is_close:
            said.append("Ollama may give a part to the CPU, and then answers slower.")
        return tuple(said)
    said.append("Ollama would give a part to the CPU and answer many times slower.")
    if found.longest_context:
        said.append(f"It fits with OLLAMA_CONTEXT_LENGTH={found.longest_context}.")
    if 0 < found.concurrency_possible < choices.parallel:
        said.append(f"It fits with OLLAMA_NUM_PARALLEL={found.concurrency_possible}.")
    flash = replace(choices, flash=True)
    others = {
        "OLLAMA_FLASH_ATTENTION=1": flash,
        "OLLAMA_FLASH_ATTENTION=1 and OLLAMA_KV_CACHE_TYPE=q8_0": replace(flash, cache_type="q8_0"),
    }
    said += [
        f"It fits with {variables}."
        for variables, changed in others.items()
        if changed != choices and _estimate(model, gpu, changed).fits
    ]
    larger = larger_gpu(gpu, lambda other: _estimate(model, other, choices).fits)
    if larger:
        said.append(larger)
    elif not found.longest_context:
        said.append("Choose a smaller quantisation, for example Q4_K_M.")
    return tuple(said)
