"""What is measured of the local cloud's services: a value for each minute, for the last day.

It is kept in memory, and gone when the local cloud ends. The figures are those of the processes
that run here. Of GPUs there are none: what runs here for a service with a GPU uses the processor.
"""

from __future__ import annotations

import bisect
import math
import threading
import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MINUTE = 60.0  # seconds
KEPT_MINUTES = 24 * 60

PREFIX = "run.googleapis.com/"
# Upper bounds of the buckets of a distribution. Google's are others.
_SHARES = tuple(number / 100 for number in range(1, 101))
_MILLISECONDS = tuple(1.1**number for number in range(160))  # up to an hour


@dataclass(frozen=True, slots=True)
class Metric:
    """What Cloud Monitoring calls a metric descriptor.

    Attributes
    ----------
    kind
        ``DELTA`` or ``GAUGE``.
    value
        ``INT64``, ``DOUBLE`` or ``DISTRIBUTION``.
    bounds
        Upper bounds of the buckets of a distribution, the one without a bound left out.

    """

    kind: str
    value: str
    unit: str
    bounds: tuple[float, ...] = ()


METRICS = {
    f"{PREFIX}request_count": Metric("DELTA", "INT64", "1"),
    f"{PREFIX}request_latencies": Metric("DELTA", "DISTRIBUTION", "ms", _MILLISECONDS),
    f"{PREFIX}container/instance_count": Metric("GAUGE", "INT64", "1"),
    f"{PREFIX}container/startup_latencies": Metric("DELTA", "DISTRIBUTION", "ms", _MILLISECONDS),
    f"{PREFIX}container/billable_instance_time": Metric("DELTA", "DOUBLE", "s"),
    f"{PREFIX}container/cpu/utilizations": Metric("DELTA", "DISTRIBUTION", "10^2.%", _SHARES),
    f"{PREFIX}container/memory/utilizations": Metric("DELTA", "DISTRIBUTION", "10^2.%", _SHARES),
    f"{PREFIX}container/gpu/utilizations": Metric("DELTA", "DISTRIBUTION", "10^2.%", _SHARES),
    f"{PREFIX}container/gpu/memory_utilizations": Metric(
        "DELTA", "DISTRIBUTION", "10^2.%", _SHARES
    ),
}
"""Metrics of Cloud Run by their types. Source: Cloud Monitoring's list of metrics."""


@dataclass
class Histogram:
    """Values put into buckets.

    Attributes
    ----------
    counts
        One more than there are bounds: the last bucket has none.
    squares
        Sum of the squared deviations from the mean.

    """

    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    mean: float = 0.0
    squares: float = 0.0

    def __post_init__(self) -> None:
        """Begin with empty buckets."""
        self.counts = self.counts or [0] * (len(self.bounds) + 1)

    @property
    def count(self) -> int:
        """How many values there are."""
        return sum(self.counts)

    def add(self, value: float) -> None:
        """Put a value into its bucket."""
        self.counts[bisect.bisect_right(self.bounds, value)] += 1
        before, self.mean = self.mean, self.mean + (value - self.mean) / self.count
        self.squares += (value - before) * (value - self.mean)

    def merged(self, other: Histogram) -> Histogram:
        """Return the values of both."""
        count = self.count + other.count
        if not count:
            return self
        apart = other.mean - self.mean
        return Histogram(
            self.bounds,
            [one + two for one, two in zip(self.counts, other.counts, strict=True)],
            self.mean + apart * other.count / count,
            self.squares + other.squares + apart**2 * self.count * other.count / count,
        )

    def percentile(self, share: float) -> float:
        """Return the value below which this share of the values is, as near as the buckets tell."""
        wanted, below = share * self.count, 0
        edges = pairwise((0.0, *self.bounds, math.inf))
        for count, (low, high) in zip(self.counts, edges, strict=True):
            if count and below + count >= wanted:
                inside = (wanted - below) / count
                return low + (high - low) * inside if high < math.inf else low
            below += count
        return 0.0


Value = float | Histogram


@dataclass(frozen=True, slots=True)
class Point:
    """A value and the time that it is of, seconds since 1970; of a gauge both are the same."""

    start: float
    end: float
    value: Value


@dataclass(frozen=True, slots=True)
class Series:
    """The points of one metric with certain labels, in the order of time."""

    metric: str
    labels: Mapping[str, str]
    resource: str
    resource_labels: Mapping[str, str]
    points: tuple[Point, ...]

    @property
    def descriptor(self) -> Metric:
        """What the points mean."""
        return METRICS[self.metric]


_Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Key:
    metric: str
    labels: _Labels
    resource: str
    resource_labels: _Labels


class MetricBook:
    """All series. Safe to use from threads."""

    def __init__(self) -> None:
        self._series: dict[_Key, dict[int, Point]] = {}
        self._lock = threading.Lock()

    def record(
        self,
        metric: str,
        value: float,
        resource: Mapping[str, object],
        labels: Mapping[str, str] | None = None,
        *,
        at: float = 0.0,
    ) -> None:
        """Take a measurement: a count is added to its minute, a gauge replaces what was there.

        Parameters
        ----------
        metric
            One of `METRICS`.
        resource
            The ``MonitoredResource`` that was measured, as JSON.
        at
            When, in seconds since 1970; now when left out.

        """
        at = at or time.time()
        key = _Key(
            metric, _ordered(labels or {}), str(resource["type"]), _ordered(resource["labels"])
        )
        minute = int(at // MINUTE)
        with self._lock:
            points = self._series.setdefault(key, {})
            points[minute] = _grown(METRICS[metric], points.get(minute), value, at)
            for old in [each for each in points if each <= minute - KEPT_MINUTES]:
                del points[old]

    def series(self, project: str) -> list[Series]:
        """Return a project's series."""
        with self._lock:
            return [
                Series(
                    key.metric,
                    dict(key.labels),
                    key.resource,
                    dict(key.resource_labels),
                    tuple(points[minute] for minute in sorted(points)),
                )
                for key, points in self._series.items()
                if ("project_id", project) in key.resource_labels
            ]


def _grown(metric: Metric, before: Point | None, value: float, at: float) -> Point:
    """Return the point of a minute with one more measurement; points never change."""
    if metric.kind == "GAUGE":
        return Point(at, at, value)
    start, end = at // MINUTE * MINUTE, max(at, before.end if before else 0.0)
    if metric.value != "DISTRIBUTION":
        counted = before.value if before and isinstance(before.value, float) else 0.0
        return Point(start, end, counted + value)
    histogram = Histogram(metric.bounds)
    histogram.add(value)
    if before and isinstance(before.value, Histogram):
        histogram = before.value.merged(histogram)
    return Point(start, end, histogram)


def _ordered(labels: object) -> _Labels:
    assert isinstance(labels, dict)
    return tuple(sorted(labels.items()))
