"""Time series of Cloud Run's services, as Cloud Monitoring aggregates them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from llm_widgets.domain import google_apis
from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.client.failures import explained
from llm_widgets.gcp.client.rest import call

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from llm_widgets.gcp.client.clients import Clients

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of a metric.

    Attributes
    ----------
    metric
        Its type without ``run.googleapis.com/``.
    terms
        Further terms of the filter.
    period
        Between two points.
    aligner, reducer
        How points and then series are put together, for example ``ALIGN_SUM``, ``REDUCE_SUM``.
    group_by
        Labels that stay apart, for example ``resource.labels.service_name``.
    """

    metric: str
    since: datetime
    until: datetime
    period: timedelta
    aligner: str
    reducer: str
    terms: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()


def find(clients: Clients, project: str, query: Query, doing: str) -> Sequence[Json]:
    """Return the series that answer a query, none where nothing of the kind was measured.

    Parameters
    ----------
    doing
        Goes on after "Can't", for example ``"read the metrics of my-service"``.

    Raises
    ------
    ManagerError
        They may not be read.
    """
    terms = (
        f'metric.type="run.googleapis.com/{query.metric}"',
        # Jobs and worker pools have some of these metrics, too.
        'resource.type="cloud_run_revision"',
        *query.terms,
    )
    asked = {
        "filter": " AND ".join(terms),
        "interval.startTime": query.since.isoformat(),
        "interval.endTime": query.until.isoformat(),
        "aggregation.alignmentPeriod": f"{query.period.total_seconds():.0f}s",
        "aggregation.perSeriesAligner": query.aligner,
        "aggregation.crossSeriesReducer": query.reducer,
        "aggregation.groupByFields": query.group_by,
    }
    found: list[Json] = []
    token = ""
    with explained(
        doing, clients=clients, project=project, permission="monitoring.timeSeries.list"
    ):
        while True:
            told = {**asked, **({"pageToken": token} if token else {})}
            path = f"/v3/projects/{project}/timeSeries?{urlencode(told, doseq=True)}"
            try:
                answer = call(clients, "GET", google_apis.MONITORING, path)
            except lazy.api_exceptions.NotFound:
                return []  # nothing of that kind was ever measured in the project
            found += answer.get("timeSeries", [])
            token = answer.get("nextPageToken", "")
            if not token:
                return found


def number(point: Json) -> float:
    """Return the value of a point."""
    value = point["value"]
    return float(value.get("doubleValue", value.get("int64Value", 0)))
