"""Changing a service that exists: read, changed, shown, and only then sent."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from traitlets import Bool, Dict, HasTraits, Instance, Tuple

from llm_widgets.domain.services import Deployment
from llm_widgets.errors import InvalidInputError, ManagerError
from llm_widgets.gcp.run import service_json, services, summaries
from llm_widgets.manager import change, managed, memory, remedies
from llm_widgets.manager.memory import FIT_ANYWAY
from llm_widgets.page.services.deploy_values import deployment_from, differences
from llm_widgets.page.services.field_errors import told
from llm_widgets.page.services.gpu_memory import GpuMemoryState
from llm_widgets.page.services.prices import PricesState
from llm_widgets.serving import recipes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llm_widgets.diagnosis import Remedy
    from llm_widgets.page.services.services import ServicesState
    from llm_widgets.page.session import Session

Json = dict[str, Any]


class ServiceEditState(HasTraits):
    """One service that is being changed.

    Attributes
    ----------
    before
        What it is; ``None`` until it has been read.
    now
        What the form says; the last one that could be read.
    problems
        Field to what is wrong with it; under the empty key what belongs to no field.
    changes
        What would be sent, to be looked at first.
    is_open
        Whether it is being changed.
    """

    before: Instance[Deployment | None] = Instance(Deployment, allow_none=True)
    now: Instance[Deployment | None] = Instance(Deployment, allow_none=True)
    problems: Dict = Dict()
    changes: Tuple = Tuple()
    is_open = Bool(default_value=False)

    def __init__(self, session: Session, services: ServicesState) -> None:
        super().__init__()
        self._session = session
        self._services = services
        self._document: Json = {}
        self._pending = change.Change({}, ())
        self._sent: list[Callable[[], object]] = []
        self.memory = GpuMemoryState(session)
        self.prices = PricesState(session)
        self.observe(lambda change: self.memory.update(change["new"]), "now")

    @property
    def name(self) -> str:
        """The full name of the service that was read last, with its project and region."""
        return str(self._document["name"])

    def on_sent(self, listener: Callable[[], object]) -> None:
        """Have ``listener`` called when Cloud Run has taken a change."""
        self._sent.append(listener)

    def start(
        self, name: str, changing: Callable[[Deployment], Deployment] = lambda read: read
    ) -> None:
        """Read a service to change it.

        Parameters
        ----------
        changing
            Makes a first change, which is shown in the form.
        """
        self._open(name, changing)

    def reload(self) -> None:
        """Read it again, as somebody else has changed it, and keep what was changed here."""
        before, after = self.before, self.now
        assert before is not None, "the form is shown only while something is changed"
        assert after is not None, "both are there or none"
        own = {
            field.name: getattr(after, field.name)
            for field in fields(after)
            if getattr(after, field.name) != getattr(before, field.name)
        }
        self._open(self.name, lambda read: replace(read, **own))

    def _open(self, name: str, changing: Callable[[Deployment], Deployment]) -> None:
        def then(document: Json) -> None:
            self._document = document
            read = change.deployment_of(document)
            with self.hold_trait_notifications():
                self.problems = {}
                self.changes = ()
                self.now = changing(read)
                self.before = read
                self.is_open = True
            self.memory.load_served(read.bucket, read.folder)

        def read() -> Json:
            clients = self._session.clients
            managed.refuse_edit(summaries.summary(services.get(clients, name)))
            return service_json.read(clients, name)

        self._session.background.run(read, then, self._session.report)

    def close(self) -> None:
        """Change nothing."""
        self.is_open = False
        self.before = self.now = None

    def read(self, values: Mapping[str, Any]) -> Deployment | None:
        """Take what the form holds, and say what is wrong with it."""
        before, now = self.before, self.now
        assert before is not None, "the form is shown only while something is changed"
        assert now is not None, "both are there or none"
        try:
            after = recipes.adapted(now, deployment_from(now, values))
        except InvalidInputError as error:
            self.problems = {error.field: error.message}
            return None
        self.now = after
        self.problems = told(change.problems(before, after))
        return None if self.problems else after

    def use_context(self, tokens: int) -> Deployment | None:
        """Return what the form says with another length of requests."""
        if self.now is not None:
            self.now = remedies.with_context(self.now, tokens)
        return self.now

    def review(self, values: Mapping[str, Any]) -> bool:
        """Work out what would be sent; whether there is anything, and nothing wrong with it."""
        self._pending = change.Change({}, ())
        after = self.read(values)
        before = self.before
        if after is None or before is None:
            return False
        self._pending = change.prepared(self._document, before, after)
        self.changes = differences(before, after)
        try:
            change.refuse_nothing(self._pending)
            if self.memory.model and not values.get(FIT_ANYWAY):
                memory.refuse_too_large(self.memory.model, after, before)
        except InvalidInputError as error:
            self._pending = change.Change({}, ())
            self.problems = told([error])
            return False
        return True

    def send(self, done: Callable[[], None], failed: Callable[[ManagerError], None]) -> None:
        """Send what was reviewed."""
        wanted = self._pending
        try:
            change.refuse_nothing(wanted)
        except InvalidInputError as error:
            failed(error)
            return

        def then(_: object) -> None:
            done()
            self.close()
            self._taken(str(wanted.document["name"]))

        self._session.background.run(
            lambda: change.send(self._session.clients, wanted), then, failed
        )

    def remedy(
        self, document: Json, remedy: Remedy, ended: Callable[[], None] = lambda: None
    ) -> None:
        """Do what a diagnosis offers, and deploy again where that helps.

        Parameters
        ----------
        ended
            Called when it is done or has failed.
        """
        session = self._session

        def then(told: str) -> None:
            ended()
            self._taken(str(document["name"]), told)

        def failed(error: ManagerError) -> None:
            ended()
            session.report(error)

        session.background.run(
            lambda: remedies.redeploy(
                session.clients, session.project_id, document, remedy, session.report
            ),
            then,
            failed,
        )

    def _taken(self, name: str, told: str = "") -> None:
        id_ = name.rsplit("/", 1)[-1]
        self._session.notify(told or f"Deployment of the change to {id_} started.")
        self._services.refresh()
        self._services.look_after(name)
        for listener in self._sent:
            listener()
