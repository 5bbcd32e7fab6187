"""Memory that does not suffice: of the GPU and of the container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.failures.advice import (
    BIGGER_GPU,
    LESS_CONTEXT,
    MORE_MEMORY,
    SMALLER_MODEL,
)
from llm_widgets.domain.failures.known_failure import Groups, KnownFailure, Rank, anywhere, logged
from llm_widgets.domain.failures.remedies import Advice, RemedyKind
from llm_widgets.domain.units import rounded_text

if TYPE_CHECKING:
    from llm_widgets.domain.failures.context import Context


def _limit(groups: Groups, context: Context) -> Groups:
    values = dict(groups)
    if "limit" in values:
        values["limit"] = rounded_text(int(values["limit"]) / 1024)
    elif context.memory_gib:
        values["limit"] = rounded_text(context.memory_gib)
    return values


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
        ),
        causes=(
            "The GPU's memory is full: {wanted} more were needed, {free} were free.",
            "The GPU's memory is full: {wanted} more were needed.",
            "The GPU's memory is full.",
        ),
        advice=(
            LESS_CONTEXT,
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy it with {less_utilization} of the GPU's memory for {engine} instead "
                "of {utilization}: the rest is for computing.",
                {"gpu_memory_utilization": "{less_utilization}"},
            ),
            BIGGER_GPU,
            SMALLER_MODEL,
        ),
        source="vllm-project/aibrix#1054",
    ),
    KnownFailure(
        id="container-memory",
        rank=Rank.ENGINE,
        signs=(
            anywhere(
                r"Memory limit of (?P<limit>\d{1,9}) ?M(?:iB)? exceeded with (?P<used>\d{1,9}) ?"
                r"M(?:iB)? used"
            ),
            anywhere(r"container exceeded its memory limit"),
        ),
        causes=(
            (
                "The container took more memory than its {limit} GiB and was ended; its file cache "
                "of {cache} GiB counts too."
            ),
            "The container took more memory than its {limit} GiB and was ended.",
            "The container took more memory than its limit and was ended.",
        ),
        advice=(
            MORE_MEMORY,
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy it without the file cache.",
                {"cache_gib": "0"},
                needs=("cache",),
            ),
            SMALLER_MODEL,
        ),
        source="dart-lang/pub-dev#9554",
        derive=_limit,
    ),
)
