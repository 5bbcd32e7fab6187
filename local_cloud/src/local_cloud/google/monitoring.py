"""Cloud Monitoring v3: time series are read."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from google.api.distribution_pb2 import Distribution
from google.api.metric_pb2 import MetricDescriptor
from google.cloud.monitoring_v3.services.metric_service import MetricServiceClient
from google.cloud.monitoring_v3.types import (
    ListTimeSeriesRequest,
    ListTimeSeriesResponse,
    TimeSeries,
)

from local_cloud.errors import ApiError
from local_cloud.google.alignment import Aligned, aggregated
from local_cloud.google.gapic import Api, HttpRule
from local_cloud.google.permissions import Need
from local_cloud.google.series_filter import matcher, parse, wanted_metric
from local_cloud.metrics import METRICS, MINUTE, Histogram, Point, Series, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from local_cloud.access import Access
    from local_cloud.issuer import Caller
    from local_cloud.metrics import MetricBook

LARGEST_PAGE = 100_000  # points

CLIENT = MetricServiceClient
# The generated client has no REST transport to read these from.
HTTP = {"ListTimeSeries": (HttpRule("GET", "/v3/{name=projects/*}/timeSeries", ""),)}

API = Api(
    "monitoring.googleapis.com",
    lambda _name, request: Need("monitoring.timeSeries.list", request.name),
)


class Monitoring:
    """Answers ``ListTimeSeries`` of ``MetricService``.

    Parameters
    ----------
    metrics
        What was measured.
    access
        Tells one name of a project from another.

    """

    def __init__(self, metrics: MetricBook, access: Access) -> None:
        self._metrics = metrics
        self._access = access

    def list_time_series(
        self, request: ListTimeSeriesRequest, _caller: Caller
    ) -> ListTimeSeriesResponse:
        """Return a page of the series that a filter finds, of each the newest point first."""
        start, end = _interval(request)
        _refuse_the_unknown(request)
        wanted = parse(request.filter)
        metric, matches = wanted_metric(wanted), matcher(wanted)
        if metric not in METRICS:
            raise ApiError("NOT_FOUND", f"Cannot find metric(s) that match type = {metric!r}.")
        project = self._access.canonical(request.name).removeprefix("projects/")
        found = [
            replace(series, points=points)
            for series in self._metrics.series(project)
            if matches(series) and (points := tuple(within(series.points, start, end, time.time())))
        ]
        return _page(aggregated(found, request.aggregation, start, end), request)


def _interval(request: ListTimeSeriesRequest) -> tuple[float, float]:
    raw: Any = ListTimeSeriesRequest.pb(request).interval
    if not raw.HasField("end_time"):
        raise ApiError(
            "INVALID_ARGUMENT",
            "Field interval.endTime had an invalid value: the end time is required.",
        )
    end = raw.end_time.ToMicroseconds() / 1e6
    start = raw.start_time.ToMicroseconds() / 1e6 if raw.HasField("start_time") else end
    if start > end:
        raise ApiError(
            "INVALID_ARGUMENT",
            "Field interval.startTime had an invalid value: the start time is after the end time.",
        )
    return start, end


def _refuse_the_unknown(request: ListTimeSeriesRequest) -> None:
    if request.order_by:
        raise ApiError("INVALID_ARGUMENT", "Field orderBy must be empty.")
    if request.page_size < 0:
        raise ApiError("INVALID_ARGUMENT", "Field pageSize must not be negative.")
    if ListTimeSeriesRequest.pb(request).HasField("secondary_aggregation"):
        raise ApiError("UNIMPLEMENTED", "secondaryAggregation is not known here.")


def within(points: Iterable[Point], start: float, end: float, now: float) -> Iterator[Point]:
    """Yield the points that ended in a time.

    The minute of ``now`` still grows after its caller looked at the clock: it ends where the
    caller's time does.
    """
    under_way = now // MINUTE * MINUTE
    for point in points:
        if point.start == under_way and point.start < end < point.end:
            yield replace(point, end=end)
        elif start < point.end <= end or start == point.end == end:
            yield point


def _page(found: list[Aligned], request: ListTimeSeriesRequest) -> ListTimeSeriesResponse:
    """Return the part of the answer that a token stands before: a number of points."""
    headers_only = request.view == ListTimeSeriesRequest.TimeSeriesView.HEADERS
    if not (request.page_token or "0").isdecimal():
        raise ApiError("INVALID_ARGUMENT", "Field pageToken had an invalid value.")
    skipped = int(request.page_token or 0)
    room = min(request.page_size or LARGEST_PAGE, LARGEST_PAGE)
    place = 0
    response = ListTimeSeriesResponse()
    for each in found:
        newest_first = each.series.points[::-1]
        size = 1 if headers_only else len(newest_first)
        begin, end = max(0, skipped - place), min(size, skipped + room - place)
        if begin < end:
            points = () if headers_only else newest_first[begin:end]
            response.time_series.append(_time_series(each, points))
        place += size
    if place > skipped + room:
        response.next_page_token = str(skipped + room)
    if found:
        response.unit = _unit(found[0])
    return response


def _unit(each: Aligned) -> str:
    return each.series.descriptor.unit


def _time_series(each: Aligned, points: tuple[Point, ...]) -> TimeSeries:
    series: Series = each.series
    made = TimeSeries()
    raw = TimeSeries.pb(made)
    raw.metric.type = series.metric
    raw.metric.labels.update(series.labels)
    raw.resource.type = series.resource
    raw.resource.labels.update(series.resource_labels)
    raw.metric_kind = MetricDescriptor.MetricKind.Value(each.kind)
    raw.value_type = MetricDescriptor.ValueType.Value(each.value)
    for point in points:
        added = raw.points.add()
        added.interval.start_time.FromMicroseconds(round(point.start * 1e6))
        added.interval.end_time.FromMicroseconds(round(point.end * 1e6))
        _fill(added.value, each.value, point.value)
    return made


def _fill(typed: Any, kind: str, value: Value) -> None:
    if isinstance(value, Histogram):
        typed.distribution_value.CopyFrom(
            Distribution(
                count=value.count,
                mean=value.mean,
                sum_of_squared_deviation=value.squares,
                bucket_options={"explicit_buckets": {"bounds": value.bounds}},
                bucket_counts=value.counts,
            )
        )
    elif kind == "INT64":
        typed.int64_value = int(value)
    else:
        typed.double_value = value
