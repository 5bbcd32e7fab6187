"""Services in all regions at once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from llm_widgets.domain import adoption
from llm_widgets.domain import regions as all_regions
from llm_widgets.errors import DeniedError, NotFoundError
from llm_widgets.gcp.client import messages, parallel
from llm_widgets.gcp.run import locations, services
from llm_widgets.gcp.run.summaries import summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.errors import ManagerError
    from llm_widgets.gcp.client import lazy
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.client.parallel import Outcome

T = TypeVar("T")

PATIENCE = 10.0
"""Seconds after which Google's client gives a list call up, further attempts included: the region
counts as unreachable then."""


class Others(Enum):
    """Which of the services that this product does not manage are listed."""

    NONE = "none"
    RECOGNISED = "those that serve a model"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class ServiceListing:
    """Services of many regions.

    Attributes
    ----------
    unreachable
        Regions that did not answer, each with the reason: their services are not known.
    """

    services: tuple[ServiceSummary, ...]
    unreachable: tuple[tuple[str, ManagerError], ...]


def list_services(
    clients: Clients,
    project: str,
    regions: Iterable[str] = (),
    *,
    others: Others = Others.NONE,
) -> ServiceListing:
    """List the services that this product manages, and wait for all regions.

    Parameters
    ----------
    regions
        Where to look; everywhere when left out.
    others
        Which services of others are listed beside them.
    """
    found = [each for some in by_region(clients, project, regions, others=others) for each in some]
    listed = [service for each in found for service in each.value or ()]
    return ServiceListing(
        in_order(listed), tuple((each.key, each.error) for each in found if each.error)
    )


def by_region(
    clients: Clients,
    project: str,
    regions: Iterable[str] = (),
    *,
    others: Others = Others.NONE,
) -> Iterator[list[Outcome[str, tuple[ServiceSummary, ...]]]]:
    """List the services that this product manages as the regions answer, all asked at once.

    Parameters
    ----------
    regions
        Where to look; everywhere when left out.
    others
        Which services of others are listed beside them.

    Yields
    ------
    list
        The regions that have answered, each with its services or with why there are none: a
        region that fails or hangs holds up no other, and ends after :data:`PATIENCE`.
    """

    def wanted(service: lazy.run_v2.Service) -> ServiceSummary | None:
        if others is Others.NONE and not adoption.is_managed(service.labels):
            return None
        found = summary(service)
        is_wanted = found.managed or found.recognition or others is Others.ALL
        return found if is_wanted else None

    yield from all_by_region(clients, project, wanted, regions)


def all_by_region(
    clients: Clients,
    project: str,
    read: Callable[[lazy.run_v2.Service], T | None],
    regions: Iterable[str] = (),
) -> Iterator[list[Outcome[str, tuple[T, ...]]]]:
    """Read something of all services, whoever deployed them; see :func:`by_region`.

    Parameters
    ----------
    read
        Gives what is wanted of a service, ``None`` to leave it out.
    """

    def in_region(region: str) -> tuple[T, ...]:
        try:
            found = services.all_in_region(clients, project, region)
        except (DeniedError, NotFoundError) as error:
            if messages.is_a_closed_region(error.cause):
                return ()
            raise
        return tuple(each for service in found if (each := read(service)) is not None)

    wanted = tuple(regions)
    # Those with GPUs first: most services are there.
    yield from parallel.as_they_come(in_region, wanted or all_regions.offered())
    if not wanted:
        yield from parallel.as_they_come(in_region, locations.newer(clients, project))


def in_order(found: Iterable[ServiceSummary]) -> tuple[ServiceSummary, ...]:
    """Sort services by their ids, those of the same id by their regions."""
    return tuple(sorted(found, key=lambda service: (service.id, service.region)))
