"""The same question to several services: how each of them answered, how fast, at which price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.domain import prices
from llm_widgets.domain.prices import dollars
from llm_widgets.domain.tables import Shown, Values

if TYPE_CHECKING:
    from llm_widgets.domain.prices import Price
    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.errors import ManagerError

FEWEST, MOST = 2, 4
"""Services that are compared: so many answers can be read side by side."""

COLUMNS = ("service", "model", "gpu", "ttft", "tokens", "tokens_per_second", "per_million", "note")
"""What a table of answers shows of each service."""


@dataclass(frozen=True, slots=True)
class Compared(Shown):
    """How a service answered.

    Attributes
    ----------
    service
        Which one was asked.
    text, thought
        What it said, and what it thought before.
    first_token, seconds
        From the question to the first piece of the answer, and to its end, a cold start included;
        ``None`` where there is no answer.
    tokens
        Of the answer.
    tokens_per_second
        After the first one; ``None`` where that is not known.
    is_cut
        Whether the answer ended where the most tokens were reached.
    hour
        What an instance costs an hour; ``None`` where that is not known.
    error
        Why there is no answer, or no more of it.
    """

    service: ServiceSummary
    text: str = ""
    thought: str = ""
    first_token: float | None = None
    seconds: float | None = None
    tokens: int | None = None
    tokens_per_second: float | None = None
    is_cut: bool = False
    hour: Price | None = None
    error: ManagerError | None = None

    @property
    def per_million(self) -> Price | None:
        """What a million tokens cost at this speed, one answer at a time."""
        return prices.per_million(self.hour, self.tokens_per_second)

    @property
    def note(self) -> str:
        """What keeps the answer from being whole; empty for nothing."""
        if self.error:
            return self.error.message
        return "Cut off at max tokens." if self.is_cut else ""

    def shown(self) -> Values:
        """Return what a list of answers tells of it; times in seconds."""
        cost = self.per_million
        return {
            "service": self.service.id,
            "region": self.service.region,
            "model": self.service.model_id,
            "gpu": self.service.gpu,
            "answer": self.text,
            "thought": self.thought,
            "ttft": self.first_token,
            "seconds": self.seconds,
            "tokens": self.tokens,
            "tokens_per_second": self.tokens_per_second,
            "per_million": f"{cost.basis.prefix}{dollars(cost.amount)}" if cost else None,
            "note": self.note,
        }
