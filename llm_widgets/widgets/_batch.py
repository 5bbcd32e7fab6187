"""Fewer messages: changes are gathered and sent at a steady pace.

Jupyter's server drops messages of a kernel above 1,000 a second or 1 MB a second, and the page
never learns of it; a stream of tokens or of progress reaches that easily.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Batch:
    """Calls ``flush`` soon after `touch`, but at most once every ``every`` seconds.

    Safe to use from several threads. The last change is always flushed: by a timer, when no
    later change comes.

    Parameters
    ----------
    flush
        Sends what has gathered. Called from the thread of `touch` or of the timer, never twice
        at a time.
    every
        Seconds between two flushes.
    """

    def __init__(self, flush: Callable[[], None], every: float) -> None:
        self._flush = flush
        self._every = every
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._due = 0.0
        self._timer: threading.Timer | None = None

    def touch(self) -> None:
        """Note that there is something to send."""
        with self._lock:
            if not self._is_due():
                return
            self._start_interval()
        self._run()

    def now(self) -> None:
        """Send at once."""
        with self._lock:
            self._start_interval()
        self._run()

    def _tick(self) -> None:
        """Send when the interval is over; it may have been started anew meanwhile."""
        with self._lock:
            self._timer = None
        self.touch()

    def _is_due(self) -> bool:
        """Return whether the interval is over; else the timer sees to the rest."""
        wait = self._due - time.monotonic()
        if wait > 0 and self._timer is None:
            self._timer = threading.Timer(wait, self._tick)
            self._timer.daemon = True
            self._timer.start()
        return wait <= 0

    def _start_interval(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._due = time.monotonic() + self._every

    def _run(self) -> None:
        with self._flushing:
            self._flush()
