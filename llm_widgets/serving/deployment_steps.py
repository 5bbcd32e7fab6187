"""How far a deployment is: the steps from a request to a service that answers, with times."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from llm_widgets.domain.platform_log import BEFORE_CONTAINER, PROBE_SUCCEEDED

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Sequence
    from datetime import datetime


class Step(StrEnum):
    """The steps, in words that the page shows."""

    CREATED = "Created"
    IMAGE = "Image"
    STARTED = "Container started"
    LOADING = "Weights loading"
    PROBE = "Probe passed"
    READY = "Ready"


class StepState(StrEnum):
    """Where a step is."""

    DONE = "done"
    ACTIVE = "active"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StepReached:
    """How a step is; ``at`` is when it was reached, ``None`` when nothing tells."""

    step: Step
    state: StepState
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A log entry of the revision."""

    time: datetime | None
    text: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of the newest revision.

    Attributes
    ----------
    outcome
        ``True`` when it is ready, ``False`` when it failed, ``None`` while it goes on.
    settled_at
        When that was decided.
    lines
        Its log, the oldest first.
    loading
        What its engine logs when it begins to load a model; ``None`` where that is not known.
    """

    created_at: datetime | None
    image_at: datetime | None
    outcome: bool | None
    settled_at: datetime | None
    lines: Sequence[Line]
    loading: re.Pattern[str] | None = None


def steps(seen: Seen) -> tuple[StepReached, ...]:
    """Return how far a deployment is.

    A step that left no trace of its own is reached when a later one is.
    """
    times = {
        Step.CREATED: seen.created_at,
        Step.IMAGE: seen.image_at,
        Step.STARTED: _container_started(seen.lines),
        Step.LOADING: _first(seen.lines, seen.loading) if seen.loading else None,
        Step.PROBE: _first(seen.lines, PROBE_SUCCEEDED),
        Step.READY: seen.settled_at if seen.outcome else None,
    }
    started = times[Step.STARTED]
    image = times[Step.IMAGE]
    # Its condition may be settled only at the end, but a container starts from an image.
    if started and (image is None or image > started):
        times[Step.IMAGE] = started
    every = list(Step)
    reached = max((index for index, step in enumerate(every) if times[step]), default=-1)
    if seen.outcome:
        reached = len(every) - 1
    made = []
    for index, step in enumerate(every):
        state = StepState.WAITING
        if index <= reached:
            state = StepState.DONE
        elif index == reached + 1:
            state = StepState.FAILED if seen.outcome is False else StepState.ACTIVE
        made.append(StepReached(step, state, times[step]))
    return tuple(made)


def _container_started(lines: Iterable[Line]) -> datetime | None:
    told = (line.time for line in lines if not BEFORE_CONTAINER.match(line.text))
    return next(told, None)


def _first(lines: Iterable[Line], pattern: re.Pattern[str]) -> datetime | None:
    return next((line.time for line in lines if pattern.search(line.text)), None)
