"""What a load test has found, and what to do by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.domain.load_tests import verdicts
from llm_widgets.domain.load_tests.advice import Told, advice, advised
from llm_widgets.domain.prices import dollars
from llm_widgets.domain.tables import Listing, Shown, Values

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from llm_widgets.domain.load_tests.levels import Level
    from llm_widgets.domain.load_tests.prompts import Shape
    from llm_widgets.domain.load_tests.verdicts import Curve
    from llm_widgets.domain.prices import Price

UNKNOWN = "unknown"
COLUMNS = (
    *("requests", "at_once", "tokens_per_second", "per_caller", "ttft_p95", "latency_p95"),
    *("answered", "refused", "failed", "cut_off", "per_million"),
)
"""What a table of a load test shows of each level."""


@dataclass(frozen=True, slots=True)
class Row(Shown):
    """A level in a table of all of them."""

    shape: Shape
    level: Level
    million: Price | None

    @property
    def million_text(self) -> str:
        """What a million tokens of answers cost, in words."""
        return price_text(self.million)

    def shown(self) -> Values:
        """Return what a table tells of it."""
        return {
            "requests": self.shape.label,
            **self.level.shown(),
            "per_million": self.million_text,
            "dollars_per_million": dollars_of(self.million),
        }


@dataclass(frozen=True, slots=True)
class LoadTest(Shown):
    """A load test of a service.

    Attributes
    ----------
    at
        When it ended, UTC.
    seconds
        How long it took.
    revision
        Id of the revision that answered.
    told
        How many requests the service was told to take at once.
    hour
        What an instance cost an hour; ``None`` where that was not known.
    """

    at: datetime
    seconds: float
    revision: str
    told: Told
    hour: Price | None
    curves: tuple[Curve, ...]

    @property
    def rows(self) -> Listing[Row]:
        """All levels."""
        return rows(self.curves, self.hour)

    @property
    def advice(self) -> tuple[str, ...]:
        """What follows from it, in sentences."""
        return advice(self.curves, self.told, self.hour)

    @property
    def advised(self) -> int | None:
        """How many requests at once the service should take; ``None`` where nothing tells."""
        return advised(self.curves, self.told)

    def shown(self) -> Values:
        """Return all of it, for programs."""
        return {
            "at": self.at,
            "seconds": round(self.seconds, 1),
            "revision": self.revision,
            "concurrency": self.told.concurrency,
            "dollars_per_hour": dollars_of(self.hour),
            "advised_concurrency": self.advised,
            "curves": [self._curve(each) for each in self.curves],
            "advice": list(self.advice),
        }

    def _curve(self, curve: Curve) -> Values:
        knee = curve.knee
        return {
            "requests": curve.shape.id,
            "answer_tokens": curve.tokens,
            "best_at_once": knee.best.at_once if knee.best else None,
            "ended_by": knee.verdict.value,
            "dollars_per_million": dollars_of(verdicts.per_million(self.hour, knee.best)),
            "dollars_per_million_alone": dollars_of(verdicts.per_million(self.hour, curve.alone)),
            "levels": [each.shown() for each in curve.levels],
        }

    def __str__(self) -> str:
        """Write the table, and below it what follows."""
        return "\n".join((str(self.rows), *self.advice))

    def _repr_html_(self) -> str:
        return self.rows._repr_html_() + Shown._repr_html_(self)


def rows(curves: Iterable[Curve], hour: Price | None) -> Listing[Row]:
    """Return all levels of curves, with what tokens cost by the price of an hour."""
    found = (
        Row(curve.shape, level, verdicts.per_million(hour, level))
        for curve in curves
        for level in curve.levels
    )
    return Listing(found, COLUMNS)


def price_text(price: Price | None) -> str:
    """Return a price in words."""
    return UNKNOWN if price is None else f"{price.basis.prefix}{dollars(price.amount)}"


def dollars_of(price: Price | None) -> float | None:
    """Return a price as a number for programs."""
    return None if price is None else float(round(price.amount, 4))
