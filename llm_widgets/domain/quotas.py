"""Quotas of Cloud Run by their ids, and the units that they count in."""

from __future__ import annotations

from llm_widgets.domain.units import GIB, rounded_text

CPU = "CpuAllocPerProjectRegion"
MEMORY = "MemAllocPerProjectRegion"

UNITS = {CPU: (1000, "vCPU"), MEMORY: (GIB, "GiB")}
"""What the API counts for one unit that people speak of: vCPUs in thousandths, memory in bytes."""


_TITLES = {CPU: "vCPU", MEMORY: "Memory"}


def title(quota: str) -> str:
    """Return what a quota is of; those that are neither vCPU nor memory are of GPUs."""
    return _TITLES.get(quota, "GPU")


def in_units(quota: str, value: float) -> str:
    """Return a value that is in units already, for example ``64 GiB`` or ``3``."""
    return f"{value:g} {UNITS.get(quota, (1, ''))[1]}".strip()


def amount(quota: str, raw: int) -> str:
    """Return an amount of a quota as people say it, for example ``400 vCPU``."""
    factor, word = UNITS.get(quota, (1, ""))
    return f"{rounded_text(raw / factor)} {word}".strip()
