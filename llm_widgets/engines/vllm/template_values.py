"""Values for the templates of catalogues that follow from what vLLM is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llm_widgets.domain import gpus
from llm_widgets.domain.units import rounded_text
from llm_widgets.engines.vllm.arguments import (
    BATCH,
    COMMAND_LINE,
    EAGER,
    GPUS,
    MEMORY_SHARE,
    PARALLEL,
)
from llm_widgets.engines.vllm.memory import UTILIZATION, batch_tokens, default_requests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.failures.context import Context

MOST_UTILIZATION = 0.95
"""The share that Google's own guides give vLLM; the rest is for CUDA itself."""

_LEAST_UTILIZATION = 0.6
_LEAST_REQUESTS = 8
_LEAST_BATCH = 1024  # tokens: with less, long requests wait for each other
_IMAGE = re.compile(r"(?:docker\.io/)?vllm/vllm-openai:v?\d[\w.]*")


def template_values(context: Context) -> Iterator[tuple[str, str]]:
    """Yield the share of the GPU's memory, other shares to try, and images and variables."""
    share = share_of(context)
    yield "utilization", rounded_text(share)
    if share < MOST_UTILIZATION:
        yield "more_utilization", rounded_text(MOST_UTILIZATION)
    if share - 0.05 >= _LEAST_UTILIZATION:
        yield "less_utilization", rounded_text(round(share - 0.05, 2))
    yield from _less_at_once(context)
    if GPUS.told(context) != GPUS.default:
        yield "one_gpu", f"{GPUS.name}=1"
    if not COMMAND_LINE.has(context.args, EAGER):
        yield "eager", EAGER
    if _IMAGE.fullmatch(context.image) and "-cu" not in context.image:
        yield "cuda_image", f"{context.image}-cu129"
    yield (
        "cache_variables",
        (
            "HF_HOME=/tmp/hub;XDG_CACHE_HOME=/tmp/cache;VLLM_CACHE_ROOT=/tmp/vllm;"
            "TRITON_CACHE_DIR=/tmp/triton"
        ),
    )
    libraries = "/usr/local/nvidia/lib64:/usr/local/nvidia/lib:/usr/lib/x86_64-linux-gnu"
    yield (
        "driver_variables",
        f"VLLM_ENABLE_CUDA_COMPATIBILITY=0;LD_LIBRARY_PATH={libraries}",
    )
    yield "compatibility_variables", "VLLM_ENABLE_CUDA_COMPATIBILITY=1"


def _less_at_once(context: Context) -> Iterator[tuple[str, str]]:
    """Yield fewer requests and tokens at once: what is computed of them takes memory.

    The cache is no such thing: it takes what is left of the share, however long a context is.
    """
    gpu = gpus.by_accelerator(context.accelerator)
    requests = _number(PARALLEL.told(context), default_requests(gpu) if gpu else 0)
    if requests // 2 >= _LEAST_REQUESTS:
        yield "requests", str(requests)
        yield "requests_name", f"{PARALLEL.name}={requests // 2}"
        yield "fewer_requests", str(requests // 2)
    batch = _number(BATCH.told(context), batch_tokens(gpu) if gpu else 0)
    if batch // 2 >= max(_LEAST_BATCH, requests):
        yield "batch", str(batch)
        yield "less_batch", f"{BATCH.name}={batch // 2}"


def _number(text: str, default: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else default  # noqa: PLR2004 - no typo


def share_of(context: Context) -> float:
    """Return the share of the GPU's memory that vLLM is told to take."""
    try:
        share = float(MEMORY_SHARE.told(context))
    except ValueError:
        return UTILIZATION
    return share if 0 < share <= 1 else UTILIZATION
