"""What Cloud Run measures of a revision."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from local_cloud.metrics import MINUTE, PREFIX
from local_cloud.runner.process import cpu_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local_cloud.metrics import MetricBook


class Meter:
    """Measures one revision.

    Parameters
    ----------
    book
        Where it is written.
    resource
        The ``MonitoredResource`` of the revision, as JSON.

    """

    def __init__(self, book: MetricBook, resource: Mapping[str, object]) -> None:
        self._book = book
        self._resource = resource
        self._under_way = 0
        self._lock = threading.Lock()

    def began(self) -> None:
        """Take note of a request that an instance is at."""
        with self._lock:
            self._under_way += 1

    def ended(self) -> None:
        """Take note of its end."""
        with self._lock:
            self._under_way -= 1

    def request(self, status: int, seconds: float) -> None:
        """Count a request that was answered, also one that no instance saw."""
        labels = {"response_code": str(status), "response_code_class": f"{status // 100}xx"}
        self._record("request_count", 1, labels)
        self._record("request_latencies", seconds * 1000, labels)

    def started(self, seconds: float) -> None:
        """Take note of how long an instance took to start."""
        self._record("container/startup_latencies", seconds * 1000, {})

    def instance(self, at: float) -> None:
        """Count the one instance as active while it has a request, as idle otherwise."""
        for state, is_so in (("active", self._under_way > 0), ("idle", self._under_way <= 0)):
            self._book.record(
                f"{PREFIX}container/instance_count",
                int(is_so),
                self._resource,
                {"state": state},
                at=at,
            )

    def billed(self, seconds: float) -> None:
        """Add to the time that the instance is billed for, start and idle time included."""
        self._record("container/billable_instance_time", seconds, {})

    def used(self, what: str, share: float) -> None:
        """Take a look at how much of ``cpu`` or ``memory`` is used, as a share of the limit."""
        self._record(f"container/{what}/utilizations", share, {})

    def _record(self, metric: str, value: float, labels: Mapping[str, str]) -> None:
        self._book.record(PREFIX + metric, value, self._resource, labels)


class Gauges:
    """Looks at an instance's process once in a while.

    Parameters
    ----------
    pid
        The process whose descendants are the instance.
    cpu, memory
        Limits: processors and bytes.

    """

    def __init__(self, meter: Meter, pid: int, *, cpu: float, memory: int) -> None:
        self._meter = meter
        self._pid = pid
        self._cpu = cpu
        self._memory = memory
        self._next_count = time.time()
        self._seen = (time.monotonic(), cpu_seconds(pid))

    def look(self, memory_used: int) -> None:
        """Measure; the instance itself is counted once a minute, as Cloud Run does."""
        self._meter.used("memory", memory_used / self._memory)
        (before, spent_before), (now, spent) = (
            self._seen,
            (time.monotonic(), cpu_seconds(self._pid)),
        )
        self._meter.billed(now - before)
        if now > before:
            # A child that has ended takes its time with it.
            self._meter.used("cpu", max(0.0, spent - spent_before) / (now - before) / self._cpu)
        self._seen = now, spent
        while self._next_count <= time.time():
            self._meter.instance(self._next_count)
            self._next_count += MINUTE
