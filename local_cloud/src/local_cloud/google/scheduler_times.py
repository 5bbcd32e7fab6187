"""When jobs of Cloud Scheduler run: a thread that sleeps until the next one is due."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from google.cloud import scheduler_v1

from local_cloud.google import cron
from local_cloud.google.gapic import as_message
from local_cloud.printing import report

if TYPE_CHECKING:
    from google.rpc import status_pb2

    from local_cloud.faults import Faults
    from local_cloud.google.records import Records
    from local_cloud.google.scheduler_calls import Calls
    from local_cloud.store import Store

_ENABLED: Any = scheduler_v1.Job.State.ENABLED  # Any: the members are numbers to the type checker
_LONGEST_SLEEP = 3600.0
"""Seconds after which the clock is looked at again: it may have been set."""


class Times:
    """Runs each job at its time, again where it failed, and never twice at once.

    Parameters
    ----------
    store, jobs
        Hold the jobs; each says when it runs next.
    faults
        Says how far the clock is ahead of this machine's.
    calls
        Sends the requests.

    """

    def __init__(
        self, store: Store, jobs: Records[scheduler_v1.Job], faults: Faults, calls: Calls
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._faults = faults
        self._calls = calls
        self._wake = threading.Event()
        self._lock = threading.Lock()  # guards _under_way
        self._under_way: set[str] = set()
        self._failed: dict[str, int] = {}
        self._stopping = False
        faults.on_change(self.look)

    def now(self) -> datetime:
        """Return the time by the clock of Cloud Scheduler."""
        return datetime.now(UTC) + timedelta(seconds=self._faults.schedule_ahead)

    def plan(self, job: scheduler_v1.Job) -> None:
        """Write into a job when it runs next; nothing where it does not."""
        following = cron.read(job.schedule, job.time_zone).after(self.now())
        if job.state == _ENABLED and following:
            job.schedule_time = following
        else:
            as_message(job).ClearField("schedule_time")

    def start(self) -> None:
        """Run what is due from now on; what was due while nothing ran comes first."""
        threading.Thread(target=self._run, name="scheduler", daemon=True).start()

    def stop(self) -> None:
        """Run nothing more; what is under way is let go."""
        self._stopping = True
        self.look()

    def look(self) -> None:
        """Look again which job is next."""
        self._wake.set()

    def begin(self, name: str) -> None:
        """Run a job now, in the background."""
        with self._lock:
            self._under_way.add(name)
        threading.Thread(target=self._attempt, args=(name,), name="scheduled", daemon=True).start()

    def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                soonest = self._begin_due()
            except Exception as error:
                # The store is closed under us when the local cloud stops: nothing to tell then.
                if self._stopping:
                    return
                report(error)
                raise
            self._wake.wait(min(soonest.total_seconds(), _LONGEST_SLEEP))

    def _begin_due(self) -> timedelta:
        """Begin what is due; return how long it is until the next job."""
        with self._lock:
            under_way = set(self._under_way)
        now, soonest = self.now(), timedelta.max
        for job in self._jobs.list():
            if not job.schedule_time or job.name in under_way:
                continue
            if job.schedule_time <= now:
                self.begin(job.name)
            else:
                soonest = min(soonest, job.schedule_time - now)
        return soonest

    def _attempt(self, name: str) -> None:
        try:
            job = self._jobs.get(name)
            if job is not None:
                started = self.now()
                status = self._calls.send(job)
                if not self._stopping:
                    self._note(name, started, status)
        except Exception as error:
            # The store is closed under us when the local cloud stops: nothing to tell then.
            if not self._stopping:
                report(error)
                raise
        finally:
            with self._lock:
                self._under_way.discard(name)
            self._wake.set()

    def _note(self, name: str, started: datetime, status: status_pb2.Status) -> None:
        """Keep how an attempt ended, and when the job runs next."""
        with self._store.transaction():
            job = self._jobs.get(name)
            if job is None:  # deleted meanwhile
                return
            job.last_attempt_time, job.status = started, status
            self.plan(job)
            tried = self._failed.pop(name, 0)
            if status.code and tried < job.retry_config.retry_count and job.state == _ENABLED:
                self._failed[name] = tried + 1
                again = self.now() + _wait(job.retry_config, tried)
                job.schedule_time = min(job.schedule_time, again) if job.schedule_time else again
            self._jobs.put(name, job)


def _wait(retry: scheduler_v1.RetryConfig, tried: int) -> timedelta:
    """Return how long to wait after so many attempts that failed before."""
    longer: timedelta = retry.min_backoff_duration * 2 ** min(tried, retry.max_doublings)
    longest: timedelta = retry.max_backoff_duration
    return min(longer, longest)
