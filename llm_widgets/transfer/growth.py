"""Decides how many lanes are at work: twice as many for as long as that moves more."""

from __future__ import annotations

GAIN = 0.3
"""Part of what further lanes would bring on an idle line that they must bring in order to stay."""

_FIRST_PAUSE = 4.0
_LONGEST_PAUSE = 60.0


class Growth:
    """Finds the number of lanes by trying.

    On a fast line few lanes use the processor best, and a hub that throttles clients with many
    connections sees few; where every connection is slow, all lanes are needed. What was of no use
    is tried again later, for a line may change.

    Parameters
    ----------
    first, most
        Lanes in the beginning, and at the most.

    Attributes
    ----------
    lanes
        How many are to be at work now.
    """

    def __init__(self, first: int, most: int) -> None:
        self._most = most
        self._fewer = 0  # lanes before the trial that is on; 0 when none is
        self._before = 0.0
        self._try_at = 0.0
        self._pause = _FIRST_PAUSE
        self.lanes = min(first, most)

    def measured(self, rate: float, now: float) -> None:
        """Take note of a rate, and set :attr:`lanes` anew.

        Parameters
        ----------
        rate
            Bytes/s that all lanes moved together since the last call.
        now
            Seconds of a clock that never goes back.
        """
        if self._fewer:
            if rate < self._before * (1 + GAIN * (self.lanes / self._fewer - 1)):
                self.lanes = self._fewer
                self._try_at = now + self._pause
                self._pause = min(_LONGEST_PAUSE, 2 * self._pause)
            else:
                self._pause = _FIRST_PAUSE
            self._fewer = 0
        if now >= self._try_at and self.lanes < self._most:
            self._fewer, self._before = self.lanes, rate
            self.lanes = min(2 * self.lanes, self._most)
