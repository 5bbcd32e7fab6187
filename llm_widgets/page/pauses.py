"""Pauses of what repeats: pages that were opened together go apart, and a rate is waited for."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 240.0
"""Seconds of a pause at most, however often too much was asked."""

_SPREAD = 0.1  # of a pause, by which it is longer or shorter


class Pauses:
    """Tells how long to wait until something is done again.

    Parameters
    ----------
    seconds
        The usual pause.
    jitter
        Returns by which part of itself a pause is longer or shorter.
    """

    def __init__(
        self,
        seconds: float,
        jitter: Callable[[], float] = lambda: random.uniform(-_SPREAD, _SPREAD),  # noqa: S311 - no secret
    ) -> None:
        self._usual = self._pause = seconds
        self._jitter = jitter

    @property
    def seconds(self) -> float:
        """Seconds of the next pause; longer by chance only where somebody asks for a length."""
        chance = self._jitter()
        return self._pause * (1 + (chance if self._pause == self._usual else abs(chance)))

    def answered(self) -> None:
        """Go on as usual."""
        self._pause = self._usual

    def refused(self, retry_after: float | None = None) -> None:
        """Wait longer, as too much was asked.

        Parameters
        ----------
        retry_after
            Seconds that the API asks to wait; twice the last pause at least.
        """
        self._pause = max(self._usual, min(LONGEST, max(2 * self._pause, retry_after or 0.0)))
