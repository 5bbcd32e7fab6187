"""Aggregation of time series as Cloud Monitoring does it: in time first, then across series.

A point belongs to the period in which it ends; Google divides a point that overlaps two periods.
Distributions stay distributions until a percentile, a mean or a count is taken of them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import reduce
from statistics import fmean
from typing import TYPE_CHECKING, Any, cast

from google.cloud.monitoring_v3.types import Aggregation

from local_cloud.errors import ApiError
from local_cloud.metrics import Histogram, Point, Series, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Aligner = Aggregation.Aligner
Reducer = Aggregation.Reducer

_SHORTEST = 60.0  # seconds of a period
_PERCENTILES = {"99": 0.99, "95": 0.95, "50": 0.5, "05": 0.05}


@dataclass(frozen=True, slots=True)
class Aligned:
    """A series of answers: its values have one kind and type, whatever the metric's are."""

    series: Series
    kind: str
    value: str

    @classmethod
    def raw(cls, series: Series) -> Aligned:
        """Return a series as it was measured."""
        return cls(series, series.descriptor.kind, series.descriptor.value)


@dataclass(frozen=True, slots=True)
class _Step:
    """How values become one, for which kinds and types, and what comes out."""

    take: Callable[[Sequence[Any], float], Value]
    kinds: tuple[str, ...]
    types: tuple[str, ...]
    kind: str = "GAUGE"
    value: str = "DOUBLE"


def _sum(values: Sequence[Value]) -> Value:
    # All values of a series are of one type.
    if isinstance(values[0], Histogram):
        return reduce(Histogram.merged, cast("Sequence[Histogram]", values))
    return sum(cast("Sequence[float]", values))


def _mean(values: Sequence[Value]) -> float:
    total = _sum(values)
    return total.mean if isinstance(total, Histogram) else total / len(values)


def _percentile(share: float) -> Callable[[Sequence[Any], float], Value]:
    def take(values: Sequence[Any], _seconds: float) -> Value:
        if not isinstance(values[0], Histogram):
            return float(sorted(values)[max(0, math.ceil(share * len(values)) - 1)])
        whole: Histogram = reduce(Histogram.merged, values)
        return whole.percentile(share)

    return take


_BOTH = ("GAUGE", "DELTA")
_NUMBERS = ("INT64", "DOUBLE")
_ANY = (*_NUMBERS, "DISTRIBUTION")
_ALIGNERS = {
    "ALIGN_DELTA": _Step(lambda v, _: _sum(v), ("DELTA",), _ANY, "DELTA", ""),
    "ALIGN_RATE": _Step(lambda v, seconds: sum(v) / seconds, ("DELTA",), _NUMBERS),
    "ALIGN_MIN": _Step(lambda v, _: min(v), ("GAUGE",), _NUMBERS, "GAUGE", ""),
    "ALIGN_MAX": _Step(lambda v, _: max(v), ("GAUGE",), _NUMBERS, "GAUGE", ""),
    "ALIGN_MEAN": _Step(lambda v, _: fmean(v), ("GAUGE",), _NUMBERS),
    "ALIGN_SUM": _Step(lambda v, _: _sum(v), _BOTH, _ANY, "", ""),
    "ALIGN_COUNT": _Step(lambda v, _: len(v), _BOTH, _ANY, "", "INT64"),
    **{
        f"ALIGN_PERCENTILE_{name}": _Step(_percentile(share), _BOTH, ("DISTRIBUTION",))
        for name, share in _PERCENTILES.items()
    },
}
_REDUCERS = {
    "REDUCE_SUM": _Step(lambda v, _: _sum(v), _BOTH, _ANY, "", ""),
    "REDUCE_MIN": _Step(lambda v, _: min(v), _BOTH, _NUMBERS, "", ""),
    "REDUCE_MAX": _Step(lambda v, _: max(v), _BOTH, _NUMBERS, "", ""),
    "REDUCE_MEAN": _Step(lambda v, _: _mean(v), _BOTH, _ANY, ""),
    "REDUCE_COUNT": _Step(lambda v, _: len(v), _BOTH, _ANY, "", "INT64"),
    **{
        f"REDUCE_PERCENTILE_{name}": _Step(_percentile(share), _BOTH, _ANY, "")
        for name, share in _PERCENTILES.items()
    },
}


def aggregated(
    found: Iterable[Series], aggregation: Aggregation, start: float, end: float
) -> list[Aligned]:
    """Align series and put them together, as asked.

    Parameters
    ----------
    start, end
        The interval, seconds since 1970; periods are counted back from its end.

    Raises
    ------
    ApiError
        INVALID_ARGUMENT, where an aligner or a reducer does not go with the metric;
        UNIMPLEMENTED, for one that is not known here.

    """
    series = [Aligned.raw(each) for each in found]
    aligner, reducer = aggregation.per_series_aligner, aggregation.cross_series_reducer
    if aligner == Aligner.ALIGN_NONE:
        if reducer != Reducer.REDUCE_NONE:
            raise _invalid(
                "aggregation.perSeriesAligner",
                "it is required where there is a crossSeriesReducer",
            )
        return series
    period = aggregation.alignment_period.total_seconds()
    if period < _SHORTEST:
        raise _invalid("aggregation.alignmentPeriod", "the period must be at least 60 seconds")
    aligned = [
        part
        for each in series
        if (part := _aligned(each, _step(_ALIGNERS, aligner, each), period, start, end))
    ]
    if reducer == Reducer.REDUCE_NONE:
        return aligned
    groups: dict[tuple[tuple[str, str], ...], list[Aligned]] = defaultdict(list)
    for each in aligned:
        groups[_group(each.series, aggregation.group_by_fields)].append(each)
    return [_reduced(key, group, reducer, period) for key, group in groups.items()]


def _aligned(each: Aligned, step: _Step, period: float, start: float, end: float) -> Aligned | None:
    periods: dict[float, list[Value]] = defaultdict(list)
    for point in each.series.points:
        moment = end - math.floor((end - point.end) / period) * period
        if start < moment <= end:
            periods[moment].append(point.value)
    kind = step.kind or each.kind
    points = tuple(
        Point(moment if kind == "GAUGE" else moment - period, moment, step.take(values, period))
        for moment, values in sorted(periods.items())
    )
    if not points:
        return None
    return Aligned(replace(each.series, points=points), kind, step.value or each.value)


def _reduced(
    key: tuple[tuple[str, str], ...], group: Sequence[Aligned], reducer: Reducer, period: float
) -> Aligned:
    step = _step(_REDUCERS, reducer, group[0])
    moments: dict[tuple[float, float], list[Value]] = defaultdict(list)
    for each in group:
        for point in each.series.points:
            moments[point.start, point.end].append(point.value)
    labels: dict[str, dict[str, str]] = {"metric": {}, "resource": {}}
    for name, value in key:
        place, _, label = name.partition(".")
        labels[place][label] = value
    first = group[0]
    project = first.series.resource_labels["project_id"]
    reduced = Series(
        first.series.metric,
        labels["metric"],
        first.series.resource,
        {"project_id": project, **labels["resource"]},
        tuple(
            Point(*moment, step.take(values, period)) for moment, values in sorted(moments.items())
        ),
    )
    return Aligned(reduced, step.kind or first.kind, step.value or first.value)


def _group(series: Series, fields: Iterable[str]) -> tuple[tuple[str, str], ...]:
    found = []
    for field in fields:
        match field.split("."):
            case ["metric", "label" | "labels", name]:
                found.append((f"metric.{name}", series.labels.get(name, "")))
            case ["resource", "label" | "labels", name]:
                found.append((f"resource.{name}", series.resource_labels.get(name, "")))
            case ["resource", "type"] | ["project"]:
                pass  # all that are found have the same one
            case _:
                raise _invalid("aggregation.groupByFields", f"'{field}' can't be grouped by")
    return tuple(found)


def _step(known: dict[str, _Step], wanted: Aligner | Reducer, each: Aligned) -> _Step:
    step = known.get(wanted.name)
    if step is None:
        raise ApiError("UNIMPLEMENTED", f"{wanted.name} is not known here.")
    if each.kind not in step.kinds or each.value not in step.types:
        raise _invalid(
            "aggregation",
            f"{wanted.name} cannot be applied to metrics with kind {each.kind} and value type "
            f"{each.value}",
        )
    return step


def _invalid(field: str, reason: str) -> ApiError:
    return ApiError("INVALID_ARGUMENT", f"Field {field} had an invalid value: {reason}.")
