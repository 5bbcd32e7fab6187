"""What Python asks of services that are there: what they are, say, cost and fail for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from llm_widgets.domain.services import ServiceSummary
from llm_widgets.domain.tables import Listing, Shown, Values
from llm_widgets.errors import RateLimitError
from llm_widgets.gcp.observe import logs, metrics
from llm_widgets.gcp.run import revisions, service_json, service_list
from llm_widgets.gcp.run.service_list import Others
from llm_widgets.manager import (
    asking,
    change,
    comparing,
    costing,
    deploy,
    differences,
    explaining,
    finding,
    options,
    self_test,
    starting,
)
from llm_widgets.manager.log_pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Unpack

    from llm_widgets.diagnosis import Diagnosis
    from llm_widgets.domain.answers import Embedding, Ranked, Transcript
    from llm_widgets.domain.comparisons import Compared
    from llm_widgets.domain.costs import Costs
    from llm_widgets.domain.self_tests import Tested
    from llm_widgets.errors import ManagerError
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.observe.logs import LogEntry
    from llm_widgets.gcp.project.projects import Project
    from llm_widgets.manager.options import DeployOptions

Named = ServiceSummary | str
"""A service, its name, its resource name or its URL."""

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


class ServiceCalls:
    """The part of :class:`.Manager` that reads, calls and explains services.

    Wherever a service is asked for, its name does: ``"my-service"``, a resource name, or its URL.
    """

    clients: Clients
    project: Project

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

    @overload
    def chat(
        self,
        service: Named,
        prompt: str | Sequence[Mapping[str, str]],
        *,
        stream: Literal[False] = False,
        **params: Any,
    ) -> str: ...

    @overload
    def chat(
        self,
        service: Named,
        prompt: str | Sequence[Mapping[str, str]],
        *,
        stream: Literal[True],
        **params: Any,
    ) -> Iterator[str]: ...

    def chat(
        self,
        service: Named,
        prompt: str | Sequence[Mapping[str, str]],
        *,
        stream: bool = False,
        **params: Any,
    ) -> str | Iterator[str]:
        """Ask a deployed model something.

        Parameters
        ----------
        prompt
            What a person says, or a conversation of ``{"role": …, "content": …}``.
        stream
            Whether the answer is returned piece by piece, as it comes.
        **params
            Further fields of the request, for example ``temperature=0.2, max_tokens=500``.

        Returns
        -------
        str or Iterator[str]
            The whole answer, or its pieces.

        Raises
        ------
        ManagerError
            The service refuses, fails or falls silent.

        Examples
        --------
        >>> for piece in manager.chat("my-service", "Say hello.", stream=True):
        ...     print(piece, end="")
        """
        pieces = self._pieces(service, prompt, params)
        return pieces if stream else "".join(pieces)

    def compare(
        self,
        services: Sequence[Named],
        prompt: str | Sequence[Mapping[str, str]],
        *,
        come: Callable[[ServiceSummary, str], object] | None = None,
        **params: Any,
    ) -> Listing[Compared]:
        """Ask two to four deployed models the same at once: answers, speed and price of each.

        Parameters
        ----------
        prompt, **params
            As for :meth:`chat`.
        come
            Called with the service and a piece of its answer, as it comes, in several threads.

        Raises
        ------
        ManagerError
            A service can't be found, or can't be compared. What one refuses is told with the
            answers.

        Examples
        --------
        >>> for answer in manager.compare(["small", "large"], "Why is the sky blue?"):
        ...     print(answer.service.id, answer.first_token, answer.text)
        """
        found = [self._found(each) for each in services]
        return comparing.compare(self.clients, found, _said(prompt), params, come=come)

    def embed(self, service: Named, texts: str | Sequence[str]) -> Listing[Embedding]:
        """Turn texts into vectors, in their order.

        Raises
        ------
        ManagerError
            The service does not make embeddings, refuses or fails.

        Examples
        --------
        >>> cat, dog = manager.embed("my-embedder", ["a cat", "a dog"])
        >>> cat.similarity(dog)
        """
        told = [texts] if isinstance(texts, str) else list(texts)
        found = asking.embed(self.clients, self._found(service), told)
        return Listing(found, ("text", "dimension"))

    def rank(self, service: Named, query: str, passages: Sequence[str]) -> Listing[Ranked]:
        """Rank passages by how well they answer a query, the best one first.

        Raises
        ------
        ManagerError
            The service does not rank, refuses or fails.
        """
        found = asking.rank(self.clients, self._found(service), query, list(passages))
        return Listing(found, ("score", "passage"))

    def transcribe(self, service: Named, file: str | Path) -> Transcript:
        """Write down what is said in a file of sound.

        Raises
        ------
        ManagerError
            The service does not transcribe, refuses or fails, or the file is too large.
        """
        path = Path(file)
        recording = asking.Recording(path.name, path.read_bytes())
        return asking.transcribe(self.clients, self._found(service), recording)

    def self_test(self, service: Named) -> Listing[Tested]:
        """Ask a service a little of everything that it should do, such as a tool call.

        Raises
        ------
        ManagerError
            The service can't be read, or its engine is not known. What the service refuses is a
            failure in the list.
        """
        found = self_test.run(self.clients, self._found(service))
        return Listing(found, ("test", "outcome", "found", "advice", "seconds"))

    def _found(self, service: Named) -> ServiceSummary:
        """Return a service that is to be asked, with the name of its model."""
        found = service if isinstance(service, ServiceSummary) else self.service(service)
        return asking.named(self.clients, found)

    def _pieces(
        self,
        service: Named,
        prompt: str | Sequence[Mapping[str, str]],
        params: Mapping[str, Any],
    ) -> Iterator[str]:
        answer = asking.chat(self.clients, self._found(service), _said(prompt), params)
        try:
            for event in answer:
                if event.text:
                    yield event.text
        finally:
            answer.close()  # also when nobody wants the rest

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
        after = deploy.changed(before, options.checked(changes))
        for problem in change.problems(before, after):
            raise problem
        return differences.of_deployments(before, after)

    def _name(self, service: Named) -> str:
        return finding.resource_name(self.clients, self.project.id, service)

    def _entries(
        self, name: str, limit: int, severity: str, text: str, since: datetime | None
    ) -> list[LogEntry]:
        _, project, _, region, _, id_ = name.split("/")
        wanted = logs.service_filter(region, id_, severity=severity, text=text, since=since)
        return logs.entries(self.clients, project, wanted, limit=limit)[::-1]


def _said(prompt: str | Sequence[Mapping[str, str]]) -> Sequence[Mapping[str, str]]:
    """Return what a person says as a conversation."""
    return [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
