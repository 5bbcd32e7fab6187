"""What came back while so many callers asked at once."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from llm_widgets.domain.tables import Shown, Values

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_HALF, _MOST = 0.5, 0.95
"""The percentiles that are told."""


class Outcome(StrEnum):
    """How a request ended."""

    ANSWERED = "answered"
    REFUSED = "refused"
    """There was no room for it: 429, and 503 of Cloud Run."""

    FAILED = "failed"
    CUT_OFF = "cut off"
    """The step was over before the answer was."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One request; times are seconds of one clock.

    Attributes
    ----------
    caller
        Which of the callers at once sent it.
    first
        When the answer began; ``None`` where it did not.
    tokens
        Of the answer, as the engine counts them; ``None`` where it does not, or nothing came.
    reason
        Why there was no answer, in a sentence.
    """

    caller: int
    began: float
    ended: float
    outcome: Outcome
    first: float | None = None
    tokens: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Level(Shown):
    """All requests of a step.

    Attributes
    ----------
    at_once
        Callers.
    answered, refused, failed, cut_off
        Requests, by how they ended.
    tokens_per_second
        Of all callers together; ``None`` where that is not known.
    speed
        Tokens per second of one answer, once it has begun: half of them are faster.
    ttft, ttft_95
        Seconds until an answer begins: half of them, and 95 % of them, take no longer.
    latency, latency_95
        Seconds until it is complete, likewise.
    reason
        Why the first request failed that did.
    """

    at_once: int
    answered: int
    refused: int = 0
    failed: int = 0
    cut_off: int = 0
    tokens_per_second: float | None = None
    speed: float | None = None
    ttft: float | None = None
    ttft_95: float | None = None
    latency: float | None = None
    latency_95: float | None = None
    reason: str = ""

    @property
    def requests(self) -> int:
        """All of them."""
        return self.answered + self.refused + self.failed + self.cut_off

    def shown(self) -> Values:
        """Return what a list of levels tells of it."""
        return {
            "at_once": self.at_once,
            "tokens_per_second": _rounded(self.tokens_per_second, 1),
            "per_caller": _rounded(self.speed, 1),
            "ttft": _rounded(self.ttft, 3),
            "ttft_p95": _rounded(self.ttft_95, 3),
            "latency": _rounded(self.latency, 2),
            "latency_p95": _rounded(self.latency_95, 2),
            "answered": self.answered,
            "refused": self.refused,
            "failed": self.failed,
            "cut_off": self.cut_off,
            "reason": self.reason,
        }


def level(at_once: int, samples: Iterable[Sample]) -> Level:
    """Sum up the requests of a step.

    What comes with the first answers is left out where all callers got further ones: they all
    began at the same moment, and an engine may prepare something for so many.
    """
    found = tuple(samples)
    answered = [each for each in found if each.outcome is Outcome.ANSWERED]
    steady = _steady(found, at_once)
    # Who was cut off waited at least as long: left out, a crowd of them would look fast.
    waited = [each for each in steady if each.outcome in (Outcome.ANSWERED, Outcome.CUT_OFF)]
    firsts = [(each.ended if each.first is None else each.first) - each.began for each in waited]
    whole = [each.ended - each.began for each in waited]
    ended = Counter(each.outcome for each in found)
    broken = (each.reason for each in found if each.reason)
    return Level(
        at_once,
        len(answered),
        ended[Outcome.REFUSED],
        ended[Outcome.FAILED],
        ended[Outcome.CUT_OFF],
        tokens_per_second=_throughput(answered, found, steady),
        speed=percentile([s for each in steady if (s := _speed(each))], _HALF),
        ttft=percentile(firsts, _HALF),
        ttft_95=percentile(firsts, _MOST),
        latency=percentile(whole, _HALF),
        latency_95=percentile(whole, _MOST),
        reason=next(broken, ""),
    )


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the value that a share of the values do not exceed; ``None`` for no values."""
    if not values:
        return None
    return sorted(values)[math.ceil(share * len(values)) - 1]


def _steady(samples: tuple[Sample, ...], at_once: int) -> list[Sample]:
    """Return the requests after the first one of each caller; all where one has no second."""
    seen: set[int] = set()
    later: list[Sample] = []
    for each in sorted(samples, key=lambda sample: sample.began):
        if each.caller in seen:
            later.append(each)
        seen.add(each.caller)
    again = {each.caller for each in later if each.outcome is Outcome.ANSWERED}
    return later if len(again) == at_once else list(samples)


def _throughput(
    answered: list[Sample], samples: tuple[Sample, ...], steady: list[Sample]
) -> float | None:
    """Return the tokens per second while all callers asked.

    The tokens of an answer are spread over the time in which it was written: so an answer counts
    for the part of it that lies within. Callers stop one after the other; what is written after
    the first of them stopped is that of fewer callers.
    """
    if not answered or any(each.tokens is None for each in answered):
        return None
    last: dict[int, Sample] = {}
    for each in sorted(samples, key=lambda sample: sample.began):
        last[each.caller] = each
    begin = min(each.began for each in steady)
    stopped = [each.ended for each in last.values() if each.outcome is not Outcome.CUT_OFF]
    end = min(stopped, default=max(each.ended for each in answered))
    if end <= begin:
        return None
    return sum(_tokens_within(each, begin, end) for each in answered) / (end - begin)


def _tokens_within(sample: Sample, begin: float, end: float) -> float:
    first = sample.ended if sample.first is None else sample.first
    tokens = sample.tokens or 0
    if sample.ended <= first:  # all at once
        return tokens if begin < sample.ended <= end else 0
    within = min(sample.ended, end) - max(first, begin)
    return tokens * max(within, 0) / (sample.ended - first)


def _speed(sample: Sample) -> float | None:
    if sample.outcome is not Outcome.ANSWERED or sample.first is None:
        return None
    writing = sample.ended - sample.first
    return (sample.tokens - 1) / writing if sample.tokens and writing > 0 else None


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
