"""Decides how many lanes are at work: all of them, unless the processor does better with few."""

from __future__ import annotations

BUSY = 0.5
"""Seconds of processor time a second from which on it may be the processor that limits."""

AS_GOOD = 0.95
"""Part of the rate of more lanes that few must reach to be preferred."""

_FIRST_PAUSE = 4.0
_LONGEST_PAUSE = 120.0


class LaneCount:
    """Finds the number of lanes.

    Where every connection is slow, all lanes are needed. Where the line is faster than the
    processor, few lanes hinder each other least. It begins with few; while the processor is busy
    the other number is tried now and then, more and more seldom where that does not pay.

    Parameters
    ----------
    fewest, most
        Lanes at the least and at the most.

    Attributes
    ----------
    lanes
        How many are to be at work now.
    """

    def __init__(self, fewest: int, most: int) -> None:
        self._fewest = min(fewest, most)
        self._most = most
        self._trial = 0.0  # the rate that the other number has to reach; 0 while none is tried
        self._before = 0
        self._try_at: float | None = None
        self._pause = _FIRST_PAUSE
        self.lanes = self._fewest

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
        if self._try_at is None:
            self._try_at = now + self._pause
        if self._trial:
            if rate < self._trial:
                self.lanes = self._before
                self._pause = min(_LONGEST_PAUSE, 2 * self._pause)
            self._trial = 0.0
            self._try_at = now + self._pause
        elif busy < BUSY:
            self.lanes = self._most
        elif now >= self._try_at:
            is_few = self.lanes == self._fewest
            self._trial = rate / AS_GOOD if is_few else rate * AS_GOOD
            self._before = self.lanes
            self.lanes = self._most if is_few else self._fewest
