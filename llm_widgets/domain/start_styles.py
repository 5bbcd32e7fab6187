"""What a deployment gives up for a faster start, or for faster answers."""

from __future__ import annotations

from dataclasses import dataclass

FAST_START, BALANCED, FAST_ANSWERS = "fast-start", "balanced", "fast-answers"
IDS = (FAST_START, BALANCED, FAST_ANSWERS)
"""All that a style can be."""


@dataclass(frozen=True, slots=True)
class StartStyle:
    """A way to start.

    Attributes
    ----------
    id
        One of :data:`IDS`.
    label, trade
        Its name, and what is got for what.
    words
        Arguments that are told beside those of the recipe; none where it is the recipe's own.
    """

    id: str
    label: str
    trade: str
    words: tuple[str, ...] = ()
