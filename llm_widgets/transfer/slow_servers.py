"""Leaves the slow servers of a content network: a new connection often gets a faster one."""

from __future__ import annotations

import threading
import time
from collections import deque

MEMORY = 20.0
"""Seconds for which a rate that was seen counts."""

TOO_SLOW = 0.4
"""A connection slower than this part of the best one is left."""

WORTH_IT = 0.7
"""Seconds of work that must be left for a new connection to pay."""

FIRST_LOOK = 0.4
"""Seconds between two looks at a connection's rate."""

ENOUGH_TO_JUDGE = 2 << 20
"""Bytes from which on the rate of a finished range says something."""

REDRAWS = 6
"""Most connections that are left for one part."""


class Edges:
    """The rates (bytes/s) that all lanes have seen from one source lately.

    A connection is compared with the best rate, not with a typical one: fast lanes wait for slow
    ones and so give few samples, and the typical rate sinks to the slow one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: deque[tuple[float, float]] = deque(maxlen=300)

    def should_leave(self, rate: float, left: float, redraws: int) -> bool:
        """Tell whether to leave a connection.

        Parameters
        ----------
        rate
            Bytes/s that the connection gave; it is remembered.
        left
            Bytes that it would still have to give.
        redraws
            Connections that were left for this part already.
        """
        now = time.monotonic()
        with self._lock:
            self._seen.append((now, rate))
            best = max(seen for when, seen in self._seen if when > now - MEMORY)
        return redraws < REDRAWS and rate < TOO_SLOW * best and left > WORTH_IT * rate
