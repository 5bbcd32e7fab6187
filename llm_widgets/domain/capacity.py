"""Whether a service with a GPU fits into the quotas of a region, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llm_widgets.domain.gpus import Gpu

AUTOMATIC_GPUS = 3
"""GPUs without zonal redundancy that Cloud Run grants by itself at the first deployment."""

NO_HISTORY = "NOT_ENOUGH_USAGE_HISTORY"
"""Google's reason for granting nothing: a free trial or a new billing account."""


_MEMORY = "GiB of memory"


class Fit(StrEnum):
    """How a verdict came out."""

    FITS = "Fits"
    GRANTED_FIRST = "Granted automatically on first deploy"
    NOT = "Does not fit"
    UNKNOWN = "Can't tell"


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a region allows and what its services use; ``None`` where the API does not tell.

    Attributes
    ----------
    gpus, gpus_redundant
        GPUs of the kind in question, without and with zonal redundancy.
    cpu, memory_gib
        vCPUs and GiB of all services together.
    used_gpus, used_cpu, used_memory_gib
        What services may use at most, all their instances together.
    ineligible_because
        Google's reason why more GPUs can't be asked for, or empty.
    """

    gpus: float | None = None
    gpus_redundant: float | None = None
    cpu: float | None = None
    memory_gib: float | None = None
    used_gpus: float | None = None
    used_cpu: float | None = None
    used_memory_gib: float | None = None
    ineligible_because: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one more instance fits, in a sentence."""

    fit: Fit
    text: str


def verdict(gpu: Gpu, capacity: Capacity) -> Verdict:
    """Judge whether one more service with one instance fits.

    The smallest machine that Cloud Run allows with the GPU decides; the text tells when only
    that fits.
    """
    shortage = _shortage(gpu, capacity)
    if shortage:
        return Verdict(Fit.NOT, shortage)
    unknown = _unknown(capacity)
    if unknown or capacity.gpus is None:
        return Verdict(Fit.UNKNOWN, f"Not known: {', '.join(unknown)}.")
    if not capacity.gpus and not capacity.used_gpus:
        return _first_use(capacity)
    free = capacity.gpus - (capacity.used_gpus or 0)
    if free < 1:
        return Verdict(
            Fit.NOT,
            f"All {capacity.gpus:g} GPUs of the quota are in use. Request a higher quota, or "
            "delete a service.",
        )
    return Verdict(Fit.FITS, _room(gpu, capacity, free))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a deployment asks for, each instance: vCPUs, GiB, and a GPU, perhaps redundant."""

    instances: int
    cpu: float
    memory_gib: float
    redundant: bool = False


def shortage(capacity: Capacity, wanted: Wanted) -> str:
    """Return why a deployment does not fit; empty where it does, and where that is unknown.

    Cloud Run counts the most instances that a service may have, whether they run or not.
    """
    gpus = "GPU" if wanted.instances == 1 else "GPUs"
    gpus += " with zonal redundancy" if wanted.redundant else ""
    words = {Kind.GPUS: gpus, Kind.CPU: "vCPU", Kind.MEMORY: _MEMORY}
    short = [
        f"{each.needed:g} {words[each.kind]} needed, "
        f"{_of(each.allowed - each.used, each.allowed, words[each.kind])}"
        for each in _demands(capacity, wanted)
        if each.is_short and each.allowed is not None
    ]
    return f"{'; '.join(short)}." if short else ""


def _of(free: float, allowed: float, unit: str) -> str:
    """Return how much of a quota is free, for example ``8 of 40 GiB free``."""
    gib = " GiB" if unit == _MEMORY else ""
    return f"{max(0, free):g} of {allowed:g}{gib} free"


def worth_asking(capacity: Capacity, wanted: Wanted) -> tuple[Kind, float]:
    """Return which quota a deployment needs more of, and how much in all; GPUs if it fits."""
    demands = _demands(capacity, wanted)
    for each in demands:
        if each.is_short:
            return each.kind, each.used + each.needed
    allowed = capacity.gpus if capacity.gpus and isfinite(capacity.gpus) else 0
    return Kind.GPUS, max(AUTOMATIC_GPUS, allowed + 1)


class Kind(StrEnum):
    """What quotas are of."""

    GPUS = "GPUs"
    CPU = "vCPUs"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class _Demand:
    """What is needed of one quota, what it allows (``None``: not known), what is used of it."""

    kind: Kind
    needed: float
    allowed: float | None
    used: float

    @property
    def is_short(self) -> bool:
        return self.allowed is not None and self.needed > self.allowed - self.used


def _demands(capacity: Capacity, wanted: Wanted) -> tuple[_Demand, ...]:
    gpus = capacity.gpus_redundant if wanted.redundant else capacity.gpus
    first_use = gpus == 0 and not capacity.used_gpus and not wanted.redundant
    if first_use and capacity.ineligible_because != NO_HISTORY:
        gpus = AUTOMATIC_GPUS
    count = wanted.instances
    return (
        _Demand(Kind.GPUS, count, gpus, capacity.used_gpus or 0),
        _Demand(Kind.CPU, count * wanted.cpu, capacity.cpu, capacity.used_cpu or 0),
        _Demand(
            Kind.MEMORY,
            count * wanted.memory_gib,
            capacity.memory_gib,
            capacity.used_memory_gib or 0,
        ),
    )


def _unknown(capacity: Capacity) -> list[str]:
    """Name what the API did not tell."""
    needed = {
        "the GPU quota": capacity.gpus,
        "the vCPU quota": capacity.cpu,
        "the memory quota": capacity.memory_gib,
        "what services use": capacity.used_cpu,
    }
    return [words for words, value in needed.items() if value is None]


def _machines(gpu: Gpu) -> list[tuple[int, int]]:
    """Return the machines of a GPU, the default one first: vCPUs and GiB."""
    return [(cpu, memory) for cpu, memories in gpu.cpus.items() for memory in memories]


def _free(allowed: float | None, used: float | None) -> float:
    """Return what is free; what is not known counts as enough."""
    return float("inf") if allowed is None else allowed - (used or 0)


def _shortage(gpu: Gpu, capacity: Capacity) -> str:
    """Return what even the smallest machine lacks; empty when it has all."""
    cpu = _free(capacity.cpu, capacity.used_cpu)
    memory = _free(capacity.memory_gib, capacity.used_memory_gib)
    if any(c <= cpu and m <= memory for c, m in _machines(gpu)):
        return ""
    least_cpu, least_memory = min(_machines(gpu))
    lacking = [
        _lack(needed, unit, allowed, used or 0)
        for needed, unit, allowed, used in (
            (least_cpu, "vCPU", capacity.cpu, capacity.used_cpu),
            (least_memory, _MEMORY, capacity.memory_gib, capacity.used_memory_gib),
        )
        if allowed is not None and needed > allowed - (used or 0)
    ]
    return f"Needs {' and '.join(lacking)}. Request a higher quota." if lacking else ""


def _lack(needed: float, unit: str, allowed: float, used: float) -> str:
    if needed > allowed:
        return f"{needed:g} {unit}; the limit is {allowed:g}{' GiB' * (unit == _MEMORY)}"
    return f"{needed:g} {unit}, {_of(allowed - used, allowed, unit)}"


def _first_use(capacity: Capacity) -> Verdict:
    if capacity.ineligible_because == NO_HISTORY:
        return Verdict(
            Fit.NOT,
            "Google grants no GPUs to free trials and new billing accounts.",
        )
    return Verdict(
        Fit.GRANTED_FIRST,
        f"The quota is 0; Cloud Run usually grants {AUTOMATIC_GPUS} GPUs on the first deploy.",
    )


def _room(gpu: Gpu, capacity: Capacity, free: float) -> str:
    cpu = _free(capacity.cpu, capacity.used_cpu)
    memory = _free(capacity.memory_gib, capacity.used_memory_gib)
    machine = next((c, m) for c, m in _machines(gpu) if c <= cpu and m <= memory)
    if free == float("inf"):
        text = "No limit on GPUs."
    else:
        text = f"{free:g} {'GPU is' if free == 1 else 'GPUs are'} free."
    if machine != (gpu.default_cpu, gpu.default_memory_gib):
        text += f" At most {machine[0]} vCPU and {machine[1]} GiB."
    return text
