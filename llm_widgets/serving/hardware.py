"""Which GPU, how much CPU and memory a model is offered first."""

from __future__ import annotations

import math
from dataclasses import dataclass

from llm_widgets.domain import gpus

GIB = 2**30
ROOM = 1.2
"""A model's files times this must fit into a GPU's memory for the GPU to be offered first."""

CPU_ONLY = (8, 32)
"""vCPUs and GiB where there is no GPU: the most that Cloud Run gives without one."""

PROBE_SECONDS = {True: 1800, False: 600}
"""Longest ``period * failures`` of a startup probe, with and without a GPU."""

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
        return PROBE_SECONDS[bool(self.accelerator)] // 10


def choose(region: str, size: int, accelerator: str | None = None) -> Hardware:
    """Choose the smallest GPU of a region that a model fits, else the largest.

    Parameters
    ----------
    size
        Bytes of the model's files, 0 when not known.
    accelerator
        The GPU to use in place of that; empty for none.
    """
    gpu = _best(region, size) if accelerator is None else gpus.by_accelerator(accelerator)
    if gpu is None:
        return Hardware("", *CPU_ONLY)
    return Hardware(gpu.accelerator, gpu.default_cpu, gpu.default_memory_gib)


def _best(region: str, size: int) -> gpus.Gpu | None:
    offered = sorted(gpus.in_region(region), key=lambda gpu: gpu.usable_gib)
    fitting = [gpu for gpu in offered if gpu.usable_gib * GIB >= size * ROOM]
    return next(iter([*fitting, *reversed(offered)]), None)


def cache_gib(size: int, memory_gib: float) -> int:
    """Give the GiB of a file cache that holds a whole model; 0 where there is no room for it."""
    if not size:
        return 0
    needed = math.ceil(size / GIB * 1.05) + 1
    return needed if needed <= memory_gib - _ENGINE_GIB else 0
