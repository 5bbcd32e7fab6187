"""What instances cost while they are awake, in US dollars, at list prices of tier 1 regions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.domain import gpus

if TYPE_CHECKING:
    from llm_widgets.domain.gpus import Gpu
    from llm_widgets.domain.services import Deployment

_HOUR = 3600  # seconds
_HOURS_A_DAY = 24


@dataclass(frozen=True, slots=True)
class Cost:
    """What a deployment costs.

    Attributes
    ----------
    hour
        Of one instance that is awake.
    least_day
        Of the instances that always run, used or not.
    """

    hour: float
    least_day: float


def of_instance(gpu: Gpu | None, cpu: float, memory_gib: float, *, redundant: bool) -> float:
    """Compute what an instance costs an hour.

    Parameters
    ----------
    cpu, memory_gib
        Number of vCPUs, and GiB of memory.
    redundant
        Whether the GPU has zonal redundancy.
    """
    second = cpu * gpus.CPU_PRICE + memory_gib * gpus.MEMORY_PRICE
    if gpu:
        second += gpu.price[redundant]
    return second * _HOUR


def of_deployment(deployment: Deployment) -> Cost:
    """Compute what a deployment costs."""
    gpu = gpus.by_accelerator(deployment.accelerator)
    hour = of_instance(
        gpu, deployment.cpu, deployment.memory_gib, redundant=deployment.zonal_redundancy
    )
    return Cost(hour, hour * _HOURS_A_DAY * deployment.min_instances)
