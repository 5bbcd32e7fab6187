"""A server that works on so many requests at once: its knee is known. Time is reckoned, not spent.

Requests wait in a queue, first come, first served. A prompt whose beginning was seen before is
answered at once, as by a prefix cache; and some are refused or fail, if it is told so.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llm_widgets.domain.load_tests import plan
from llm_widgets.domain.load_tests.levels import Outcome, Sample

if TYPE_CHECKING:
    from collections.abc import Callable

_BEGINNING = 16  # characters of a prompt that a cache keeps
_CACHED = 0.01  # seconds of an answer from it


@dataclass
class QueueServer:
    """Tells when requests end.

    Attributes
    ----------
    slots
        Requests that it works on at once.
    reading
        Seconds until the first token.
    speed
        Tokens per second of each answer.
    outcome
        How a request ends that is one of so many.
    counts
        Whether it tells how many tokens an answer has.
    """

    slots: int
    reading: float = 0.2
    speed: float = 40.0
    outcome: Callable[[int], Outcome] = lambda _: Outcome.ANSWERED
    counts: bool = True
    seen: set[str] = field(default_factory=set)
    free_at: list[float] = field(default_factory=list)

    def ask(self, caller: int, now: float, prompt: str, tokens: int, running: int) -> Sample:
        """Return how a request ends that is sent now, as one of so many at once."""
        outcome = self.outcome(running)
        if outcome is not Outcome.ANSWERED:
            return Sample(caller, now, now + 0.01, outcome, reason=outcome.value)
        beginning = prompt[:_BEGINNING]
        counted = tokens if self.counts else None
        if beginning in self.seen:
            return Sample(caller, now, now + _CACHED, outcome, now + _CACHED / 2, counted)
        self.seen.add(beginning)
        self.free_at = self.free_at or [0.0] * self.slots
        begun = max(now, heapq.heappop(self.free_at))
        first = begun + self.reading
        ended = first + tokens / self.speed
        heapq.heappush(self.free_at, ended)
        return Sample(caller, now, ended, outcome, first, counted)


def step(
    server: QueueServer,
    at_once: int,
    seconds: float,
    *,
    tokens: int,
    prompts: Callable[[], str],
    begin: float = 0.0,
) -> list[Sample]:
    """Return the requests of a step: each caller asks again once it has its answer."""
    end, longest = begin + seconds, 0.0
    samples: list[Sample] = []
    server.free_at = [begin] * server.slots  # the step before has ended
    callers = [(begin, caller, 0.0) for caller in range(at_once)]
    while callers:
        now, caller, took = heapq.heappop(callers)
        longest = max(longest, took)
        if took and not plan.may_ask(now, end, longest):
            continue
        found = server.ask(caller, now, prompts(), tokens, at_once)
        if found.ended > end:
            first = found.first if found.first and found.first <= end else None
            found = Sample(caller, now, end, Outcome.CUT_OFF, first)
        elif found.outcome is Outcome.ANSWERED:
            heapq.heappush(callers, (found.ended, caller, found.ended - now))
        samples.append(found)
    return samples
