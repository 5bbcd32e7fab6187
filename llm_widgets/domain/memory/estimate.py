"""An answer to the question whether a model fits into a GPU, with its parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.domain import gpus
from llm_widgets.domain.units import GIB

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.gpus import Gpu

LONGEST = 1 << 24
"""Tokens beyond which no one looks for the longest context."""

_MOST_REQUESTS = 1 << 14


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the GPU's memory: its bytes, and in one line what they are."""

    bytes: int
    why: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """How much memory of a GPU a model takes when it is served; bytes throughout.

    Attributes
    ----------
    known
        Whether the model's layers are understood; where they are not, the parts are zero but
        for the weights, nothing fits, and ``reason`` says why it can't be told.
    weights, kv_cache, activations, overhead
        The parts that are needed. The cache is what the engine takes when it starts: that of one
        request of the whole context, further ones use what is ``free``; or that of all parallel
        requests.
    usable
        What the engine may take of the GPU.
    band
        The least and the most that the sum of the parts may really be.
    longest_context
        Tokens of the longest request that fits, at most what the model was made for; 0 when
        none does.
    concurrency_possible
        Requests of the whole context that are held at once.
    reason
        Why it does not fit, or why that can't be told; empty otherwise.
    advice
        What could be changed, and what should be known.
    doubt
        Why the band is wide: what of the model or of what is told is new; empty otherwise.
    """

    weights: Part
    kv_cache: Part
    activations: Part
    overhead: Part
    usable: int
    band: tuple[int, int]
    longest_context: int
    concurrency_possible: int
    reason: str = ""
    advice: tuple[str, ...] = ()
    known: bool = True
    doubt: str = ""

    @property
    def parts(self) -> dict[str, Part]:
        """The parts by name, in the order of a bar."""
        return {
            "weights": self.weights,
            "kv_cache": self.kv_cache,
            "activations": self.activations,
            "overhead": self.overhead,
        }

    @property
    def total(self) -> int:
        """The sum of the parts."""
        return sum(part.bytes for part in self.parts.values())

    @property
    def free(self) -> int:
        """What is left of the usable memory; negative when it does not suffice."""
        return self.usable - self.total

    @property
    def fits(self) -> bool:
        """Whether the engine starts with this context."""
        return self.known and self.free >= 0

    @property
    def is_close(self) -> bool:
        """Whether the limit lies within the band, so that only a start can tell."""
        return self.known and self.band[0] <= self.usable < self.band[1]

    @property
    def is_refused(self) -> bool:
        """Whether it surely does not fit: beyond the band, or by the weights alone."""
        least = self.band[0] if self.known else self.weights.bytes
        return least > self.usable


def memory_bytes(gpu: Gpu) -> int:
    """Return the bytes of a GPU's memory that an engine can see."""
    return int(gpu.usable_gib * GIB)


def gib_text(size: float) -> str:
    """Write bytes in GiB, as engines and GPUs count them."""
    return f"{size / GIB:.1f} GiB"


def cannot_tell(weights: int, usable: int, why: str) -> Estimate:
    """Make the answer about a model whose layers are not understood."""
    reason = f"Unknown how much memory the model needs: {why}"
    if weights > usable:
        reason = (
            f"Does not fit: the weights alone take {gib_text(weights)}; {gib_text(usable)} are "
            "usable."
        )
    nothing = Part(0, "not known")
    return Estimate(
        weights=Part(weights, "all tensors of its files"),
        kv_cache=nothing,
        activations=nothing,
        overhead=nothing,
        usable=usable,
        band=(weights, weights),
        longest_context=0,
        concurrency_possible=0,
        reason=reason,
        known=False,
    )


def longest(fits: Callable[[int], bool], *, step: int, limit: int) -> int:
    """Find the largest multiple of ``step`` up to ``limit`` that fits; 0 when none does.

    Parameters
    ----------
    fits
        Whether a number does; it never does beyond one that does not.
    limit
        Found itself where everything fits, even if it is no multiple.
    """
    if fits(limit):
        return limit
    low, high = 0, -(-limit // step)  # in steps: low fits or is none, high does not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle * step) else (low, middle)
    return low * step


def most_requests(fits: Callable[[int], bool]) -> int:
    """Find how many requests at once fit."""
    return longest(fits, step=1, limit=_MOST_REQUESTS)


def larger_gpu(gpu: Gpu, fits: Callable[[Gpu], bool]) -> str:
    """Name the smallest GPU with more memory that suffices, and where; empty for none."""
    larger = sorted(
        (other for other in gpus.GPUS if other.usable_gib > gpu.usable_gib),
        key=lambda other: other.usable_gib,
    )
    found = next((other for other in larger if fits(other)), None)
    return f"Fits on {found.label}: {', '.join(found.regions)}." if found else ""


def why_not(weights: int, overheads: int, cache: int, usable: int, context: int) -> str:
    """Return in one sentence why a model does not fit."""
    if weights + overheads > usable:
        return (
            f"Does not fit: the weights take {gib_text(weights)} and the engine "
            f"{gib_text(overheads)}; {gib_text(usable)} are usable."
        )
    left = usable - weights - overheads
    return (
        f"Does not fit: the cache of {context:,} tokens takes {gib_text(cache)}, and "
        f"{gib_text(left)} are left beside the weights."
    )
