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
from llm_widgets.engines.vllm.cache import BLOCK, Cache

if TYPE_CHECKING:
    from llm_widgets.domain.gpus import Gpu
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
"""What CUDA graphs take: the least, what is reckoned with, the most. Field reports: 0.3 to 1.5."""

REPACKED = {"mxfp4": 0.06}
"""Share by which weights grow when they are put in the order of a kernel. gpt-oss-120b: 64.38 GiB
loaded, 60.8 in its files (vllm#33155)."""

_BIG_MEMORY = 70  # GiB from which vLLM works on more tokens at once: engine/arg_utils.py
# What reading the largest picture takes, which is measured at the start too: reckoned with, and
# more than that in the worst case. Qwen3.5-4B on an L4: 2.17 GiB of activations in all.
_ENCODER = GIB
_ENCODER_MORE = 2 * GIB
_UNCERTAIN = 0.15  # of the activations, from the spread of the factor


@dataclass(frozen=True, slots=True)
class _Choices:
    """The arguments of vLLM that memory depends on."""

    context: int
    concurrency: int
    utilization: float
    batch: int | None
    kv_dtype: str
    eager: bool


def batch_tokens(gpu: Gpu) -> int:
    """Return the tokens that vLLM works on at once by default: ``max_num_batched_tokens``."""
    return 8192 if gpu.usable_gib >= _BIG_MEMORY else 2048


def activation_bytes(model: MemoryModel, tokens: int) -> int:
    """Return the bytes of what is computed between layers for a batch of tokens."""
    return int(tokens * ACTIVATION_FACTOR * model.intermediate * 2)


def weight_bytes(model: MemoryModel) -> int:
    """Return the bytes of the weights as they lie in the GPU."""
    return int(model.weights * (1 + REPACKED.get(model.quantization, 0)))


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
    """
    choices = _Choices(context, concurrency, utilization, max_num_batched_tokens, kv_dtype, eager)
    found = _estimate(model, gpu, choices)
    return replace(found, advice=_advice(found, model, gpu, choices) if found.known else ())


def _estimate(model: MemoryModel, gpu: Gpu, choices: _Choices) -> Estimate:
    usable = int(choices.utilization * memory_bytes(gpu))
    if model.unknown:
        return cannot_tell(model.weights, usable, model.unknown)
    concurrency = choices.concurrency
    batch = max(choices.batch or batch_tokens(gpu), concurrency)
    cache = Cache(model, 1 if choices.kv_dtype.startswith("fp8") else 2)
    weights = weight_bytes(model)
    work = activation_bytes(model, batch) + (_ENCODER if model.pictures else 0)
    activations = work + concurrency * model.vocab * 4
    low, middle, high = (0, 0, 0) if choices.eager else GRAPHS
    beside = activations + CUDA + middle
    least = 0 if choices.eager else cache.least(concurrency)
    room = usable - weights - beside

    def needed(context: int) -> int:
        return max(cache.bytes(context, batch), least)

    total = weights + beside + needed(choices.context)
    one = cache.bytes(choices.context, batch)
    return Estimate(
        weights=Part(weights, _about_weights(model)),
        kv_cache=Part(
            needed(choices.context), f"keys and values of one request of {choices.context:,} tokens"
        ),
        activations=Part(
            activations,
            f"what is computed of {batch:,} tokens at once, the choice of the next word for "
            f"{concurrency:,} requests" + (", and reading a picture" if model.pictures else ""),
        ),
        overhead=Part(
            CUDA + middle,
            "CUDA and its libraries" if choices.eager else "CUDA, its libraries and its graphs",
        ),
        usable=usable,
        band=(
            total - middle + low - int(work * _UNCERTAIN),
            total
            - middle
            + high
            + int(work * _UNCERTAIN)
            + (_ENCODER_MORE if model.pictures else 0),
        ),
        longest_context=longest(
            lambda context: needed(context) <= room,
            step=BLOCK,
            limit=model.context_length or LONGEST,
        ),
        concurrency_possible=max(0, room // one) if one else concurrency,
        reason=""
        if total <= usable
        else why_not(weights, beside, needed(choices.context), usable, choices.context),
    )


def _about_weights(model: MemoryModel) -> str:
    if model.quantization in REPACKED:
        return f"all tensors, and {REPACKED[model.quantization]:.0%} for their order in the GPU"
    if model.quantization:
        return f"all tensors as they are in the files ({model.quantization})"
    return "all tensors, two bytes for each number"


def _advice(found: Estimate, model: MemoryModel, gpu: Gpu, choices: _Choices) -> tuple[str, ...]:
    """Say what could be changed, and what should be known."""
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
        said.append(f"It fits with --max-model-len={found.longest_context}.")
    others = {
        "--kv-cache-dtype=fp8": replace(choices, kv_dtype="fp8"),
        "--enforce-eager": replace(choices, eager=True),
        f"--max-num-seqs={max(1, choices.concurrency // 4)}": replace(
            choices, concurrency=max(1, choices.concurrency // 4)
        ),
    }
    said += [
        f"It fits with {argument}."
        for argument, changed in others.items()
        if changed != choices and _estimate(model, gpu, changed).fits
    ]
    larger = larger_gpu(gpu, lambda other: _estimate(model, other, choices).fits)
    if larger:
        said.append(larger)
    elif not found.longest_context and not model.quantization:
        said.append("Choose a quantised form of the model: FP8 takes half, AWQ about a third.")
    return tuple(said)
