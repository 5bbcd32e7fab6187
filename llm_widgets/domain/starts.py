"""Where the seconds of a service's start went, and what tells it in a log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.domain.tables import Shown, Values
from llm_widgets.domain.units import GIB

if TYPE_CHECKING:
    import re

WEIGHTS = "Weights"
"""Name of the phase in which an engine reads a model's weights."""

UNTOLD = "Not in the log"
"""Name of the seconds that no line accounts for."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A line that an engine writes when a phase of its start has ended.

    Groups of the pattern, all of them optional: ``seconds`` is how long the phase took, else it
    took what passed since the mark before; ``size`` and ``unit`` are bytes that it read.

    A mark without seconds counts once, one with seconds each time.

    Attributes
    ----------
    ready
        Whether the engine can answer with this line.
    """

    phase: str
    pattern: re.Pattern[str]
    ready: bool = False


@dataclass(frozen=True, slots=True)
class StartPhase(Shown):
    """A phase of a start.

    Attributes
    ----------
    bytes
        What was read in it; ``None`` where the log does not tell.
    before
        Seconds of the same phase in the start that this one is compared with; ``None`` for none.
    """

    name: str
    seconds: float
    bytes: int | None = None
    before: float | None = None

    @property
    def rate(self) -> float | None:
        """GiB per second that were read; ``None`` where that is not known."""
        return self.bytes / GIB / self.seconds if self.bytes and self.seconds else None

    def shown(self) -> Values:
        """Return what a list of phases tells of it."""
        return {
            "phase": self.name,
            "seconds": round(self.seconds, 2),
            "before": None if self.before is None else round(self.before, 2),
            "bytes": self.bytes,
            "gib_per_second": None if self.rate is None else round(self.rate, 2),
        }


@dataclass(frozen=True, slots=True)
class Start:
    """A start: its phases in their order, whose seconds are those of the whole.

    Attributes
    ----------
    is_ready
        Whether it came to its end.
    """

    phases: tuple[StartPhase, ...]
    seconds: float
    is_ready: bool


def compared(start: Start, before: Start | None) -> tuple[StartPhase, ...]:
    """Return the phases of a start with the seconds that an earlier one took for each.

    Phases that only the earlier one had follow, with no seconds.
    """
    if before is None:
        return start.phases
    earlier = {phase.name: phase.seconds for phase in before.phases}
    found = [
        StartPhase(each.name, each.seconds, each.bytes, earlier.pop(each.name, 0.0))
        for each in start.phases
    ]
    return (*found, *(StartPhase(name, 0.0, None, seconds) for name, seconds in earlier.items()))
