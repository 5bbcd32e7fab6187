"""How a service is used, from Cloud Monitoring."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from llm_widgets.gcp.client import parallel
from llm_widgets.gcp.observe.filters import quoted
from llm_widgets.gcp.observe.time_series import Query, find, number

if TYPE_CHECKING:
    from llm_widgets.gcp.client.clients import Clients

PERIOD = timedelta(minutes=1)
"""Between two points. Cloud Run counts instances as often: in a longer period, one that went from
active to idle, or to the next revision, would count twice."""
MOST_POINTS = 360
"""Of a series: as many bars as can be told apart. Longer times have longer periods."""
LATENESS = timedelta(minutes=4)
"""After which Cloud Monitoring has what was measured."""

Points = tuple[tuple[datetime, float], ...]


@dataclass(frozen=True, slots=True)
class Series:
    """A measure over time; ``unit`` is one of ``""``, ``"s"``, ``"%"``."""

    label: str
    unit: str
    points: Points


@dataclass(frozen=True, slots=True)
class Usage:
    """What was measured from when to when, and what could not be had, in words for a person."""

    series: tuple[Series, ...]
    missing: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class _Measure:
    """A metric of Cloud Run, how its points and then its series are put together."""

    metric: str
    label: str
    unit: str
    factor: float
    aligner: str
    reducer: str
    is_sum: bool = False
    """Whether a longer period has the sum of its minutes, and not the highest of them."""


_MEASURES = (
    _Measure("request_count", "Requests", "", 1, "ALIGN_DELTA", "REDUCE_SUM", is_sum=True),
    _Measure(
        "request_latencies", "Latency, median", "s", 1e-3, "ALIGN_DELTA", "REDUCE_PERCENTILE_50"
    ),
    _Measure(
        "request_latencies",
        "Latency, 95th percentile",
        "s",
        1e-3,
        "ALIGN_DELTA",
        "REDUCE_PERCENTILE_95",
    ),
    _Measure("container/instance_count", "Instances", "", 1, "ALIGN_MAX", "REDUCE_SUM"),
    *(
        _Measure(f"container/{metric}", label, "%", 100, "ALIGN_PERCENTILE_99", "REDUCE_MAX")
        for metric, label in (
            ("gpu/utilizations", "GPU"),
            ("gpu/memory_utilizations", "GPU memory"),
            ("memory/utilizations", "Memory"),
            ("cpu/utilizations", "CPU"),
        )
    ),
    _Measure(
        "container/startup_latencies",
        "Startup latency, 95th percentile",
        "s",
        1e-3,
        "ALIGN_DELTA",
        "REDUCE_PERCENTILE_95",
    ),
    _Measure(
        "container/billable_instance_time",
        "Billable instance time",
        "s",
        1,
        "ALIGN_DELTA",
        "REDUCE_SUM",
        is_sum=True,
    ),
)


def usage(clients: Clients, name: str, *, minutes: int = 60) -> Usage:
    """Measure the last minutes of a service, given its resource name.

    Of a time longer than :data:`MOST_POINTS` minutes, each point tells of several.

    Raises
    ------
    ManagerError
        Nothing may be read.
    """
    now = datetime.now(UTC)
    since = now - timedelta(minutes=minutes)
    found = parallel.outcomes(
        lambda measure: _series(clients, name, measure, since, now), _MEASURES
    )
    refusals = [each.error for each in found if each.error]
    if len(refusals) == len(found):
        raise refusals[0]
    return Usage(
        tuple(each.value for each in found if each.value),
        ", ".join(each.key.label for each in found if each.error),
        since,
        now,
    )


def _series(
    clients: Clients, name: str, measure: _Measure, since: datetime, now: datetime
) -> Series:
    _, project, _, region, _, service_id = name.split("/")
    query = Query(
        measure.metric,
        since,
        now,
        PERIOD,
        measure.aligner,
        measure.reducer,
        terms=(
            f"resource.labels.service_name={quoted(service_id)}",
            f"resource.labels.location={quoted(region)}",
        ),
    )
    points = {
        datetime.fromisoformat(point["interval"]["endTime"]): number(point) * measure.factor
        for found in find(clients, project, query, f"read the metrics of {service_id}")
        for point in found.get("points", [])
    }
    if points and measure.metric == "request_count":
        points = _with_zeros(points, since, now - LATENESS)
    period = -(-(now - since) // (PERIOD * MOST_POINTS)) * PERIOD
    told = _together(points, since, period, is_sum=measure.is_sum)
    return Series(measure.label, measure.unit, tuple(sorted(told.items())))


def _together(
    points: dict[datetime, float], since: datetime, period: timedelta, *, is_sum: bool
) -> dict[datetime, float]:
    """Return one value for each period, at its end: the sum of its minutes, or the highest.

    A spike is not averaged away.
    """
    if period == PERIOD:
        return points
    found: dict[datetime, float] = {}
    for moment, value in points.items():
        end = since + -(-(moment - since) // period) * period
        before = found.get(end)
        if before is None:
            found[end] = value
        else:
            found[end] = before + value if is_sum else max(before, value)
    return found


def _with_zeros(
    points: dict[datetime, float], since: datetime, known_until: datetime
) -> dict[datetime, float]:
    """Return the values with the periods without a request: Cloud Run writes nothing then."""
    moment = min(points)
    moment -= (moment - since) // PERIOD * PERIOD
    zeros = {}
    while moment < known_until:
        zeros[moment] = 0.0
        moment += PERIOD
    return {**zeros, **points}
