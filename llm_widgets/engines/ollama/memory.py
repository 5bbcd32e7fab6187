"""Whether a model fits into a GPU with Ollama, which takes all its memory when it loads.

    weights + cache(context, all parallel requests) + graph + CUDA  <=  memory

What does not fit Ollama gives to the CPU, without failing: it then answers many times slower.
Sources: llama.cpp (``llama-kv-cache-iswa.cpp``: cells of a window; ``ggml-common.h``: 8-bit and
4-bit blocks), Ollama 0.24 (``fs/ggml/ggml.go``: size of the graph, architectures that its own
engine runs; ``kvcache/causal.go``, ``kvcache/recurrent.go``: caches of that engine;
``server/sched.go``: batches).
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
from llm_widgets.domain.memory.model import Attention, Latent, Recurrent
from llm_widgets.domain.units import GIB

if TYPE_CHECKING:
    from llm_widgets.domain.gpus import Gpu
    from llm_widgets.domain.memory.measured import Measured
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

SERVER = GIB // 2
"""What the server and its runner take of the container's memory beside a model."""

SLOW_GRAPH = 1.6
"""Without flash attention every head's products with the whole text are kept: this times 32 bits
each. From 13.3 GiB measured of Mistral Small at 131,072 tokens (ollama#10615)."""

CHECKPOINTS = 24
"""States of a request that Ollama's own engine keeps beside the one in use, to go on from where
texts begin alike: ``DefaultCheckpointCount``."""

_OTHER_ENGINE = {"granitehybrid", "jamba", "mamba", "mamba2", "plamo2"}
"""Architectures with states that llama.cpp runs, which keeps the one in use."""

_REMEMBERED = {"gemma4": 4096, "gpt-oss": 4096, "gptoss": 4096}
"""Tokens that Ollama's own engine keeps of layers with a shorter window: ``NewSWAMemCache``."""

_FLOAT = 4  # bytes of a number in a graph, and in a state
_STATE_WIDTH = 128
_STATE_TENSORS = 24  # of the width of a state that a batch is worked on with: deltanet.go
_UNCERTAIN = 0.3  # of the graph
_NEW_LAYERS = 0.1  # of the cache and the graph, for layers that are new to Ollama
_ENCODER = GIB  # what reading a picture takes, and as much again in the worst case
_ROUNDED = GIB // 10  # a log tells tenths of a GiB, of three numbers


@dataclass(frozen=True, slots=True)
class _Choices:
    """The variables of Ollama that memory depends on, and what it told with them."""

    context: int
    parallel: int
    cache_type: str
    flash: bool
    measured: Measured | None = None


@dataclass(frozen=True, slots=True)
class _Sizes:
    """What a model takes for a context and requests at once."""

    model: MemoryModel
    choices: _Choices

    @property
    def weights(self) -> int:
        measured = self.choices.measured
        return measured.weights if measured else self.model.weights

    def cache(self, context: int, parallel: int) -> int:
        """Return the bytes of the cache."""
        reckoned = self._cache(context, parallel)
        measured = self.choices.measured
        if not measured:
            return reckoned
        before = self._cache(self.choices.context, self.choices.parallel)
        return int(reckoned * measured.cache / before) if before else measured.cache

    def work(self, context: int, parallel: int) -> int:
        """Return the bytes of what is computed with."""
        reckoned = graph_bytes(self.model, context * parallel, flash=self.choices.flash)
        measured = self.choices.measured
        if measured and measured.work:
            before = self.choices.context * self.choices.parallel
            return int(
                measured.work * reckoned / graph_bytes(self.model, before, flash=self.choices.flash)
            )
        return reckoned + (_ENCODER if self.model.pictures else 0)

    def fits(self, context: int, parallel: int, usable: int) -> bool:
        """Return whether all of it is in the GPU."""
        needed = self.cache(context, parallel) + self.work(context, parallel)
        return self.weights + CUDA + needed <= usable

    def _cache(self, context: int, parallel: int) -> int:
        return cache_bytes(
            self.model, context, parallel=parallel, cache_type=self.choices.cache_type
        )


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
    kept = _REMEMBERED.get(model.architecture, 0)
    states = 1 if model.architecture in _OTHER_ENGINE else 1 + CHECKPOINTS
    total = 0
    for layer in model.layers:
        if isinstance(layer, Recurrent):
            total += state_bytes(layer) * states
        else:
            total += _layer_bytes(layer, cells, element, max(layer_window(layer), kept) + batch)
    return total * parallel


def state_bytes(layer: Recurrent) -> int:
    """Return the bytes of one state of a request in recurrent layers."""
    return layer.layers * (layer.convolution + layer.state) * _FLOAT


def layer_window(layer: Layers) -> int:
    """Return the tokens that layers look back; 0 for all."""
    return layer.window if isinstance(layer, Attention) else 0


def _layer_bytes(layer: Attention | Latent, cells: int, element: Fraction, most: int) -> int:
    """Return the bytes of the cache of layers; ``most`` are the cells of those with a window."""
    if isinstance(layer, Attention):
        if layer.window:
            cells = -(-min(cells, most) // BLOCK) * BLOCK
        return int(layer.layers * layer.heads * (layer.key + layer.value) * cells * element)
    return int(layer.layers * (layer.width + layer.index) * cells * element)


def container_bytes(model: MemoryModel, *, context: int, parallel: int, in_gpu: bool) -> int:
    """Return the bytes of the container's memory that a loaded model takes.

    Parameters
    ----------
    context
        Tokens of each request.
    parallel
        Requests at once.
    in_gpu
        Whether all but the tensors that stay with the CPU is in a GPU.
    """
    if in_gpu:
        return SERVER + model.host_weights
    context = min(context, model.context_length or context)
    cache = cache_bytes(model, context, parallel=parallel)
    graph = graph_bytes(model, context * parallel, flash=True)
    return SERVER + model.weights + model.host_weights + cache + graph


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
    # A state has its width squared for each head: 128 in all models with a delta rule.
    state = max((layer.state // _STATE_WIDTH for layer in model.recurrent), default=0)
    width += _STATE_TENSORS * state
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
    measured: Measured | None = None,
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
    measured
        What Ollama told when it loaded the model with all of these.
    """
    # Ollama ignores the type of the cache without flash attention, and cuts a context that is
    # longer than the model's own (effectiveModelContext).
    choices = _Choices(
        min(context, model.context_length or context),
        parallel,
        kv_cache_type if flash_attention else "f16",
        flash_attention,
        measured,
    )
    found = _estimate(model, gpu, choices)
    return replace(
        found, advice=_advice(found, model, gpu, choices, context) if found.known else ()
    )


def _estimate(model: MemoryModel, gpu: Gpu, choices: _Choices) -> Estimate:
    usable = memory_bytes(gpu)
    if model.unknown:
        return cannot_tell(model.weights, usable, model.unknown)
    if choices.cache_type not in CACHE_TYPES:
        return cannot_tell(
            model.weights, usable, f"caches of type {choices.cache_type} are not known."
        )
    sizes = _Sizes(model, choices)
    context, parallel = choices.context, choices.parallel
    work = sizes.work(context, parallel)
    kept = sizes.cache(context, parallel)
    total = sizes.weights + kept + work + CUDA
    less, more = _band(model, choices, kept, work)
    return Estimate(
        weights=Part(sizes.weights, _about_weights(model, choices)),
        kv_cache=Part(
            kept, f"context of {parallel:,} times {context:,} tokens ({choices.cache_type})"
        ),
        activations=Part(work, f"activations of {BATCH} tokens"),
        overhead=Part(CUDA, "CUDA and its libraries"),
        usable=usable,
        band=(total - less, total + more),
        longest_context=longest(
            lambda tokens: sizes.fits(tokens, parallel, usable),
            step=BLOCK,
            limit=model.context_length or LONGEST,
        ),
        concurrency_possible=most_requests(lambda number: sizes.fits(context, number, usable)),
        reason=""
        if total <= usable
        else why_not(sizes.weights, work + CUDA, kept, usable, context * parallel),
        doubt="" if choices.measured else model.doubt,
    )


def _band(model: MemoryModel, choices: _Choices, kept: int, work: int) -> tuple[int, int]:
    """Return how much less and how much more it may really be."""
    if choices.measured:
        return _ROUNDED, _ROUNDED
    less = more = int(work * _UNCERTAIN)
    if model.pictures:
        less, more = less + _ENCODER, more + _ENCODER
    if model.recurrent:
        more += int(_NEW_LAYERS * (kept + work))
    return min(less, work), more


def _about_weights(model: MemoryModel, choices: _Choices) -> str:
    if choices.measured:
        return "as Ollama told when it loaded them"
    if model.host_weights:
        return "all tensors, less those that the CPU looks tokens up in"
    return "all tensors"


def _advice(
    found: Estimate, model: MemoryModel, gpu: Gpu, choices: _Choices, asked: int
) -> tuple[str, ...]:
    """Return what could be changed, and what should be known; ``asked`` is the whole context."""
    said = []
    if model.context_length and asked > model.context_length:
        said.append(
            f"The model was made for {model.context_length:,} tokens; Ollama gives no more."
        )
    if found.fits:
        if found.is_close:
            said.append("Ollama may give a part to the CPU, and then answers slower.")
        return tuple(said)
    said.append("Ollama would give a part to the CPU and answer many times slower.")
    if found.longest_context:
        said.append(f"Fits with OLLAMA_CONTEXT_LENGTH={found.longest_context}.")
    if 0 < found.concurrency_possible < choices.parallel:
        said.append(f"Fits with OLLAMA_NUM_PARALLEL={found.concurrency_possible}.")
    # What was measured holds for what was told then.
    choices = replace(choices, measured=None)
    flash = replace(choices, flash=True)
    others = {
        "OLLAMA_FLASH_ATTENTION=1": flash,
        "OLLAMA_FLASH_ATTENTION=1 and OLLAMA_KV_CACHE_TYPE=q8_0": replace(flash, cache_type="q8_0"),
    }
    said += [
        f"Fits with {variables}."
        for variables, changed in others.items()
        if changed != choices and _estimate(model, gpu, changed).fits
    ]
    larger = larger_gpu(gpu, lambda other: _estimate(model, other, choices).fits)
    if larger:
        said.append(larger)
    elif not found.longest_context:
        said.append("Choose a smaller quantisation, for example Q4_K_M.")
    return tuple(said)
