"""Rates: how many calls of a kind a project may make a minute."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_cloud.errors import ApiError, error_info

if TYPE_CHECKING:
    from local_cloud.faults import Faults
    from local_cloud.store import Store

_MINUTE = 60.0


@dataclass(frozen=True)
class Rate:
    """A quota of calls, in the words of the API that has it."""

    metric: str
    title: str
    limit: str
    limit_title: str


_LOG_READS = Rate(
    "logging.googleapis.com/read_requests",
    "Read requests",
    "ReadRequestsPerMinutePerProject",
    "Read requests per minute",
)
_RUN_READS = Rate(
    "run.googleapis.com/read_requests",
    "Read requests",
    "ReadRequestsPerMinutePerProjectRegion",
    "Read requests per minute per region",
)
_RUN_WRITES = Rate(
    "run.googleapis.com/write_requests",
    "Write requests",
    "WriteRequestsPerMinutePerProjectRegion",
    "Write requests per minute per region",
)

METRICS = tuple(rate.metric for rate in (_LOG_READS, _RUN_READS, _RUN_WRITES))
"""Names of the rates that can be limited."""


class Rates:
    """Counts calls, and refuses those that are too many.

    Parameters
    ----------
    store
        Holds the numbers of projects.
    faults
        Says which rates are limited, and to how many calls a minute.

    """

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store = store
        self._faults = faults
        self._lock = threading.Lock()
        self._calls: dict[tuple[str, str], deque[float]] = {}

    def require(self, api: str, method: str, project: str, resource: str) -> None:
        """Count a call, or raise `ApiError` as too many were made within a minute.

        Parameters
        ----------
        api, method
            Such as ``logging.googleapis.com`` and ``ListLogEntries``.
        project
            Whose quota it is.
        resource
            What is called; a region in it has a count of its own.

        """
        rate = _rate(api, method)
        most = self._faults.rates.get(rate.metric) if rate else None
        if rate is None or most is None:
            return
        now = time.monotonic()
        place = f"{project}/{_region(resource)}" if rate is not _LOG_READS else project
        with self._lock:
            made = self._calls.setdefault((rate.metric, place), deque())
            while made and made[0] <= now - _MINUTE:
                made.popleft()
            if len(made) < most:
                made.append(now)
                return
        raise self._exceeded(rate, api, project, most)

    def _exceeded(self, rate: Rate, api: str, project: str, most: int) -> ApiError:
        number = (self._store.get("project", project) or {"number": project})["number"]
        return ApiError(
            "RESOURCE_EXHAUSTED",
            f"Quota exceeded for quota metric '{rate.title}' and limit '{rate.limit_title}' of "
            f"service '{api}' for consumer 'project_number:{number}'.",
            [
                error_info(
                    "RATE_LIMIT_EXCEEDED",
                    "googleapis.com",
                    service=api,
                    consumer=f"projects/{number}",
                    quota_metric=rate.metric,
                    quota_limit=rate.limit,
                    quota_limit_value=str(most),
                )
            ],
        )


def _rate(api: str, method: str) -> Rate | None:
    """Return what a call counts against."""
    if api == "logging.googleapis.com":
        return _LOG_READS if method == "ListLogEntries" else None
    if api == "run.googleapis.com":
        return _RUN_READS if method.startswith(("Get", "List", "Test")) else _RUN_WRITES
    return None


def _region(resource: str) -> str:
    parts = resource.split("/")
    return parts[3] if len(parts) > 3 and parts[2] == "locations" else ""  # noqa: PLR2004 - projects/P/locations/R
