"""Workers: the threads of a transfer, each of which moves one part at a time.

Not to be confused with the worker process that carries out an import (``imports/worker.py``):
that process runs one transfer, and the transfer runs these threads.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from llm_widgets.errors import ManagerError
from llm_widgets.transfer.retry import Stopped
from llm_widgets.transfer.worker_connections import WorkerConnections

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.transfer.options import Options
    from llm_widgets.transfer.part_queue import PartQueue, QueuedPart

BUSY = 0.5
"""Seconds of processor time per second from which on the processor may be the bottleneck."""

AS_GOOD = 0.95
"""Share of the rate of many workers that few must reach to be preferred."""

_FIRST_PAUSE = 4.0
_LONGEST_PAUSE = 120.0
"""Seconds between two trials of the other number of workers, at first and at most."""

_END_WITHIN = 2.0
"""Seconds that workers are given to notice a stop."""


class WorkerCount:
    """Decides how many workers run.

    Where every connection is slow, all workers are needed. Where the network is faster than the
    processor, few workers hinder each other least. It begins with few; while the processor is busy
    the other number is tried now and then, more and more seldom where that does not pay.

    Parameters
    ----------
    fewest, most
        The two numbers of workers between which it chooses.

    Attributes
    ----------
    workers
        How many are to run now.
    """

    def __init__(self, fewest: int, most: int) -> None:
        self._fewest = min(fewest, most)
        self._most = most
        self._trial = 0.0  # the rate that the other number has to reach; 0 while none is tried
        self._before = 0
        self._try_at: float | None = None
        self._pause = _FIRST_PAUSE
        self.workers = self._fewest

    def measured(self, rate: float, busy: float, now: float) -> None:
        """Record what all workers did since the last call, and set ``workers`` anew.

        Parameters
        ----------
        rate
            Bytes/s that they moved.
        busy
            Seconds of processor time per second.
        now
            Seconds of a monotonic clock.
        """
        if self._try_at is None:
            self._try_at = now + self._pause
        if self._trial:
            if rate < self._trial:
                self.workers = self._before
                self._pause = min(_LONGEST_PAUSE, 2 * self._pause)
            self._trial = 0.0
            self._try_at = now + self._pause
        elif busy < BUSY:
            self.workers = self._most
        elif now >= self._try_at:
            is_few = self.workers == self._fewest
            self._trial = rate / AS_GOOD if is_few else rate * AS_GOOD
            self._before = self.workers
            self.workers = self._most if is_few else self._fewest


class WorkerPool:
    """The workers of a transfer, as many as :class:`WorkerCount` decides.

    Parameters
    ----------
    failed
        Called with the error that ended a worker; it is expected to set ``stop``.
    """

    def __init__(
        self,
        queue: PartQueue,
        count: WorkerCount,
        options: Options,
        stop: threading.Event,
        failed: Callable[[Exception], None],
    ) -> None:
        self._queue = queue
        self._count = count
        self._options = options
        self._stop = stop
        self._failed = failed
        self._ended = threading.Condition()
        self._running: dict[int, threading.Thread] = {}

    def run(self, bytes_done: Callable[[], int]) -> None:
        """Move all parts; return when all workers are done, or were stopped.

        Parameters
        ----------
        bytes_done
            Returns how many bytes have arrived so far.
        """
        self._start_wanted()
        before, since, used = bytes_done(), time.monotonic(), time.process_time()
        while not self._all_end_within(self._options.measure_every) and not self._stop.is_set():
            now = time.monotonic()
            rate = (bytes_done() - before) / (now - since)
            busy = (time.process_time() - used) / (now - since)
            self._count.measured(rate, busy, now)
            self._start_wanted()
            before, since, used = bytes_done(), now, time.process_time()
        # A worker in the middle of a stalled connection notices only when that times out.
        self._all_end_within(_END_WITHIN)

    def _start_wanted(self) -> None:
        """Start the workers that are wanted and not running; surplus ones end by themselves."""
        with self._ended:
            for number in range(self._count.workers):
                if number not in self._running:
                    thread = threading.Thread(
                        target=self._run_worker,
                        args=(number,),
                        name=f"transfer-{number}",
                        daemon=True,
                    )
                    self._running[number] = thread
                    thread.start()

    def _all_end_within(self, seconds: float) -> bool:
        with self._ended:
            return self._ended.wait_for(lambda: not self._running, seconds)

    def _run_worker(self, number: int) -> None:
        worker = WorkerConnections(self._options)
        try:
            _WorkerLoop(worker, self._queue, lambda: number < self._count.workers).run()
        except Stopped:
            with suppress(Stopped, ManagerError):
                worker.confirm_deferred()  # what is stored need not be moved again
        except Exception as error:  # noqa: BLE001 - it is raised again by the transfer
            self._failed(error)
        finally:
            worker.close()
            with self._ended:
                del self._running[number]
                self._ended.notify_all()


class _WorkerLoop:
    """What one worker does: part after part, each requested while the one before still arrives.

    A worker moves its parts in the order in which it took them, also a prefetched one. So the
    part that was taken first of those that are not finished waits for no other one.
    """

    def __init__(
        self, worker: WorkerConnections, queue: PartQueue, is_wanted: Callable[[], bool]
    ) -> None:
        self._worker = worker
        self._queue = queue
        self._is_wanted = is_wanted
        self._next: QueuedPart | None = None

    def run(self) -> None:
        """Move parts until there are no more, or the worker is no longer wanted."""
        while queued := self._next or self._take():
            self._next = None
            queued.transfer.move(self._worker, queued.part, self._prefetch)
            self._queue.done(queued)
        self._worker.confirm_deferred()

    def _take(self) -> QueuedPart | None:
        return self._queue.take(self._worker.writing) if self._is_wanted() else None

    def _prefetch(self) -> None:
        if self._next or not self._is_wanted():
            return
        self._next = self._queue.take_ready()
        if self._next:
            self._next.transfer.prefetch(self._worker, self._next.part)
