"""How a service is used: from Cloud Monitoring, or from its own log where there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from llm_widgets.cloud import logs, packages, parallel
from llm_widgets.cloud.failures import explained
from llm_widgets.cloud.rest import call

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.cloud.clients import Clients

_HOST = "monitoring.googleapis.com"
_MOST_REQUESTS = 5000
STEPS = 30
"""Points of each series."""

Points = tuple[tuple[datetime, float], ...]


@dataclass(frozen=True, slots=True)
class Series:
    """A measure over time; ``unit`` is one of ``""``, ``"s"``, ``"%"``."""

    label: str
    unit: str
    points: Points


@dataclass(frozen=True, slots=True)
class Usage:
    """What was measured from when to when, and where that is from, in words for a person."""

    series: tuple[Series, ...]
    source: str
    since: datetime
    until: datetime


# Metric, label, unit, factor, how points and then instances are put together.
_MEASURES = (
    ("request_count", "Requests", "", 1.0, "ALIGN_DELTA", "REDUCE_SUM"),
    ("request_latencies", "Latency, median", "s", 1e-3, "ALIGN_PERCENTILE_50", "REDUCE_MAX"),
    ("request_latencies", "Latency, 95 %", "s", 1e-3, "ALIGN_PERCENTILE_95", "REDUCE_MAX"),
    ("container/instance_count", "Instances", "", 1.0, "ALIGN_MAX", "REDUCE_SUM"),
    (
        "container/gpu/memory_utilizations",
        "GPU memory",
        "%",
        100.0,
        "ALIGN_PERCENTILE_99",
        "REDUCE_MAX",
    ),
)


def usage(clients: Clients, name: str, *, minutes: int = 60) -> Usage:
    """Measure the last minutes of a service, given its resource name.

    Raises
    ------
    ManagerError
        Neither may be read.
    """
    now = datetime.now(UTC)
    since = now - timedelta(minutes=minutes)
    if clients.settings.is_local_cloud:
        return _from_log(clients, name, since, now)
    found = parallel.outcomes(
        lambda measure: _series(clients, name, measure, since, now), _MEASURES
    )
    refusals = [each.error for each in found if each.error]
    if len(refusals) == len(found):
        raise refusals[0]
    series = tuple(each.value for each in found if each.value)
    missing = [each.key[1] for each in found if each.error]
    told = f" Not to be had: {', '.join(missing)}." if missing else ""
    source = f"Cloud Monitoring; the GPU's figures come some minutes late.{told}"
    return Usage(series, source, since, now)


def _series(
    clients: Clients, name: str, measure: tuple[Any, ...], since: datetime, now: datetime
) -> Series:
    metric, label, unit, factor, aligner, reducer = measure
    _, project, _, region, _, service_id = name.split("/")
    terms = (
        f'metric.type="run.googleapis.com/{metric}"',
        f'resource.labels.service_name="{service_id}"',
        f'resource.labels.location="{region}"',
    )
    query = {
        "filter": " AND ".join(terms),
        "interval.startTime": since.isoformat(),
        "interval.endTime": now.isoformat(),
        "aggregation.alignmentPeriod": f"{max(60, int((now - since).total_seconds() / STEPS))}s",
        "aggregation.perSeriesAligner": aligner,
        "aggregation.crossSeriesReducer": reducer,
    }
    with explained(
        f"read the metrics of {service_id}",
        clients=clients,
        project=project,
        permission="monitoring.timeSeries.list",
    ):
        path = f"/v3/projects/{project}/timeSeries?{urlencode(query)}"
        try:
            answer = call(clients, "GET", _HOST, path)
        except packages.api_exceptions.NotFound:
            answer = {}  # nothing of that kind was ever measured in the project
    points = [
        (datetime.fromisoformat(point["interval"]["endTime"]), _value(point["value"]) * factor)
        for found in answer.get("timeSeries", [])
        for point in found.get("points", [])
    ]
    return Series(label, unit, tuple(sorted(points)))


def _value(value: dict[str, Any]) -> float:
    return float(value.get("doubleValue", value.get("int64Value", 0)))


def _from_log(clients: Clients, name: str, since: datetime, now: datetime) -> Usage:
    _, project, _, region, _, service_id = name.split("/")
    filter_ = logs.service_filter(region, service_id, since=since)
    log = f'logName="projects/{project}/logs/run.googleapis.com%2Frequests"'
    found = logs.entries(clients, project, f"{filter_} AND {log}", limit=_MOST_REQUESTS)
    seen = [
        (entry.time, seconds(str(entry.request.get("latency", ""))))
        for entry in found
        if entry.time and entry.request
    ]
    step = (now - since) / STEPS
    slots: list[list[float]] = [[] for _ in range(STEPS)]
    for time, latency in seen:
        slots[min(STEPS - 1, max(0, int((time - since) / step)))].append(latency)
    times = [since + step * (index + 1) for index in range(STEPS)]
    counts = tuple((time, float(len(slot))) for time, slot in zip(times, slots, strict=True))
    measured = [(time, slot) for time, slot in zip(times, slots, strict=True) if slot]
    middle = tuple((time, percentile(slot, 0.5)) for time, slot in measured)
    slow = tuple((time, percentile(slot, 0.95)) for time, slot in measured)
    return Usage(
        (
            Series("Requests", "", counts),
            Series("Latency, median", "s", middle),
            Series("Latency, 95 %", "s", slow),
        ),
        "The log of requests: the local cloud has no Cloud Monitoring.",
        since,
        now,
    )


def percentile(values: Iterable[float], share: float) -> float:
    """Give the smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def seconds(text: str) -> float:
    """Read a duration as JSON writes it: ``0.25s``."""
    return float(text.removesuffix("s") or 0)
