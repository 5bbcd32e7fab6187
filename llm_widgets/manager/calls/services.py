"""What Python asks of services that are there: what they are, say, cost and fail for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from llm_widgets.domain.services import ServiceSummary
from llm_widgets.domain.tables import Listing, Shown, Values
from llm_widgets.errors import RateLimitError
from llm_widgets.gcp.observe import logs, metrics
from llm_widgets.gcp.run import revisions, service_json, service_list
from llm_widgets.gcp.run.service_list import Others
from llm_widgets.manager import (
    change,
    costing,
    differences,
    explaining,
    finding,
    offering,
    options,
    starting,
)
from llm_widgets.manager.calls.base import Calls, Named
from llm_widgets.manager.log_pace import Pace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Unpack

    from llm_widgets.diagnosis import Diagnosis
    from llm_widgets.domain.costs import Costs
    from llm_widgets.errors import ManagerError
    from llm_widgets.gcp.observe.logs import LogEntry
    from llm_widgets.manager.options import DeployOptions

_SERVICES = ("name", "state", "region", "model", "gpu", "url")
_OVERLAP = timedelta(seconds=30)  # entries come late, and are told apart by their ids


@dataclass(frozen=True, slots=True)
class Served(Shown):
    """A revision, and the per cent of the requests that it gets."""

    revision: revisions.RevisionFact
    percent: int

    def shown(self) -> Values:
        """Return what a list of revisions tells of it."""
        return {**self.revision.shown(), "traffic_percent": self.percent}


@dataclass(frozen=True, slots=True)
class Measure(Shown):
    """What was measured of a service, minute by minute."""

    series: metrics.Series

    def shown(self) -> Values:
        """Return the last and the highest value, and all points."""
        points = self.series.points
        return {
            "measure": self.series.label,
            "unit": self.series.unit,
            "last": points[-1][1] if points else None,
            "highest": max(value for _, value in points) if points else None,
            "points": [[moment, value] for moment, value in points],
        }


class Services(Listing[ServiceSummary]):
    """The services of a project.

    Attributes
    ----------
    unreachable
        Regions that did not answer, each with the reason: their services are not known.
    """

    unreachable: tuple[tuple[str, ManagerError], ...] = ()

    @property
    def services(self) -> tuple[ServiceSummary, ...]:
        """The services."""
        return tuple(self)


class ServiceCalls(Calls):
    """The part of :class:`.Manager` that reads, calls and explains services.

    Wherever a service is asked for, its name does: ``"my-service"``, a resource name, or its URL.
    """

    def services(self, *, others: bool = False) -> Services:
        """List the services that this product has deployed or adopted, in all regions.

        Parameters
        ----------
        others
            Whether to list those too that others deployed and that are recognised as an engine's.
        """
        wanted = Others.RECOGNISED if others else Others.NONE
        found = service_list.list_services(self.clients, self.project.id, others=wanted)
        columns = (*_SERVICES[:-1], "engine", "managed", "recognised") if others else _SERVICES
        listed = Services(found.services, columns)
        listed.unreachable = found.unreachable
        return listed

    def service(self, service: Named, *, region: str = "") -> ServiceSummary:
        """Return a service as it is now.

        Parameters
        ----------
        region
            Where it is; all regions are asked when left out.

        Raises
        ------
        ManagerError
            There is no such service, or several regions have one.
        """
        return finding.service(self.clients, self.project.id, service, region)

    def costs(self) -> Costs:
        """Return what the services have cost since the first of the month, and their total.

        List prices, without discounts; what is not known is never shown as nothing.

        Raises
        ------
        ManagerError
            For how long instances were billed can't be read.

        Examples
        --------
        >>> costs = manager.costs()
        >>> print(costs.total_text)
        """
        listed = self.services()
        found = costing.costs(self.clients, self.project.id, listed)
        missing = ", ".join(region for region, _ in listed.unreachable)
        if missing:
            found.notes = (f"Services in {missing} are missing: no answer.", *found.notes)
        return found

    def logs(
        self,
        service: Named,
        *,
        limit: int = 200,
        severity: str = "",
        text: str = "",
        since: timedelta | None = None,
    ) -> Listing[LogEntry]:
        """Return the newest entries of a service's log, the oldest of them first.

        Parameters
        ----------
        severity
            The lowest severity, for example ``"ERROR"``.
        text
            Is part of an entry, in small or capital letters.
        since
            How far back.

        Raises
        ------
        ManagerError
            The log can't be read.
        """
        begin = datetime.now(UTC) - since if since else None
        found = self._entries(self._name(service), limit, severity, text, begin)
        return Listing(found, ("time", "severity", "text"))

    def follow_logs(
        self, service: Named, *, severity: str = "", text: str = "", limit: int = 20
    ) -> Iterator[LogEntry]:
        """Yield the newest entries of a service's log, and further ones as they come.

        It ends when it is interrupted; reads are as rare as the project's limit demands.
        """
        name, pace = self._name(service), Pace()
        pace.changing(is_changing=False)
        known: set[tuple[str, datetime | None]] = set()
        since: datetime | None = None
        while True:
            try:
                found = self._entries(name, limit if since is None else 1000, severity, text, since)
                pace.read()
            except RateLimitError as error:
                pace.refused(error.retry_after)
                found = []
            for entry in found:
                if (entry.id, entry.time) not in known:
                    known.add((entry.id, entry.time))
                    yield entry
            newest = max((each.time for each in found if each.time), default=None)
            since = newest - _OVERLAP if newest else since or datetime.now(UTC) - _OVERLAP
            while not pace.is_due:
                time.sleep(0.2)

    def metrics(self, service: Named, *, minutes: int = 60) -> Listing[Measure]:
        """Return what Cloud Monitoring has measured of a service in the last minutes.

        Raises
        ------
        ManagerError
            Nothing can be read.
        """
        found = metrics.usage(self.clients, self._name(service), minutes=minutes)
        return Listing(map(Measure, found.series), ("measure", "last", "highest", "unit"))

    def revisions(self, service: Named) -> Listing[Served]:
        """List the revisions of a service, the newest first, with their shares of the traffic.

        Raises
        ------
        ManagerError
            They can't be read.
        """
        name = self._name(service)
        document = service_json.read(self.clients, name)
        found = [
            Served(each, service_json.percent(each.id, document))
            for each in revisions.list_revisions(self.clients, name)
        ]
        return Listing(found, ("id", "state", "traffic_percent", "image", "created_at"))

    def set_traffic(self, service: Named, shares: Mapping[str, int]) -> Listing[Served]:
        """Split the traffic of a service among its revisions.

        Parameters
        ----------
        shares
            Per cent by the id of a revision, together 100; ``"latest"`` is whatever is latest.

        Raises
        ------
        ManagerError
            The shares are not 100 % together, or Cloud Run refuses them.
        """
        told = {"" if name == "latest" else name: share for name, share in shares.items()}
        change.serve(self.clients, self._name(service), told)
        return self.revisions(service)

    def start_phases(self, service: Named) -> starting.Started | None:
        """Return how long the newest revision took to start, by phase, beside the one before it.

        Returns
        -------
        Started or None
            ``None`` where its log does not tell.

        Raises
        ------
        ManagerError
            The service or its log can't be read.
        """
        return starting.of_service(self.clients, self._name(service))

    def diagnose(self, service: Named) -> Diagnosis | None:
        """Return why a service failed, with what proves it and what to do.

        Returns
        -------
        Diagnosis or None
            ``None`` where it has not failed.

        Raises
        ------
        ManagerError
            The service can't be read.
        """
        return explaining.of_service(self.clients, self._name(service), self.project.number)

    @options.documented
    def diff(self, service: Named, **changes: Unpack[DeployOptions]) -> Listing[differences.Change]:
        """Return what a change of a service would change; nothing is sent.

        Parameters
        ----------
        **options

        Raises
        ------
        ManagerError
            The service can't be read, or the change is not valid.
        """
        document = service_json.read(self.clients, self._name(service))
        before = change.deployment_of(document)
        after = offering.changed(before, options.checked(changes))
        for problem in change.problems(before, after):
            raise problem
        return differences.of_deployments(before, after)

    def _entries(
        self, name: str, limit: int, severity: str, text: str, since: datetime | None
    ) -> list[LogEntry]:
        _, project, _, region, _, id_ = name.split("/")
        wanted = logs.service_filter(region, id_, severity=severity, text=text, since=since)
        return logs.entries(self.clients, project, wanted, limit=limit)[::-1]
