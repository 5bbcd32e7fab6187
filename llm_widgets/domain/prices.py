"""Prices of what instances are made of: of Google's catalogue, else of a dated table."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from llm_widgets.domain import gpus

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

CPU = "cpu"
"""A vCPU, instance-based billing."""

MEMORY = "memory"
"""A GiB of memory, instance-based billing."""

_CENT = Decimal("0.01")
_HOUR = 3600  # seconds
_MILLION = 1_000_000


class Basis(StrEnum):
    """What a price is taken from, from the surest to the least sure."""

    LIST = "list price"
    ABOUT = "approximate"
    FROM = "approximate, at least"

    @property
    def prefix(self) -> str:
        """What stands before such a price."""
        return {Basis.LIST: "", Basis.ABOUT: "about ", Basis.FROM: "from "}[self]


def least_sure(*found: Basis) -> Basis:
    """Return the basis of what is put together of several prices."""
    return max(found, key=list(Basis).index)


@dataclass(frozen=True, slots=True)
class Price:
    """A price in US dollars, and what it is taken from."""

    amount: Decimal
    basis: Basis


def gpu(accelerator: str, *, redundant: bool) -> str:
    """Return the name under which a list has a GPU, with or without zonal redundancy."""
    return f"{accelerator}/redundant" if redundant else accelerator


@dataclass(frozen=True, slots=True)
class PriceList:
    """Prices a second, by region and by what they are of: :data:`CPU`, :data:`MEMORY`, :func:`gpu`.

    Attributes
    ----------
    found
        US dollars a second that Google's catalogue has, by ``(region, of)``.
    read_at
        When the catalogue was read; ``None`` where the table is all there is.
    reason
        Why the catalogue was not read; empty where it was, or nobody tried.
    """

    found: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)
    read_at: datetime | None = None
    reason: str = ""

    def second(self, region: str, of: str) -> Price | None:
        """Return a price a second; ``None`` where neither catalogue nor table has one."""
        listed = self.found.get((region, of))
        if listed is not None:
            return Price(listed, Basis.LIST)
        known = _TABLE.get(of)
        if known is None:
            return None
        # The table has the prices of tier 1.
        return Price(known, Basis.FROM if region in gpus.DEARER_REGIONS else Basis.ABOUT)

    @property
    def source(self) -> str:
        """Where the prices are from, in a sentence."""
        if self.read_at is not None:
            return f"List prices of {self.read_at:%Y-%m-%d %H:%M} UTC, without discounts."
        return f"Approximate: prices of {gpus.DATA_DATE} for tier 1 regions; others cost more."


_TABLE: Mapping[str, Decimal] = {
    CPU: gpus.CPU_PRICE,
    MEMORY: gpus.MEMORY_PRICE,
    **{
        gpu(each.accelerator, redundant=redundant): each.price[redundant]
        for each in gpus.GPUS
        for redundant in (False, True)
    },
}

TABLE = PriceList()
"""The dated table alone."""


def per_million(hour: Price | None, tokens_per_second: float | None) -> Price | None:
    """Return what a million tokens cost at a speed; ``None`` where that is not known.

    Parameters
    ----------
    hour
        What an instance costs an hour.
    """
    if hour is None or not tokens_per_second:
        return None
    seconds = _MILLION / Decimal(str(tokens_per_second))
    return Price(hour.amount * seconds / _HOUR, hour.basis)


def cents(amount: Decimal) -> Decimal:
    """Round an amount to cents."""
    return amount.quantize(_CENT, ROUND_HALF_UP)


def dollars(amount: Decimal) -> str:
    """Write an amount in dollars and cents; what is less than a cent is said to be so."""
    if 0 < amount < _CENT / 2:
        return "under $0.01"
    return f"${cents(amount):,}"
