"""What services have cost so far, with what is known of it and what is not."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from llm_widgets.domain import prices
from llm_widgets.domain.prices import Basis, Price, dollars
from llm_widgets.domain.tables import Listing, Shown, Values, escape

if TYPE_CHECKING:
    from datetime import datetime

UNKNOWN = "unknown"
_HOUR = 3600  # seconds
_CENT = Decimal("0.01")
COLUMNS = ("name", "region", "instance_hours", "cost", "idle", "per_hour", "note")
"""What a table of costs shows of each service."""


@dataclass(frozen=True, slots=True)
class ServiceCost(Shown):
    """What a service has cost since a moment.

    Attributes
    ----------
    name
        Full resource name.
    seconds
        Time that its instances were billed for.
    spent
        What that cost, to the cent; ``None`` where no price of it is known.
    is_all
        Whether that is all: not where a part of the time has no price.
    idle_share
        Share of the time without a request, 0 to 1; ``None`` where that is not known.
    hour
        What an instance as it is now costs an hour; ``None`` where that is not known.
    least_instances
        Instances that always run.
    is_unused
        Whether instances always run and none had a request in a day; ``None`` where that is
        not known.
    remark
        Why a cost is not known; empty where there is nothing to say.
    """

    name: str
    seconds: float
    spent: Price | None
    is_all: bool
    idle_share: float | None
    hour: Price | None
    least_instances: int = 0
    is_unused: bool | None = None
    remark: str = ""

    @property
    def id(self) -> str:
        """The last part of the name."""
        return self.name.rsplit("/", 1)[-1]

    @property
    def hours(self) -> float:
        """Hours that its instances were billed for; 0.01 at least where there are any."""
        return max(round(self.seconds / _HOUR, 2), 0.01) if self.seconds else 0.0

    @property
    def spent_text(self) -> str:
        """What it cost, in words."""
        if self.spent is None:
            return UNKNOWN
        if self.seconds and not self.spent.amount:
            return f"under {dollars(_CENT)}"
        least = "" if self.is_all else "at least "
        return f"{least or self.spent.basis.prefix}{dollars(self.spent.amount)}"

    @property
    def idle_spent(self) -> Decimal | None:
        """What of the cost is of time without a request; ``None`` where that is not known."""
        if self.spent is None or self.idle_share is None:
            return None
        return prices.cents(self.spent.amount * Decimal(str(self.idle_share)))

    @property
    def idle_text(self) -> str:
        """The share of the time without a request, and what that cost."""
        if not self.seconds:
            return ""
        if self.idle_share is None:
            return UNKNOWN
        spent = self.idle_spent
        return f"{self.idle_share:.0%}" + (f" ({dollars(spent)})" if spent else "")

    @property
    def hour_text(self) -> str:
        """What an instance costs an hour, in words."""
        if self.hour is None:
            return UNKNOWN
        return f"{self.hour.basis.prefix}{dollars(self.hour.amount)}/h"

    @property
    def least_day(self) -> Price | None:
        """What the instances that always run cost a day; ``None`` where that is not known."""
        if self.hour is None:
            return None
        return Price(self.hour.amount * 24 * self.least_instances, self.hour.basis)

    @property
    def warning(self) -> str:
        """That instances run for nobody; empty where they do not."""
        if not self.is_unused:
            return ""
        runs = (
            "1 instance always runs"
            if self.least_instances == 1
            else f"{self.least_instances} instances always run"
        )
        day = self.least_day
        costs = f" for {day.basis.prefix}{dollars(day.amount)} a day" if day else ""
        return f"No request in 24 hours, and {runs}{costs}."

    def shown(self) -> Values:
        """Return what a list of costs tells of it."""
        return {
            "name": self.id,
            "region": self.name.split("/")[3],
            "instance_hours": self.hours,
            "cost": self.spent_text,
            "idle": self.idle_text,
            "per_hour": self.hour_text,
            "note": self.warning or self.remark,
            "dollars": float(self.spent.amount) if self.spent else None,
            "is_complete": self.is_all,
            "idle_share": None if self.idle_share is None else round(self.idle_share, 3),
            "dollars_per_hour": float(round(self.hour.amount, 4)) if self.hour else None,
            "basis": self.spent.basis.value if self.spent else None,
            "resource": self.name,
        }


class Costs(Listing[ServiceCost]):
    """What the services of a project have cost so far.

    Attributes
    ----------
    since, until
        The time that is looked at.
    notes
        What the figures are based on, and what is missing from them, in sentences.
    """

    since: datetime
    until: datetime
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> Price | None:
        """The sum of what is known; ``None`` where nothing is."""
        known = [each.spent for each in self if each.spent is not None]
        if self and not known:
            return None
        bases = [each.basis for each in known] or [Basis.LIST]
        return Price(sum((each.amount for each in known), Decimal(0)), prices.least_sure(*bases))

    @property
    def is_all(self) -> bool:
        """Whether the cost of every service is known."""
        return all(each.spent is not None and each.is_all for each in self)

    @property
    def total_text(self) -> str:
        """The sum, in words."""
        total = self.total
        if total is None or not (self.is_all or total.amount):
            return UNKNOWN
        used = sum(1 for each in self if each.seconds)
        if used and not total.amount:  # each of them less than a cent
            return f"under {dollars(_CENT * used)}"
        least = "" if self.is_all else "at least "
        return f"{least or total.basis.prefix}{dollars(total.amount)}"

    @property
    def summary(self) -> str:
        """The sum, with the time that it is of."""
        return f"{self.total_text} since {self.since:%-d %B %Y} (UTC)"

    def __str__(self) -> str:
        """Write the table, the sum below it, and what they are based on."""
        return "\n".join((super().__str__(), f"Total: {self.summary}.", *self.notes))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        told = (f"Total: {self.summary}.", *self.notes)
        return super()._repr_html_() + "".join(f"<p>{escape(each)}</p>" for each in told)
