"""Decides how many lanes are at work: all of them, unless the processor does better with few."""

from __future__ import annotations

BUSY = 0.5
"""Seconds of processor time a second from which on it may be the processor that limits."""

AS_GOOD = 0.95
"""Part of the rate of more lanes that few must reach in order to stay."""

_FIRST_PAUSE = 8.0
_LONGEST_PAUSE = 120.0


class LaneCount:
    """Finds the number of lanes.

    Where every connection is slow, all lanes are needed. Where the line is faster than the
    processor, few lanes hinder each other least: that is tried when the processor is busy, and
    given up where it turns out to be slower.

    Parameters
    ----------
    fewest, first, most
        Lanes at the least, in the beginning, and at the most.

    Attributes
    ----------
    lanes
        How many are to be at work now.
    """

    def __init__(self, fewest: int, first: int, most: int) -> None:
        self._fewest = min(fewest, most)
        self._most = most
        self._trial = 0.0  # the rate that few lanes have to reach; 0 when that isn't being tried
        self._more = 0
        self._try_at = 0.0
        self._pause = _FIRST_PAUSE
        self.lanes = min(first, most)

    def measured(self, rate: float, busy: float, now: float) -> None:
        """Take note of what all lanes did since the last call, and set :attr:`lanes` anew.

        Parameters
        ----------
        rate
            Bytes/s that they moved.
        busy
            Seconds of processor time a second.
        now
            Seconds of a clock that never goes back.
        """
        if self._trial:
            if rate < self._trial:
                self.lanes = self._more
                self._try_at = now + self._pause
                self._pause = min(_LONGEST_PAUSE, 2 * self._pause)
            self._trial = 0.0
        elif busy < BUSY:
            self.lanes = self._most
        elif self.lanes > self._fewest and now >= self._try_at:
            self._trial, self._more = rate * AS_GOOD, self.lanes
            self.lanes = self._fewest
