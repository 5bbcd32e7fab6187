"""CPU, memory and GPU of a container: quantities and the windows that Cloud Run allows.

Source: Cloud Run's documentation on CPU, memory and GPU limits, November 2026.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from local_cloud.google.run_names import invalid

MIB = 2**20
GIB = 2**30
GPU = "nvidia.com/gpu"
"""Key of the GPU in a container's limits."""

DEFAULT_LIMITS = {"cpu": "1000m", "memory": "512Mi"}
"""Limits of a container that states none."""

MIN_GEN2_MEMORY = 512 * MIB

# vCPUs -> least and most memory, GiB; for the CPUs that are sold without a large GPU.
_MEMORY_GIB = {1: (0.125, 4), 2: (0.125, 8), 4: (2, 16), 6: (4, 24), 8: (4, 32)}
_RTX_CPUS = range(20, 45)
_RTX_MEMORY_GIB = (80, 176)

# Accelerator -> least vCPUs and least memory in GiB.
_GPU_LEAST = {"nvidia-l4": (4, 16), "nvidia-rtx-pro-6000": (20, 80)}

_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(m|Ki|Mi|Gi|Ti|k|M|G|T)?")
_FACTORS = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
}


def quantity(text: str) -> Decimal:
    """Return the value of a Kubernetes quantity such as ``500m`` or ``32Gi``.

    Raises
    ------
    ValueError
        The text is none.

    """
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a quantity")
    return Decimal(match[1]) * _FACTORS[match[2] or ""]


def limits_of(container: Any) -> tuple[int, int, int]:
    """Return a container's limits: milli-CPU, bytes of memory, number of GPUs."""
    limits = {**DEFAULT_LIMITS, **dict(container.resources.limits)}
    cpu = int(quantity(limits["cpu"]) * 1000)
    return cpu, int(quantity(limits["memory"])), int(quantity(limits.get(GPU, "0")))


def check_limits(field: str, container: Any, accelerator: str, *, gen2: bool) -> None:
    """Refuse CPU, memory and GPU limits that Cloud Run would refuse.

    Parameters
    ----------
    field
        Path of the container, for messages.
    container
        The container.
    accelerator
        GPU type of the template; empty for none.
    gen2
        Whether it runs in the second generation environment.

    """
    for key, text in container.resources.limits.items():
        if key not in {"cpu", "memory", GPU}:
            raise invalid(f"{field}.resources.limits", f"Unsupported resource '{key}'.")
        try:
            quantity(text)
        except ValueError:
            raise invalid(
                f"{field}.resources.limits.{key}", f"Invalid value specified for {key}: '{text}'."
            ) from None
    cpu, memory, gpus = limits_of(container)
    if gpus:
        _check_gpu(field, container, accelerator, cpu, memory)
    if gen2 and memory < MIN_GEN2_MEMORY:
        raise invalid(
            f"{field}.resources.limits.memory",
            "Invalid value specified for memory. Total memory < 512 Mi is not supported with gen2 "
            "execution environment.",
        )
    _check_window(field, cpu, memory, accelerator if gpus else "")


def _check_gpu(field: str, container: Any, accelerator: str, cpu: int, memory: int) -> None:
    where = f"{field}.resources.limits"
    if quantity(container.resources.limits[GPU]) != 1:
        raise invalid(where, f"Invalid value specified for {GPU}. Must be equal to 1.")
    if accelerator not in _GPU_LEAST:
        raise invalid(
            "template.node_selector.accelerator",
            f"Unsupported accelerator '{accelerator}': must be one of "
            f"{', '.join(sorted(_GPU_LEAST))}.",
        )
    least_cpu, least_gib = _GPU_LEAST[accelerator]
    if cpu < least_cpu * 1000 or memory < least_gib * GIB:
        raise invalid(
            where,
            f"A container with {accelerator} must have at least {least_cpu} CPU and {least_gib}Gi "
            "of memory.",
        )
    if container.resources.cpu_idle:
        raise invalid(
            f"{field}.resources.cpu_idle", "CPU must always be allocated when a GPU is attached."
        )


def _check_window(field: str, cpu: int, memory: int, accelerator: str) -> None:
    cpus = cpu / 1000
    least: float
    most: float
    if accelerator == "nvidia-rtx-pro-6000":
        if cpu % 1000 or cpus not in _RTX_CPUS:
            raise _bad_cpu(field, "between 20.0 and 44.0")
        least, most = _RTX_MEMORY_GIB
    elif cpus < 1:
        if cpu < 80:  # noqa: PLR2004 - 0.08 vCPU
            raise _bad_cpu(field, "equal to one of [.08-1], 1.0, 2.0, 4.0, 6.0, 8.0")
        least, most = 0.125, 0.5 if cpus < 0.5 else 1  # noqa: PLR2004 - half a vCPU
    elif cpus in _MEMORY_GIB:
        least, most = _MEMORY_GIB[int(cpus)]
    else:
        raise _bad_cpu(field, "equal to one of [.08-1], 1.0, 2.0, 4.0, 6.0, 8.0")
    if not least * GIB <= memory <= most * GIB:
        raise invalid(
            f"{field}.resources.limits.memory",
            f"Invalid value specified for container memory. For {cpus:.1f} CPU, memory must be "
            f"between {_written(least)} and {_written(most)} inclusive.",
        )


def _bad_cpu(field: str, allowed: str) -> Exception:
    return invalid(
        f"{field}.resources.limits.cpu",
        f"Invalid value specified for container cpu. Must be {allowed}.",
    )


def _written(gib: float) -> str:
    return f"{gib:g}Gi" if gib >= 1 else f"{gib * 1024:g}Mi"
