"""Which GPU, how much CPU and memory a model is offered, and what follows when that is changed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llm_widgets.domain import gpus
from llm_widgets.domain.services import LONGEST_PROBE
from llm_widgets.domain.units import GIB

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.domain.services import Deployment

ROOM = 1.2
"""Where nothing but the size of a model's files is known, they times this must fit into a GPU."""

CPU_ONLY: Mapping[int, tuple[int, ...]] = {
    8: (32, 24, 16),
    6: (24, 16),
    4: (16, 8),
    2: (8, 4),
    1: (4, 2),
}
"""Choices of vCPUs and GiB without a GPU; the first is the most that Cloud Run gives."""

_ENGINE_GIB = 8  # memory left to the engine and the system beside a file cache


@dataclass(frozen=True, slots=True)
class Hardware:
    """An instance: the accelerator (empty for none), vCPUs and GiB of memory."""

    accelerator: str
    cpu: float
    memory_gib: float

    @property
    def probe_failures(self) -> int:
        """Failures of a startup probe every ten seconds that fill the time allowed."""
        return LONGEST_PROBE[bool(self.accelerator)] // 10


def choose(region: str, size: int, accelerator: str | None = None) -> Hardware:
    """Choose the smallest GPU of a region that a model's files fit into, else the largest.

    Parameters
    ----------
    size
        Bytes of the model's files, 0 when not known.
    accelerator
        The GPU to use in place of that; empty for none.
    """
    if accelerator is None:
        offered = by_memory(region)
        fitting = [gpu for gpu in offered if gpu.usable_gib * GIB >= size * ROOM]
        gpu = next(iter([*fitting, *reversed(offered)]), None)
    else:
        gpu = gpus.by_accelerator(accelerator)
    cpu, memories = next(iter(machines(gpu).items()))
    return Hardware(gpu.accelerator if gpu else "", cpu, memories[0])


def by_memory(region: str) -> list[gpus.Gpu]:
    """List the GPUs of a region, the smallest first."""
    return sorted(gpus.in_region(region), key=lambda gpu: gpu.usable_gib)


def machines(gpu: gpus.Gpu | None) -> Mapping[int, tuple[int, ...]]:
    """Return the choices of vCPUs, each with those of GiB; the first ones are the defaults."""
    return gpu.cpus if gpu else CPU_ONLY


def adapted(before: Deployment, wanted: Deployment) -> Deployment:
    """Return ``wanted`` with what depends on a changed choice adapted to it.

    The GPU follows the region, vCPUs the GPU, memory the vCPUs, and the time of the startup
    probe whether there is a GPU. What was not changed is left alone, however odd it is.
    """
    if wanted.region != before.region:
        wanted = replace(wanted, accelerator=_gpu_in(wanted.region, wanted.accelerator))
    if wanted.accelerator != before.accelerator:
        wanted = _probed_for(before, wanted)
    choices = machines(gpus.by_accelerator(wanted.accelerator))
    if wanted.accelerator != before.accelerator and wanted.cpu not in choices:
        cpu, memories = next(iter(choices.items()))
        wanted = replace(wanted, cpu=cpu, memory_gib=memories[0])
    is_other = (wanted.accelerator, wanted.cpu) != (before.accelerator, before.cpu)
    memories = choices.get(int(wanted.cpu), ())
    if is_other and memories and not min(memories) <= wanted.memory_gib <= max(memories):
        wanted = replace(wanted, memory_gib=memories[0])
    return wanted


def _gpu_in(region: str, accelerator: str) -> str:
    """Return the GPU of a region that is most like another one; empty where the region has none."""
    wanted, offered = gpus.by_accelerator(accelerator), by_memory(region)
    if wanted is None or wanted in offered:
        return accelerator
    larger = [gpu for gpu in offered if gpu.usable_gib >= wanted.usable_gib]
    return next((gpu.accelerator for gpu in [*larger, *reversed(offered)]), "")


def _probed_for(before: Deployment, wanted: Deployment) -> Deployment:
    """Keep a startup probe within the time allowed, and one that took all of it at that."""
    probe = wanted.probe
    was, longest = (LONGEST_PROBE[bool(each.accelerator)] for each in (before, wanted))
    lasts = probe.period * probe.failures
    if not probe.period or (lasts <= longest and lasts != was):
        return wanted
    return replace(wanted, probe=replace(probe, failures=max(1, longest // probe.period)))


def cache_gib(size: int, memory_gib: float) -> int:
    """Return the GiB of a file cache that holds a whole model; 0 where there is no room for it."""
    if not size:
        return 0
    needed = math.ceil(size / GIB * 1.05) + 1
    return needed if needed <= memory_gib - _ENGINE_GIB else 0
