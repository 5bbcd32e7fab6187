"""For how long instances were billed, how long they were idle, and who was asked anything."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from llm_widgets.gcp.observe.time_series import Query, find, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from llm_widgets.gcp.client.clients import Clients

Place = tuple[str, str]
"""A service: its region, and its id."""

_SERVICE = "resource.labels.service_name"
_REGION = "resource.labels.location"
_REVISION = "resource.labels.revision_name"
_STATE = "metric.labels.state"
_SHORTEST = timedelta(minutes=1)  # of a period
# A caller who is refused is no use of the service: scanners, mostly.
_NOT_REFUSED = tuple(f'metric.labels.response_code!="{code}"' for code in (401, 403))


@dataclass(frozen=True, slots=True)
class Billed:
    """Seconds that instances of a service were billed for, by the id of the revision."""

    revisions: Mapping[str, float] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Of all revisions."""
        return sum(self.revisions.values())


def billed(clients: Clients, project: str, since: datetime, until: datetime) -> dict[Place, Billed]:
    """Return for how long instances of the services of a project were billed.

    Raises
    ------
    ManagerError
        It may not be read.
    """
    found: dict[Place, dict[str, float]] = defaultdict(dict)
    groups = (_SERVICE, _REGION, _REVISION)
    for labels, value in _totals(
        clients, project, "container/billable_instance_time", groups, since, until
    ):
        revisions = found[labels["location"], labels["service_name"]]
        name = labels["revision_name"]
        revisions[name] = revisions.get(name, 0.0) + value
    return {place: Billed(revisions) for place, revisions in found.items()}


def idle_shares(
    clients: Clients, project: str, since: datetime, until: datetime
) -> dict[Place, float]:
    """Return the share of their time that instances had no request, 0 to 1, by service.

    Cloud Run counts active and idle instances once a minute.

    Raises
    ------
    ManagerError
        It may not be read.
    """
    counts: dict[Place, dict[str, float]] = defaultdict(dict)
    groups = (_SERVICE, _REGION, _STATE)
    for labels, value in _totals(
        clients, project, "container/instance_count", groups, since, until
    ):
        states = counts[labels["location"], labels["service_name"]]
        states[labels["state"]] = states.get(labels["state"], 0.0) + value
    return {
        place: states.get("idle", 0.0) / sum(states.values())
        for place, states in counts.items()
        if sum(states.values())
    }


def requests(
    clients: Clients, project: str, since: datetime, until: datetime
) -> dict[Place, float]:
    """Return how many requests each service had that its policy let in; none had the others.

    Raises
    ------
    ManagerError
        It may not be read.
    """
    found: dict[Place, float] = defaultdict(float)
    for labels, value in _totals(
        clients, project, "request_count", (_SERVICE, _REGION), since, until, _NOT_REFUSED
    ):
        found[labels["location"], labels["service_name"]] += value
    return dict(found)


def _totals(  # noqa: PLR0917 - all that a total is of
    clients: Clients,
    project: str,
    metric: str,
    groups: tuple[str, ...],
    since: datetime,
    until: datetime,
    terms: tuple[str, ...] = (),
) -> Iterable[tuple[Mapping[str, str], float]]:
    """Yield the sum of a metric over a time, with the labels of each group."""
    query = Query(
        metric,
        since,
        until,
        # One period: it is counted back from the end, and no point lies before it.
        max(until - since, _SHORTEST),
        "ALIGN_SUM",
        "REDUCE_SUM",
        terms=terms,
        group_by=groups,
    )
    for series in find(clients, project, query, f"read what is billed in {project}"):
        labels = {
            **series.get("resource", {}).get("labels", {}),
            **series.get("metric", {}).get("labels", {}),
        }
        yield labels, sum(map(number, series.get("points", [])))
