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


_MEASURES = (
    _Measure("request_count", "Requests", "", 1, "ALIGN_DELTA", "REDUCE_SUM"),
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
            ("gpu/memory_utilizations", "GPU memory"),
            ("memory/utilizations", "Memory"),
            ("cpu/utilizations", "CPU"),
        )
    ),
)


def usage(clients: Clients, name: str, *, minutes: int = 60) -> Usage:
    """Measure the last minutes of a service, given its resource name.

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
    return Series(measure.label, measure.unit, tuple(sorted(points.items())))


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
