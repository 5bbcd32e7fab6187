"""What services have cost since the first of the month, and which of them run for nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from llm_widgets.domain.costs import COLUMNS, Costs, ServiceCost
from llm_widgets.gcp.client import parallel
from llm_widgets.gcp.observe import billing_time
from llm_widgets.gcp.observe.billing_time import Billed
from llm_widgets.gcp.project import prices
from llm_widgets.gcp.run import sizes
from llm_widgets.serving import cost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from llm_widgets.domain.prices import PriceList
    from llm_widgets.domain.services import InstanceSize, ServiceSummary
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.observe.billing_time import Place

DAY = timedelta(hours=24)
"""After this time without a request, instances that always run are warned of."""

_HOUR = 3600  # seconds
_BASED_ON = (
    "Instance time that Cloud Monitoring has (some minutes late) at today's prices; Cloud Billing "
    "is authoritative."
)


_BY_REQUEST = "Billed by request, at prices that are not looked at here."


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read of a project; ``None`` what could not be read."""

    listed: PriceList
    billed: Mapping[Place, Billed]
    idle: Mapping[Place, float] | None
    requests: Mapping[Place, float] | None
    sizes: Mapping[str, Mapping[tuple[str, str], InstanceSize | None] | None]
    now: datetime


def month(now: datetime) -> datetime:
    """Return when the month began, UTC."""
    return now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def costs(
    clients: Clients,
    project: str,
    services: Iterable[ServiceSummary],
    *,
    now: datetime | None = None,
) -> Costs:
    """Work out what services of a project have cost since the first of the month.

    Parameters
    ----------
    services
        Those that are looked at, all of the project.
    now
        The end of the time; the present when left out.

    Raises
    ------
    ManagerError
        For how long instances were billed may not be read: nothing is known then.
    """
    until = now or datetime.now(UTC)
    since, asked = month(until), tuple(services)
    billed = billing_time.billed(clients, project, since, until)
    reads: tuple[Callable[[], dict[Place, float]], ...] = (
        lambda: billing_time.idle_shares(clients, project, since, until),
        lambda: billing_time.requests(clients, project, until - DAY, until),
    )
    idle, requests = parallel.outcomes(lambda read: read(), reads)
    regions = {each.region for each in asked if (each.region, each.id) in billed}
    found = parallel.outcomes(
        lambda region: sizes.of_revisions(clients, project, region), sorted(regions)
    )
    known = _Known(
        prices.listed(clients, project),
        billed,
        idle.value,
        requests.value,
        {each.key: each.value for each in found},
        until,
    )
    made = Costs((_cost(each, known) for each in asked), COLUMNS)
    made.since, made.until = since, until
    refused = (
        ("Idle time", idle.error),
        ("Requests of the last day", requests.error),
        *((f"Sizes of revisions in {each.key}", each.error) for each in found),
    )
    made.notes = (
        known.listed.source,
        _BASED_ON,
        *_of_others(billed, asked),
        *(f"{what}: {error.message}" for what, error in refused if error),
    )
    return made


def _cost(service: ServiceSummary, known: _Known) -> ServiceCost:
    place = service.region, service.id
    billed = known.billed.get(place, Billed())
    of_region = known.sizes.get(service.region) or {}
    usage = [
        (of_region.get((service.id, revision)), seconds)
        for revision, seconds in billed.revisions.items()
    ]
    spent, is_all = cost.of_usage(known.listed, service.region, usage)
    hour = cost.of_service(known.listed, service)
    return ServiceCost(
        service.name,
        billed.seconds,
        spent,
        is_all,
        None if known.idle is None else known.idle.get(place),
        hour,
        service.min_instances,
        _is_unused(service, known),
        _BY_REQUEST if service.size and service.size.by_request else "",
    )


def _is_unused(service: ServiceSummary, known: _Known) -> bool | None:
    """Return whether instances ran for nobody for a day; ``None`` where that is not known."""
    if not service.min_instances:
        return False
    if known.requests is None or service.updated_at is None:
        return None
    is_settled = known.now - service.updated_at >= DAY
    return is_settled and not known.requests.get((service.region, service.id))


def _of_others(billed: Mapping[Place, Billed], asked: tuple[ServiceSummary, ...]) -> Iterable[str]:
    """Yield that there is more than the services that are looked at."""
    ours = {(each.region, each.id) for each in asked}
    others = [each.seconds for place, each in billed.items() if place not in ours and each.seconds]
    if others:
        named = "1 other service" if len(others) == 1 else f"{len(others)} other services"
        yield (
            f"Not in the total: {sum(others) / _HOUR:.1f} instance hours of {named} of the "
            "project, deleted or not deployed by this product."
        )
