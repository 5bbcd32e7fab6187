"""Values for the templates of catalogues that follow from what vLLM is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llm_widgets.domain.units import rounded_text
from llm_widgets.engines.vllm.arguments import MEMORY_SHARE
from llm_widgets.engines.vllm.memory import UTILIZATION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.failures.context import Context

MOST_UTILIZATION = 0.95
"""The share that Google's own guides give vLLM; the rest is for CUDA itself."""

_LEAST_UTILIZATION = 0.6
_IMAGE = re.compile(r"(?:docker\.io/)?vllm/vllm-openai:v?\d[\w.]*")


def template_values(context: Context) -> Iterator[tuple[str, str]]:
    """Yield the share of the GPU's memory, other shares to try, and images and variables."""
    share = _share(MEMORY_SHARE.told(context))
    yield "utilization", rounded_text(share)
    if share < MOST_UTILIZATION:
        yield "more_utilization", rounded_text(MOST_UTILIZATION)
    if share - 0.05 >= _LEAST_UTILIZATION:
        yield "less_utilization", rounded_text(round(share - 0.05, 2))
    if _IMAGE.fullmatch(context.image) and "-cu" not in context.image:
        yield "cuda_image", f"{context.image}-cu129"
    libraries = "/usr/local/nvidia/lib64:/usr/local/nvidia/lib:/usr/lib/x86_64-linux-gnu"
    yield (
        "driver_variables",
        f"VLLM_ENABLE_CUDA_COMPATIBILITY=0;LD_LIBRARY_PATH={libraries}",
    )
    yield "compatibility_variables", "VLLM_ENABLE_CUDA_COMPATIBILITY=1"


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        return UTILIZATION
    return share if 0 < share <= 1 else UTILIZATION
