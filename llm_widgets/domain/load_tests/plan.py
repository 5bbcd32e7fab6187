"""How a load test goes: callers at once, step by step, within a time that was named before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.domain.load_tests.prompts import SHAPES

if TYPE_CHECKING:
    from llm_widgets.domain.load_tests.prompts import Shape

MOST_SECONDS = 180
"""Of a whole test: what a person waits for, and some cents of a GPU."""

LEAST_SECONDS = 5

MOST_AT_ONCE = 16
"""Callers at once: the last of 1, 2, 4, 8, 16."""

_WAVES = 4
"""Answers after each other that a step should have time for."""

LEAST_TOKENS = 16
"""Of an answer: fewer tell nothing of how fast an engine writes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be sent.

    Attributes
    ----------
    seconds
        Most time of all steps together; a start of an instance comes before them.
    levels
        Callers at once, one step for each, as long as more of them bring more.
    shapes
        Kinds of requests: the steps are gone through for each.
    """

    seconds: float
    levels: tuple[int, ...]
    shapes: tuple[Shape, ...] = SHAPES

    @property
    def step(self) -> float:
        """Seconds of one step."""
        return self.seconds / (len(self.levels) * len(self.shapes))


def planned(concurrency: int, seconds: float = MOST_SECONDS) -> Plan:
    """Return the plan for a service.

    Parameters
    ----------
    concurrency
        Requests that one instance of it takes at once: more would wait in front of it.
    seconds
        Time for all of it.

    Raises
    ------
    ValueError
        The time is too short or too long.
    """
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        raise ValueError(f"A load test takes from {LEAST_SECONDS} to {MOST_SECONDS} seconds.")
    return Plan(seconds, levels(min(max(concurrency, 1), MOST_AT_ONCE)))


def levels(most: int) -> tuple[int, ...]:
    """Return 1, 2, 4, … up to a number, which is the last of them."""
    found = [1 << power for power in range(most.bit_length()) if 1 << power < most]
    return (*found, most)


def tokens(shape: Shape, step: float, *, wait: float, speed: float) -> int:
    """Return how many tokens an answer may have, so that a step has time for several answers.

    Parameters
    ----------
    step
        Seconds of a step.
    wait, speed
        Seconds until a first answer began, and how many tokens a second it had from there on; 0
        where that is not known.
    """
    if not speed:
        return shape.tokens
    fitting = int(max(step / _WAVES - wait, 0) * speed)
    return max(min(shape.tokens, fitting), LEAST_TOKENS)


def may_ask(now: float, end: float, longest: float) -> bool:
    """Return whether a caller asks once more in a step.

    Parameters
    ----------
    now, end
        The present, and the end of the step.
    longest
        Seconds of the longest answer of the step so far: one that would be cut off is not asked
        for.
    """
    return now + longest <= end
