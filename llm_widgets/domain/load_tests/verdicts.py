"""Up to how many callers at once a service gains: the knee of its curve."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from llm_widgets.domain.prices import Price

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.domain.load_tests.levels import Level
    from llm_widgets.domain.load_tests.prompts import Shape

MOST_ERRORS = 0.01
"""Share of the requests that may be refused or fail."""

LEAST_GAIN = 0.1
"""What twice as many callers must at least bring, as a share of the tokens per second before."""

READING = 10.0
"""Tokens per second of one answer: about as fast as people read, 100 ms between two tokens."""

_MILLION = 1_000_000
_HOUR = 3600  # seconds


class Verdict(StrEnum):
    """How a level came out."""

    PASSED = "Passed"
    REFUSED = "Requests refused"
    ERRORS = "Requests failed"
    UNANSWERED = "No answer in time"
    UNCOUNTED = "Tokens not counted"
    LATE = "Answers begin late"
    SLOW = "Answers come slowly"
    NO_GAIN = "No more throughput"


@dataclass(frozen=True, slots=True)
class Knee:
    """Where a curve bends.

    Attributes
    ----------
    best
        The last level before it; ``None`` where not even one caller was served well enough to
        tell.
    verdict
        Why it is not a higher one: what the next level came to, or ``PASSED`` where there was
        none.
    next
        That level.
    """

    best: Level | None
    verdict: Verdict
    next: Level | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """The levels of one kind of requests, with more and more callers at once.

    Attributes
    ----------
    tokens
        Most tokens of an answer.
    """

    shape: Shape
    tokens: int
    levels: tuple[Level, ...]

    @property
    def knee(self) -> Knee:
        """Up to which level more callers bring more."""
        return knee(self.levels, self.shape)

    @property
    def alone(self) -> Level | None:
        """The level of one caller; ``None`` where there is none."""
        first = next(iter(self.levels), None)
        return first if first and first.at_once == 1 else None


def judged(level: Level, before: Level | None, shape: Shape) -> Verdict:
    """Judge a level.

    Parameters
    ----------
    before
        The level before, which passed; ``None`` for the first.
    """
    wrong = _unserved(level)
    if wrong or before is None:
        return wrong or Verdict.PASSED
    more = level.at_once / before.at_once - 1
    if (level.tokens_per_second or 0) < (before.tokens_per_second or 0) * (1 + LEAST_GAIN * more):
        return Verdict.NO_GAIN
    # What fewer callers meet, too, is told, and is no reason for fewer of them.
    if (before.ttft_95 or 0) <= shape.longest_wait < (level.ttft_95 or 0):
        return Verdict.LATE
    if level.speed is not None and level.speed < READING <= (before.speed or 0):
        return Verdict.SLOW
    return Verdict.PASSED


def _unserved(level: Level) -> Verdict | None:
    """Return why a level tells nothing of how fast a service is; ``None`` where it does."""
    if level.refused > MOST_ERRORS * level.requests:
        return Verdict.REFUSED
    if level.failed > MOST_ERRORS * level.requests:
        return Verdict.ERRORS
    if not level.answered:
        return Verdict.UNANSWERED
    return Verdict.UNCOUNTED if level.tokens_per_second is None else None


def knee(levels: Iterable[Level], shape: Shape) -> Knee:
    """Find the knee of a curve: the last level before one that did not pass.

    Parameters
    ----------
    levels
        With more and more callers at once.
    """
    best: Level | None = None
    for level in levels:
        verdict = judged(level, best, shape)
        if verdict is not Verdict.PASSED:
            return Knee(best, verdict, level)
        best = level
    return Knee(best, Verdict.PASSED if best else Verdict.UNANSWERED)


def per_million(hour: Price | None, level: Level | None) -> Price | None:
    """Return what a million tokens of answers cost at a level; ``None`` where that is not known.

    Parameters
    ----------
    hour
        What an instance costs an hour.
    """
    speed = level.tokens_per_second if level else None
    if hour is None or not speed:
        return None
    amount = hour.amount * _MILLION / (Decimal(str(speed)) * _HOUR)
    return Price(amount, hour.basis)
