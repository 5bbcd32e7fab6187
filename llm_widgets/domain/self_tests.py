"""What a service was found to do when it was asked a little of everything that it should do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from llm_widgets.domain.tables import Shown, Values

if TYPE_CHECKING:
    from llm_widgets.domain.failures.remedies import Remedy


class Outcome(StrEnum):
    """How a test ended, in words that the page and the terminal show."""

    PASSED = "Passed"
    WEAK = "Weak"
    """The service works; the model did not do what was wanted."""

    FAILED = "Failed"
    SKIPPED = "Not tested"


@dataclass(frozen=True, slots=True)
class Tested(Shown):
    """One thing that was tested.

    Attributes
    ----------
    title
        What was tested.
    text
        What was found, in a sentence.
    advice
        What to do; empty for nothing.
    remedy
        The change of the deployment that helps; ``None`` where none is known.
    seconds
        How long it took; ``None`` where nothing was asked.
    """

    title: str
    outcome: Outcome
    text: str
    advice: str = ""
    remedy: Remedy | None = None
    seconds: float | None = None

    def shown(self) -> Values:
        """Return what a list of tests tells of it."""
        return {
            "test": self.title,
            "outcome": self.outcome.value,
            "found": self.text,
            "advice": self.advice or (self.remedy.text if self.remedy else ""),
            "change": dict(self.remedy.parameters) if self.remedy else None,
            "seconds": self.seconds,
        }


def summary(tests: tuple[Tested, ...] | list[Tested]) -> str:
    """Return how many of the tests ended in which way, in a sentence."""
    counts = {outcome: sum(each.outcome is outcome for each in tests) for outcome in Outcome}
    return ", ".join(
        f"{count} {outcome.value.lower()}" for outcome, count in counts.items() if count
    )
