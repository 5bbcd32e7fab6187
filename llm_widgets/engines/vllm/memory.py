"""Whether vLLM starts with a model on a GPU, and how many requests it then holds.

    weights + activations + overhead + cache(context, one request)  <=  utilization * memory

vLLM loads the weights, measures a run of a full batch, records CUDA graphs, and gives what is left
of its share to the cache. It refuses to start when that is less than one request of the whole
context needs; what is more holds further requests.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llm_widgets.domain.memory.estimate import (
    LONGEST,
    Estimate,
    Part,
    cannot_tell,
    larger_gpu,
    longest,
    memory_bytes,
    why_not,
)
from llm_widgets.domain.units import GIB
from llm_widgets.engines.vllm.cache import BLOCK, Cache, element_type
from llm_widgets.engines.vllm.speculation import NONE, Speculation

if TYPE_CHECKING:
    from llm_widgets.domain.gpus import Gpu
    from llm_widgets.domain.memory.measured import Measured
    from llm_widgets.domain.memory.model import MemoryModel

UTILIZATION = 0.92
"""Share of the GPU's memory that vLLM takes by default (``--gpu-memory-utilization``, 0.33)."""

ACTIVATION_FACTOR = 3.6
"""Bytes of activations are this times the tokens of a batch, times the intermediate size, times
two. It comes from what Qwen publishes of Qwen2.5 (0.76, 1.85 and 4.03 GiB at 6,144, 14,336 and
30,720 tokens for 7B; 3.1 to 3.9 over 7B to 32B)."""

CUDA = int(0.6 * GIB)
"""What CUDA and its libraries take."""

GRAPHS = (int(0.3 * GIB), int(0.9 * GIB), int(1.5 * GIB))
"""What CUDA graphs for 256 requests take: the least, what is reckoned with, the most. vLLM tells
0.52 and 0.53 GiB for Qwen3 8B and Qwen2.5 7B (LMCache#3430 and a public log); field reports go from
0.3 to 1.5."""

EXPERT_GRAPHS = (int(0.3 * GIB), int(1.5 * GIB), int(2.8 * GIB))
"""The same for models with experts, of which vLLM reckons as much for each graph as for the second
(vllm#45178): 1.4 to 2.8 GiB in public logs."""

STREAM_BUFFER = 4 * GIB
"""Bytes that the streamer is let read ahead into the container's memory: more than the largest
tensor of a model that fits a GPU of Cloud Run (2.8 GB, the table of tokens of Gemma 3 27B), which
is the least that it works with; and what public deployments on Kubernetes use."""

PROCESSES = 5 * GIB
"""What vLLM's two processes take of the container's memory, beside what is read ahead: an estimate
from field reports of 4 to 5 GiB."""

REPACKED = {"mxfp4": 0.07}
"""Share by which weights grow when they are put in the order of a kernel. gpt-oss-120b: 64.38 GiB
loaded, 60.8 in its files (vllm#33155); gpt-oss-20b: 13.72 loaded, 12.82 in its files."""

_BIG_MEMORY = 70  # GiB from which vLLM works on more tokens at once: engine/arg_utils.py
_POSITION = 2  # bytes of a number of the tables of positions
# What reading the largest picture takes, which is measured at the start too: less in the best
# case, reckoned with, and more in the worst one. Of models with recurrent layers, 2.17 GiB of
# activations in all were measured for 4B on an L4, and for 27B 2.0 and what a batch takes
# (vllm#52872: 2.21, 2.42 and 2.84 at 2,048, 4,096 and 8,192 tokens).
_ENCODER = 2 * GIB
_ENCODER_LESS = int(1.5 * GIB)
_ENCODER_MORE = GIB
_UNCERTAIN = 0.15  # of the activations, from the spread of the factor
# Share of the activations of a batch that the graphs of recurrent layers take too: the same
# report has 0.37 GiB more for them at 8,192 tokens, where a batch takes 0.84.
_RECURRENT_GRAPH = 0.44
_NEW_LAYERS = 0.1  # of what stands beside the weights, for layers that are new to vLLM
_GRAPH_REQUESTS = 256  # that the numbers of graphs were measured with
_LARGEST_GRAPH = 512  # tokens of the largest graph: CompilationConfig of vLLM
_ROUNDED = GIB // 50  # a log tells hundredths of a GiB, of two numbers


@dataclass(frozen=True, slots=True)
class _Choices:
    """The arguments of vLLM that memory depends on, and what it measured with them."""

    context: int
    concurrency: int
    utilization: float
    batch: int | None
    kv_dtype: str
    eager: bool
    speculation: Speculation = NONE
    measured: Measured | None = None


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is taken beside the cache; ``less`` and ``more`` are the ends of its band."""

    weights: int
    activations: int
    overhead: int
    less: int
    more: int

    @property
    def bytes(self) -> int:
        return self.weights + self.activations + self.overhead


def batch_tokens(gpu: Gpu) -> int:
    """Return the tokens that vLLM works on at once by default: ``max_num_batched_tokens``."""
    return 8192 if gpu.usable_gib >= _BIG_MEMORY else 2048


def default_requests(gpu: Gpu) -> int:
    """Return the requests that vLLM works on at once by default: ``max_num_seqs``."""
    return 1024 if gpu.usable_gib >= _BIG_MEMORY else 256


def graph_count(requests: int) -> int:
    """Return how many graphs vLLM records: for prefills and for decoding, of many sizes.

    Twice the requests are the largest size of the first kind, the requests of the second:
    ``max_cudagraph_capture_size`` of vLLM.
    """
    return _sizes(min(2 * requests, _LARGEST_GRAPH)) + _sizes(min(requests, _LARGEST_GRAPH))


def _sizes(largest: int) -> int:
    """Count the sizes 1, 2, 4, then every eighth below 256, then every sixteenth."""
    sizes = (1, 2, 4, *range(8, 256, 8), *range(256, _LARGEST_GRAPH + 1, 16))
    return sum(size <= largest for size in sizes)


def activation_bytes(model: MemoryModel, tokens: int) -> int:
    """Return the bytes of what is computed between layers for a batch of tokens."""
    return int(tokens * ACTIVATION_FACTOR * model.intermediate * 2)


def container_bytes(model: MemoryModel, *, read_ahead: int) -> int:
    """Return the bytes of the container's memory that starting takes at most.

    Parameters
    ----------
    read_ahead
        Bytes of weights that are held in it before they go to the GPU; negative for no limit.
    """
    limit = model.weights if read_ahead < 0 else read_ahead
    return PROCESSES + min(limit, model.weights)


def weight_bytes(model: MemoryModel) -> int:
    """Return the bytes of the weights as they lie in the GPU, without tables of positions."""
    return int(model.weights * (1 + REPACKED.get(model.quantization, 0)))


def position_bytes(model: MemoryModel) -> int:
    """Return the bytes of the tables of rotary positions; each of several GPUs has all of them."""
    return model.positions * _POSITION


def estimate(
    model: MemoryModel,
    gpu: Gpu,
    *,
    context: int,
    concurrency: int = 1,
    utilization: float = UTILIZATION,
    max_num_batched_tokens: int | None = None,
    kv_dtype: str = "auto",
    eager: bool = False,
    speculation: Speculation = NONE,
    measured: Measured | None = None,
) -> Estimate:
    """Estimate whether vLLM starts with a model, and how many requests it holds.

    Parameters
    ----------
    context
        ``--max-model-len``, tokens.
    concurrency
        ``--max-num-seqs``.
    utilization
        ``--gpu-memory-utilization``.
    max_num_batched_tokens
        What vLLM takes by default for this GPU when left out.
    kv_dtype
        ``--kv-cache-dtype``: ``auto`` is the type of the model, not of its weights: 16 bits also
        where the weights have 8 or 4.
    eager
        ``--enforce-eager``: without CUDA graphs.
    speculation
        ``--speculative-config``.
    measured
        What vLLM told when it started with all of these but the context.
    """
    choices = _Choices(
        context,
        concurrency,
        utilization,
        max_num_batched_tokens,
        kv_dtype,
        eager,
        speculation,
        measured,
    )
    found = _estimate(model, gpu, choices)
    return replace(found, advice=_advice(found, model, gpu, choices) if found.known else ())


def _estimate(model: MemoryModel, gpu: Gpu, choices: _Choices) -> Estimate:
    usable = int(choices.utilization * memory_bytes(gpu))
    if model.unknown:
        return cannot_tell(model.weights, usable, model.unknown)
    concurrency = choices.concurrency
    batch = max(choices.batch or batch_tokens(gpu), concurrency)
    beside = _measured(choices, usable) or _beside(model, choices, batch)
    cache = _cache(model, choices)
    scale = _scale(cache, choices.measured, batch)
    least = 0 if choices.eager else cache.least(concurrency)
    room = usable - beside.bytes

    def needed(context: int) -> int:
        return max(int(cache.bytes(context, batch) * scale), least)

    kept = needed(choices.context)
    total = beside.bytes + kept
    one = int(cache.bytes(choices.context, batch) * scale)
    has_other = choices.speculation.has_other_model and not choices.measured
    return Estimate(
        *_parts(model, choices, beside, batch, kept),
        usable=usable,
        # What is not known of the other model may take all that is left.
        band=(total - beside.less, max(total + beside.more, (usable + 1) * has_other)),
        longest_context=longest(
            lambda context: needed(context) <= room,
            step=BLOCK,
            limit=model.context_length or LONGEST,
        ),
        concurrency_possible=max(0, room // one) if one else concurrency,
        reason=""
        if total <= usable
        else why_not(
            beside.weights,
            beside.activations + beside.overhead,
            kept,
            usable,
            choices.context,
        ),
        doubt=_doubt(model, choices),
    )


def _parts(
    model: MemoryModel, choices: _Choices, beside: _Beside, batch: int, kept: int
) -> tuple[Part, Part, Part, Part]:
    """Return weights, cache, activations and overhead, each with what it is."""
    return (
        Part(beside.weights, _about_weights(model, choices)),
        Part(kept, f"context of one request of {choices.context:,} tokens"),
        Part(
            beside.activations,
            f"activations of {batch:,} tokens, sampling for {choices.concurrency:,} requests"
            + (", and reading a picture" if model.pictures else ""),
        ),
        Part(
            beside.overhead,
            "CUDA and its libraries" if choices.eager else "CUDA, its libraries and its graphs",
        ),
    )


def _beside(model: MemoryModel, choices: _Choices, batch: int) -> _Beside:
    """Estimate what is taken beside the cache."""
    weights = weight_bytes(model) + position_bytes(model)
    if choices.speculation.has_own_heads:
        weights += model.drafts
    batched = activation_bytes(model, batch)
    sampled = choices.concurrency * model.vocab * 4 * (1 + choices.speculation.tokens)
    # The next words are chosen when what was computed of the batch is gone.
    work = max(batched, sampled) + (_ENCODER if model.pictures else 0)
    low, middle, high = _graphs(model, choices, batched)
    uncertain = int(batched * _UNCERTAIN)
    less, more = middle - low + uncertain, high - middle + uncertain
    if model.pictures:
        less, more = less + _ENCODER_LESS, more + _ENCODER_MORE
    if model.recurrent:
        more += int(_NEW_LAYERS * (work + CUDA + middle))
    return _Beside(weights, work, CUDA + middle, less, more)


def _graphs(model: MemoryModel, choices: _Choices, batched: int) -> tuple[int, int, int]:
    """Estimate what graphs take: the least, what is reckoned with, the most."""
    if choices.eager:
        return 0, 0, 0
    # For fewer requests no less is reckoned with: what else is loaded then was not measured.
    share = max(1, graph_count(choices.concurrency) / graph_count(_GRAPH_REQUESTS))
    more = int(batched * _RECURRENT_GRAPH) if model.recurrent else 0
    sizes = EXPERT_GRAPHS if model.experts else GRAPHS
    low, middle, high = (int(size * share) for size in sizes)
    return low, middle + more, high + more


def _measured(choices: _Choices, usable: int) -> _Beside | None:
    """Return what vLLM measured beside the cache: all of its share but what it left to that."""
    if not choices.measured:
        return None
    weights = choices.measured.weights
    rest = max(0, usable - weights - choices.measured.cache)
    overhead = min(rest, CUDA)
    return _Beside(weights, rest - overhead, overhead, _ROUNDED, _ROUNDED)


def _cache(model: MemoryModel, choices: _Choices) -> Cache:
    """Return the cache, with the layers of the heads that guess, where they are used."""
    guess = choices.speculation
    if guess.has_own_heads and model.growing:
        widest = max(model.growing, key=lambda layer: not getattr(layer, "window", 0))
        heads = replace(widest, layers=max(1, model.draft_layers))
        model = replace(model, layers=(*model.layers, heads))
    return Cache(model, element_type(choices.kv_dtype), guessed=guess.tokens)


def _scale(cache: Cache, measured: Measured | None, batch: int) -> float:
    """Return by how much a request really takes more of the cache than is reckoned."""
    if not measured or not measured.requests or not measured.context:
        return 1
    reckoned = cache.bytes(measured.context, batch)
    return measured.cache / measured.requests / reckoned if reckoned else 1


def _doubt(model: MemoryModel, choices: _Choices) -> str:
    """Return what makes the estimate less sure than others."""
    if choices.measured:
        return ""
    if choices.speculation.has_other_model:
        return "How much memory the model takes that guesses further tokens is not known here."
    return model.doubt


def _about_weights(model: MemoryModel, choices: _Choices) -> str:
    if choices.measured:
        return "as vLLM told when it started"
    if model.quantization in REPACKED:
        return f"all tensors, and {REPACKED[model.quantization]:.0%} for their order in the GPU"
    if model.quantization:
        return f"all tensors as they are in the files ({model.quantization})"
    return "all tensors, two bytes for each number"


def _advice(found: Estimate, model: MemoryModel, gpu: Gpu, choices: _Choices) -> tuple[str, ...]:
    """Return what could be changed, and what should be known."""
    said = []
    if model.context_length and choices.context > model.context_length:
        said.append(f"The model was made for {model.context_length:,} tokens; vLLM takes no more.")
    if found.fits:
        if found.concurrency_possible < choices.concurrency:
            held = found.concurrency_possible
            said.append(
                f"Of {choices.concurrency:,} requests of {choices.context:,} tokens, {held:,} "
                f"{'is' if held == 1 else 'are'} held at once; the others wait. Shorter ones take "
                "less."
            )
        return tuple(said)
    if found.longest_context:
        said.append(f"Fits with --max-model-len={found.longest_context}.")
    # What was measured holds for what was told then.
    choices = replace(choices, measured=None)
    others = {
        "--kv-cache-dtype=fp8": replace(choices, kv_dtype="fp8"),
        "--enforce-eager": replace(choices, eager=True),
        f"--max-num-seqs={max(1, choices.concurrency // 4)}": replace(
            choices, concurrency=max(1, choices.concurrency // 4)
        ),
    }
    said += [
        f"Fits with {argument}."
        for argument, changed in others.items()
        if changed != choices and _estimate(model, gpu, changed).fits
    ]
    larger = larger_gpu(gpu, lambda other: _estimate(model, other, choices).fits)
    if larger:
        said.append(larger)
    elif not found.longest_context and not model.quantization:
        said.append("Choose a quantised form of the model: FP8 takes half, AWQ about a third.")
    return tuple(said)
