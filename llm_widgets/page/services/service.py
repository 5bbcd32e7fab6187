"""One service that is looked at: how its deployment goes, why it failed, what it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from traitlets import Bool, Dict, HasTraits, Instance, Tuple, Unicode

from llm_widgets.diagnosis import Diagnosis, LogLine
from llm_widgets.domain.loading import Task
from llm_widgets.domain.services import ServiceState, ServiceSummary
from llm_widgets.engines import registry
from llm_widgets.errors import ManagerError, NotFoundError, RateLimitError
from llm_widgets.gcp.iam import invokers
from llm_widgets.gcp.run import revisions, service_json, summaries
from llm_widgets.gcp.run import services as service_api
from llm_widgets.manager import asking, callers, change, explaining, managed, memory, spreading
from llm_widgets.manager.starting import Started
from llm_widgets.page.services.first_start import FirstStart
from llm_widgets.page.services.load_tests import LoadTestState
from llm_widgets.page.services.log_search import LogSearch
from llm_widgets.page.services.self_test import SelfTestState
from llm_widgets.page.services.service_logs import LogTail
from llm_widgets.page.services.starts import Starts
from llm_widgets.page.services.trying import TryState
from llm_widgets.serving import codec
from llm_widgets.serving.deployment_steps import Line, Seen, steps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llm_widgets.domain.memory import MemoryModel
    from llm_widgets.domain.services import Deployment
    from llm_widgets.gcp.client import lazy
    from llm_widgets.gcp.iam.policy import Grant
    from llm_widgets.gcp.run.revisions import RevisionFact
    from llm_widgets.page.session import Session

PERIOD = 2.0
"""Seconds between two looks at a service that changes."""

_BROKEN = (ServiceState.ERROR, ServiceState.OLD_SERVING)
_CHANGING = (ServiceState.DEPLOYING, ServiceState.DELETING)
_RESTING = 5  # looks that are left out while nothing changes
_BEFORE = timedelta(seconds=2)


class ServicePageState(HasTraits):
    """A service, looked at again and again until the page is closed.

    Attributes
    ----------
    summary
        ``None`` when the service is gone.
    document
        The service as the API writes it.
    steps
        See :func:`llm_widgets.serving.deployment_steps.steps`.
    diagnosis
        Why it failed, when it did.
    task
        What it does, also where only what was kept of its model tells; ``None`` where nothing does.
    measured
        What its engine measured of the GPU's memory, beside the estimate; empty where it did not.
    started
        How the newest revision started; ``None`` where its log does not tell.
    revisions, invokers
        The newest first; who may call.
    invokers_loaded
        Whether who may call has been read once.
    error, access_error, name_error
        Why the last look, the list of callers, or asking for the model's name was in vain.
    asks_name
        Whether the service is being asked for the name of its model.
    """

    summary: Instance[ServiceSummary | None] = Instance(ServiceSummary, allow_none=True)
    document: Dict = Dict()
    conditions: Tuple = Tuple()
    steps: Tuple = Tuple()
    diagnosis: Instance[Any] = Instance(Diagnosis, allow_none=True)
    task: Instance[Task | None] = Instance(Task, allow_none=True)
    measured = Unicode()
    started: Instance[Started | None] = Instance(Started, allow_none=True)
    revisions: Tuple = Tuple()
    invokers: Tuple = Tuple()
    invokers_loaded = Bool(default_value=False)
    error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)
    access_error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)
    name_error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)
    asks_name = Bool(default_value=False)

    def __init__(self, session: Session, summary: ServiceSummary) -> None:
        super().__init__(summary=summary, task=summary.task)
        self._session = session
        self.name = summary.name
        self.log = LogTail(session, summary.name)
        self.shown_log = LogSearch(session, self.log)
        self._closed = False
        self._looks = 0
        self._changed_at = datetime.now(UTC)
        self._gone: list[Callable[[], None]] = []
        self._start = FirstStart(session)
        self._starts = Starts(session, summary.name)
        self.trying = TryState(session, summary)
        self.self_test = SelfTestState(session, summary)
        self.load_test = LoadTestState(session, summary)
        self._has_asked_task = False
        self._served_name = ""
        self._models: dict[tuple[str, str], MemoryModel | None] = {}

    @property
    def is_managed(self) -> bool:
        """Whether the service may be changed here: others' are shown only."""
        return self.summary is None or self.summary.managed

    def on_gone(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called when the service is there no more."""
        self._gone.append(listener)

    def start(self) -> None:
        """Begin to look."""
        self.log.start()
        self._session.background.run(self._look, lambda _: None, self._failed)
        self._session.background.repeat(PERIOD, self._again)
        self.load_invokers()

    def look_soon(self) -> None:
        """Look with the next tick, as something was just asked to change."""
        self._looks = -1

    def close(self) -> None:
        """Look no more, and end a load test."""
        self._closed = True
        self.log.close()
        self.load_test.stop()

    def ask_name(self) -> None:
        """Ask the service for the name of its model, which its description does not tell."""
        service = self.summary
        if service is None or self.asks_name:
            return
        self.asks_name, self.name_error = True, None

        def then(found: ServiceSummary) -> None:
            self._served_name = found.served_name
            with self.hold_trait_notifications():
                self.summary = self.summary and self._named(self.summary)
                self.asks_name = False

        def failed(error: ManagerError) -> None:
            with self.hold_trait_notifications():
                self.asks_name, self.name_error = False, error

        self._session.background.run(
            lambda: asking.named(self._session.clients, service), then, failed
        )

    def _named(self, summary: ServiceSummary) -> ServiceSummary:
        """Return what is known of the service, with the name that it was asked for."""
        return replace(summary, served_name=summary.served_name or self._served_name)

    def load_invokers(self) -> None:
        """Read who may call."""

        def then(found: tuple[Grant, ...]) -> None:
            self.access_error = None
            self.invokers = found
            self.invokers_loaded = True

        self._session.background.run(
            lambda: invokers.invokers(self._session.clients, self.name), then, self._access_failed
        )

    def add_invoker(self, text: str, *, confirmed: bool = False) -> bool:
        """Let somebody call.

        Parameters
        ----------
        confirmed
            Whether everybody may be let in, too.

        Returns
        -------
        bool
            Whether that has to be confirmed first, as ``text`` means everybody.
        """
        self.access_error = None
        if self.is_managed and callers.is_everybody(text) and not confirmed:
            return True
        try:
            managed.refuse_unmanaged(self.name, is_managed=self.is_managed)
            callers.allowed(text, everybody=confirmed)
        except ManagerError as error:
            self.access_error = error
            return False
        self._session.background.run(
            lambda: callers.add(self._session.clients, self.name, text, everybody=confirmed),
            lambda _: self.load_invokers(),
            self._access_failed,
        )
        return False

    def remove_invoker(self, invoker: Grant) -> None:
        """Let somebody call no more."""
        try:
            managed.refuse_unmanaged(self.name, is_managed=self.is_managed)
        except ManagerError as error:
            self.access_error = error
            return
        self._session.background.run(
            lambda: callers.take_off(self._session.clients, self.name, invoker),
            lambda _: self.load_invokers(),
            self._access_failed,
        )

    def serve(
        self,
        shares: Mapping[str, int],
        *,
        done: Callable[[], None] = lambda: None,
        failed: Callable[[ManagerError], None] | None = None,
    ) -> None:
        """Divide the requests among revisions.

        Parameters
        ----------
        shares
            Per cent by the id of a revision, together 100; the empty id is whatever is latest.
        done, failed
            Called when Cloud Run has taken it, or has not.
        """

        def then(_: object) -> None:
            told = ", ".join(
                f"{share}% to {name or 'the latest'}" for name, share in shares.items()
            )
            self._session.notify(f"Traffic now goes {told}.", "success")
            self.look_soon()
            done()

        self._session.background.run(
            lambda: change.serve(self._session.clients, self.name, shares),
            then,
            failed or self._session.report,
        )

    def _failed(self, error: ManagerError) -> None:
        self.error = error

    def _access_failed(self, error: ManagerError) -> None:
        self.access_error = error

    def _again(self) -> bool:
        if self._closed:
            return False
        self._looks += 1
        resting = self.summary is not None and self.summary.state not in _CHANGING
        if resting and self._looks % _RESTING:
            return True
        try:
            self._look()
        except NotFoundError:
            self._closed = True
            self.log.close()
            for listener in self._gone:
                listener()
        except ManagerError as error:
            self.error = error
            if isinstance(error, RateLimitError):
                raise  # it is looked at later
        return not self._closed

    def _look(self) -> None:
        clients = self._session.clients
        found = service_api.get(clients, self.name)
        document = service_json.read(clients, self.name)
        listed, problem = self._revisions()
        summary = self._named(summaries.summary(found))
        engine = registry.of(summary.framework)
        facts = summaries.conditions(found)
        newest = listed[0] if listed else None
        is_changing = summary.state in _CHANGING
        self.log.pace.changing(is_changing=is_changing)
        if is_changing:
            self._changed_at = datetime.now(UTC)
        else:
            self.log.look_after(self._changed_at)  # what explains how it ended
        lines = self._lines(newest)
        outcome = None
        if not is_changing:
            outcome = summary.state in (ServiceState.READY, ServiceState.PAUSED)
        settled = facts[0].changed_at if facts and outcome is not None else None
        why = None
        if summary.state in _BROKEN:
            why = self._explained(document, found, newest)
            if why.passes:
                summary = spreading.waiting(summary)
        measured = ""
        if outcome and newest:
            told = [line.text for line in lines]
            measured = self._start.look(newest.id, codec.deployment_of(document), told)
        started = None
        if not is_changing and listed and engine:
            now = codec.deployment_of(document)
            started = self._starts.look(listed, now, engine, self.log.entries)
        task = self._task(summary, document)
        self.load_test.follow(summary, document)
        with self.hold_trait_notifications():
            self.task = task
            self.measured = measured
            self.started = started
            self.error = problem
            self.summary = summary
            self.document = document
            self.conditions = facts
            self.revisions = listed
            self.diagnosis = why
            self.steps = steps(
                Seen(
                    created_at=newest.created_at if newest else None,
                    image_at=newest.image_at if newest else None,
                    outcome=outcome,
                    settled_at=settled,
                    lines=[Line(line.time, line.text) for line in lines],
                    loading=engine.loading if engine else None,
                )
            )

    def _task(self, summary: ServiceSummary, document: dict[str, Any]) -> Task | None:
        """Return what it does; of a service that does not say so its model is asked, once."""
        if summary.task or self._has_asked_task:
            return summary.task or self.task
        self._has_asked_task = True
        return memory.task_of(self._session.clients, codec.deployment_of(document))

    def _revisions(self) -> tuple[tuple[RevisionFact, ...], ManagerError | None]:
        """Return the revisions; who may not see them sees the rest of the service."""
        try:
            return revisions.list_revisions(self._session.clients, self.name), None
        except ManagerError as error:
            return (), error

    def _lines(self, newest: RevisionFact | None) -> list[LogLine]:
        """Return the log of the newest revision."""
        since = newest.created_at - _BEFORE if newest and newest.created_at else None
        oldest = datetime.min.replace(tzinfo=UTC)
        return [
            LogLine(entry.text, entry.severity, entry.time)
            for entry in self.log.entries
            if entry.labels.get("revision_name", newest.id if newest else "")
            == (newest.id if newest else "")
            and (since is None or (entry.time or oldest) >= since)
        ]

    def _model(self, deployment: Deployment) -> MemoryModel | None:
        """Return what is known of the model's memory; it is read once."""
        place = (deployment.bucket, deployment.folder)
        if place not in self._models:
            self._models[place] = memory.of_deployment(self._session.clients, deployment)
        return self._models[place]

    def _explained(
        self, document: dict[str, Any], found: lazy.run_v2.Service, newest: RevisionFact | None
    ) -> Diagnosis:
        project = self._session.project
        return explaining.why(
            self._session.clients,
            document,
            summaries.conditions(found),
            newest,
            self._lines(newest),
            model=self._model(codec.deployment_of(document)),
            project_number=project.number if project else "",
        )
