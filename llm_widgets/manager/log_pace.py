"""How often the log of a service is read: what a project may read is shared by all who look."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 60
"""Reads of logs a minute in a project, which can't be raised.
Source: https://cloud.google.com/logging/quotas, September 2026."""

QUICK = 7.0
"""Seconds between two reads while a service changes: three pages take less than half of all."""

CALM = 15.0
"""Seconds between two reads once it has settled."""

LONGEST = 240.0
"""Seconds between two reads at most, however often too many were made."""

_JITTER = 1.0  # seconds; pages that were opened together don't go on together
_SETTLING = 30.0  # seconds for which entries may be on their way after the last change


class Pace:
    """Tells when the next read is due.

    Parameters
    ----------
    clock
        Returns seconds.
    jitter
        Returns seconds by which a pause is longer or shorter.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = lambda: random.uniform(-_JITTER, _JITTER),  # noqa: S311 - no secret
    ) -> None:
        self._clock = clock
        self._jitter = jitter
        self._quick_until = float("inf")
        self._pause = 0.0  # seconds between two reads since too many were made; 0 for as usual
        self._due = clock()

    def changing(self, *, is_changing: bool) -> None:
        """Take to know whether the service changes; it does until something else is told."""
        if is_changing:
            if not self._is_quick and not self._pause:
                self._due = min(self._due, self._clock() + QUICK)
            self._quick_until = float("inf")
        elif self._quick_until == float("inf"):
            self._quick_until = self._clock() + _SETTLING

    @property
    def seconds(self) -> float:
        """Seconds between two reads as things are."""
        return max(self._pause, self._usual)

    @property
    def is_slowed(self) -> bool:
        """Whether reads are rarer than usual because too many were made."""
        return self._pause > 0

    @property
    def is_due(self) -> bool:
        """Whether it is time to read."""
        return self._clock() >= self._due

    def read(self) -> None:
        """Count a read that was answered; the pause shrinks step by step to the usual one."""
        self._pause /= 2
        if self._pause <= self._usual:
            self._pause = 0.0
        self._plan()

    def refused(self, retry_after: float | None = None) -> None:
        """Count a read that was one too many.

        Parameters
        ----------
        retry_after
            Seconds that the API asks to wait; twice the last pause at least.
        """
        self._pause = min(LONGEST, max(2 * self.seconds, retry_after or 0.0))
        self._plan()

    @property
    def _is_quick(self) -> bool:
        return self._clock() < self._quick_until

    @property
    def _usual(self) -> float:
        return QUICK if self._is_quick else CALM

    def _plan(self) -> None:
        self._due = self._clock() + self.seconds + self._jitter()
