"""Memory that does not suffice: of the GPU and of the container."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.domain.failures.advice import (
    BIGGER_GPU,
    FEWER_REQUESTS,
    LESS_BATCH,
    LESS_CONTEXT,
    LESS_SHARE,
    MORE_MEMORY,
    SMALL_CACHE,
    SMALLER_MODEL,
)
from llm_widgets.domain.failures.known_failure import (
    Confidence,
    Groups,
    KnownFailure,
    Rank,
    anywhere,
    logged,
)
from llm_widgets.domain.failures.remedies import Advice, RemedyKind
from llm_widgets.domain.units import rounded_text

if TYPE_CHECKING:
    from llm_widgets.domain.failures.context import Context


def _limit(groups: Groups, context: Context) -> Groups:
    """Return the limit in GiB; more memory is of use where it was no larger than it is now."""
    values = dict(groups)
    limit = int(values["limit"]) / 1024 if "limit" in values else context.memory_gib
    if limit:
        values["limit"] = rounded_text(limit)
    if limit <= context.memory_gib:
        values["more_helps"] = "yes"
    return values


_LESS = (
    replace(MORE_MEMORY, needs=("more_helps",)),
    Advice(
        RemedyKind.REDEPLOY,
        "Deploy without the file cache.",
        {"cache_gib": "0"},
        needs=("cache",),
    ),
    SMALLER_MODEL,
)

FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
        id="gpu-out-of-memory",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"CUDA out of memory\. Tried to allocate (?P<wanted>[\d.]{1,10} [KMG]iB)"
                r"(?:.{0,200}?of which (?P<free>[\d.]{1,10} [KMG]iB) is free)?"
            ),
            logged(r"CUDA out of memory"),
            logged(r"OutOfMemoryError: .{0,40}?out of memory"),
            logged(r"cudaMalloc failed: out of memory"),
            logged(r"CUDA error: out of memory"),
            logged(r"CUDA driver error: out of memory"),
            anywhere(r"(?:unable|failed) to allocate CUDA\d{0,2} (?:\w{1,20} )?buffer"),
            logged(r"CUBLAS_STATUS_ALLOC_FAILED"),
            anywhere(r"failed to allocate buffer for kv cache"),
            logged(r"cudaErrorMemoryAllocation"),
            logged(r"Cuda failure '?(?:2 )?'?out of memory"),
        ),
        causes=(
            "The GPU's memory is full: {wanted} more were needed, {free} were free.",
            "The GPU's memory is full: {wanted} more were needed.",
            "The GPU's memory is full.",
        ),
        advice=(
            LESS_CONTEXT,
            FEWER_REQUESTS,
            LESS_BATCH,
            LESS_SHARE,
            SMALL_CACHE,
            BIGGER_GPU,
            SMALLER_MODEL,
        ),
        source="vllm-project/aibrix#1054",
    ),
    KnownFailure(
        id="model-offloaded",
        rank=Rank.ENGINE,
        signs=(
            # Accelerate, by which Transformers and Diffusers spread a model over memories.
            logged(r"`?device_map`? had weights offloaded to the disk"),
            logged(r"Some modules are dispatched on the CPU or the disk"),
            logged(r"trying to offload the whole model to the disk"),
            logged(r"We need an `?offload_dir`? to dispatch this model"),
        ),
        causes=("The model is too large for the GPU's memory: parts of it find no room there.",),
        advice=(BIGGER_GPU, MORE_MEMORY, SMALLER_MODEL),
        source="huggingface/accelerate: src/accelerate/big_modeling.py",
    ),
    KnownFailure(
        id="container-memory",
        rank=Rank.KILLED,
        signs=(
            anywhere(
                r"Memory limit of (?P<limit>\d{1,9}) ?M(?:iB)? exceeded with (?P<used>\d{1,9}) ?"
                r"M(?:iB)? used"
            ),
            anywhere(r"container exceeded its memory limit"),
            anywhere(r"Out-of-memory event detected in container"),
            anywhere(r"container instance was found to be using too much memory"),
        ),
        causes=(
            (
                "The container took more memory than its {limit} GiB and was ended; its file cache "
                "of {cache} GiB counts too."
            ),
            "The container took more memory than its {limit} GiB and was ended.",
            "The container took more memory than its limit and was ended.",
        ),
        advice=_LESS,
        source="dart-lang/pub-dev#9554",
        derive=_limit,
    ),
    # An engine that gives up kills all its programs so, too: an error that it logs counts more.
    KnownFailure(
        id="container-killed",
        rank=Rank.KILLED_UNSAID,
        signs=(logged(r"Container terminated on signal 9\b"),),
        causes=(
            "The container was killed, most likely for taking more memory than its {limit} GiB.",
            "The container was killed, most likely for taking more memory than its limit.",
        ),
        advice=_LESS,
        source="Cloud Run: system log of a revision, memory limit",
        confidence=Confidence.LIKELY,
        derive=_limit,
    ),
)
