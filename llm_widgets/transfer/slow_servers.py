"""Detection of slow servers of a content network: a new connection often reaches a faster one."""

from __future__ import annotations

import threading
import time
from collections import deque

MEMORY = 20.0
"""Seconds for which an observed rate counts."""

TOO_SLOW = 0.4
"""A connection slower than this share of the best rate is dropped."""

WORTH_IT = 0.7
"""Seconds of work that must remain for a new connection to pay."""

CHECK_INTERVAL = 0.4
"""Seconds between two checks of a connection's rate."""

MIN_SAMPLE = 2 << 20
"""Bytes of the smallest finished range whose rate is meaningful."""

MAX_RECONNECTS = 6
"""Most connections that are dropped for one part."""


class ServerRates:
    """The rates (bytes/s) that all workers have recently observed at one hub.

    A connection is compared with the best rate, not with a typical one: fast workers wait for slow
    ones and so contribute few samples, and the typical rate sinks to the slow one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: deque[tuple[float, float]] = deque(maxlen=300)

    def should_reconnect(self, rate: float, left: float, reconnects: int) -> bool:
        """Return whether to drop a connection and make a new one.

        Parameters
        ----------
        rate
            Bytes/s of the connection; it is remembered.
        left
            Bytes that it would still have to deliver.
        reconnects
            Connections that were dropped for this part already.
        """
        now = time.monotonic()
        with self._lock:
            self._seen.append((now, rate))
            best = max(seen for when, seen in self._seen if when > now - MEMORY)
        return reconnects < MAX_RECONNECTS and rate < TOO_SLOW * best and left > WORTH_IT * rate
