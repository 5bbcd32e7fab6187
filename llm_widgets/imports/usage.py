"""Finds the services that use a model: they can read it, by a mount or from its bucket.

A service is its newest revision and the older ones that traffic or a tag leads to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from llm_widgets.gcp.run import locations, revisions, service_list
from llm_widgets.imports import reach

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.errors import ManagerError
    from llm_widgets.gcp.client import lazy
    from llm_widgets.gcp.client.clients import Clients

T = TypeVar("T")

_NAMED = 4  # regions in a sentence


@dataclass(frozen=True, slots=True)
class Usage:
    """The services that read a model.

    Attributes
    ----------
    services
        Full resource names, ordered.
    unanswered
        Regions that did not answer, with the error: services there are unknown.
    """

    services: tuple[str, ...]
    unanswered: tuple[tuple[str, ManagerError], ...] = ()

    @property
    def names(self) -> str:
        """The services for a sentence: ``chat (europe-west1), test (us-central1)``."""
        parts = (name.split("/") for name in self.services)
        return ", ".join(f"{part[-1]} ({part[3]})" for part in parts)

    @property
    def reason(self) -> ManagerError | None:
        """Why a region did not answer, the first of them; ``None`` where all have."""
        return self.unanswered[0][1] if self.unanswered else None

    @property
    def unknown(self) -> str:
        """The regions that did not answer, for a sentence: a few are named."""
        named = [region for region, _ in self.unanswered]
        if len(named) <= _NAMED:
            return ", ".join(named)
        return f"{', '.join(named[: _NAMED - 1])} and {len(named) - _NAMED + 1} other regions"


def services_with(
    clients: Clients, project: str, bucket: str, location: str, record: ModelRecord
) -> Usage:
    """Find the services of a project that read a model, whoever deployed them.

    Looks into all regions, that of the bucket among them.

    Parameters
    ----------
    location
        Region of the bucket.
    """
    (usage,) = usages(clients, project, [location], [(bucket, record)])
    return usage


def usages(
    clients: Clients,
    project: str,
    places: Iterable[str],
    wanted: Sequence[tuple[str, ModelRecord]],
) -> list[Usage]:
    """Find for each of several models the services that read it; each region is asked once.

    Parameters
    ----------
    places
        Locations of the buckets.
    wanted
        Bucket and model, of each.
    """
    if not wanted:
        return []

    def which(service: lazy.run_v2.Service) -> tuple[str, set[int]]:
        found = _revisions(clients, service)
        read = (
            number
            for number, each in enumerate(wanted)
            if any(reach.can_read(revision, *each) for revision in found)
        )
        return service.name, set(read)

    named, unanswered = _everywhere(clients, project, places, which)
    return [
        Usage(tuple(sorted(name for name, read in named if number in read)), unanswered)
        for number in range(len(wanted))
    ]


def services_on(clients: Clients, project: str, bucket: str, location: str) -> Usage:
    """Find the services of a project that read anything of a bucket."""

    def which(service: lazy.run_v2.Service) -> str | None:
        found = _revisions(clients, service)
        return service.name if any(reach.can_read_any(each, bucket) for each in found) else None

    named, unanswered = _everywhere(clients, project, [location], which)
    return Usage(tuple(sorted(named)), unanswered)


def _revisions(clients: Clients, service: lazy.run_v2.Service) -> list[reach.Revision]:
    return [service.template, *revisions.older_in_use(clients, service)]


def _everywhere(
    clients: Clients,
    project: str,
    places: Iterable[str],
    read: Callable[[lazy.run_v2.Service], T | None],
) -> tuple[list[T], tuple[tuple[str, ManagerError], ...]]:
    """Read something of all services, and tell the regions that did not answer."""
    own = (place for place in places if "-" in place)  # none of a bucket in several regions
    looked = dict.fromkeys((*locations.everywhere(clients, project), *own))
    found = service_list.all_by_region(clients, project, read, looked)
    answers = sorted((each for some in found for each in some), key=lambda each: each.key)
    return (
        [value for answer in answers for value in answer.value or ()],
        tuple((each.key, each.error) for each in answers if each.error),
    )
