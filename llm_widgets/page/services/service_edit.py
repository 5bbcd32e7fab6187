"""Changing a service that exists: read, changed, shown, and only then sent."""

from __future__ import annotations

import copy
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from traitlets import Bool, Dict, HasTraits, Instance, Tuple

from llm_widgets.diagnosis import Remedy, RemedyKind, changed
from llm_widgets.domain.services import Deployment
from llm_widgets.errors import InvalidInputError, ManagerError
from llm_widgets.gcp.run import service_json
from llm_widgets.page.services import remedies
from llm_widgets.page.services.callers import let_in
from llm_widgets.page.services.deploy_values import deployment_from
from llm_widgets.page.services.gpu_memory import GpuMemoryState
from llm_widgets.page.services.service_changes import differences
from llm_widgets.serving import checks, codec, hardware

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llm_widgets.page.services.services import ServicesState
    from llm_widgets.page.session import Session

Json = dict[str, Any]

REDEPLOYED = "llm-manager/redeployed-at"
"""Annotation of a template that is deployed again as it is: an equal one makes no revision."""


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
        self._pending: tuple[Json, list[str]] = ({}, [])
        self._sent: list[Callable[[], object]] = []
        self.memory = GpuMemoryState(session)
        self.observe(lambda change: self.memory.update(change["new"]), "now")

    def on_sent(self, listener: Callable[[], object]) -> None:
        """Have ``listener`` called when Cloud Run has taken a change."""
        self._sent.append(listener)

    def start(self, name: str) -> None:
        """Read a service to change it."""
        self._open(name, lambda read: read)

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
        self._open(str(self._document["name"]), lambda read: replace(read, **own))

    def _open(self, name: str, change: Callable[[Deployment], Deployment]) -> None:
        def then(document: Json) -> None:
            self._document = document
            read = codec.deployment_of(document)
            with self.hold_trait_notifications():
                self.problems = {}
                self.changes = ()
                self.now = change(read)
                self.before = read
                self.is_open = True
            self.memory.load_served(read.bucket, read.folder)

        self._session.background.run(
            lambda: service_json.read(self._session.clients, name), then, self._session.report
        )

    def close(self) -> None:
        """Change nothing."""
        self.is_open = False
        self.before = self.now = None

    def read(self, values: Mapping[str, Any]) -> Deployment | None:
        """Take what the form holds, and say what is wrong with it.

        What was wrong before and was not touched is left alone: not everybody deploys by our
        rules.
        """
        before, now = self.before, self.now
        assert before is not None, "the form is shown only while something is changed"
        assert now is not None, "both are there or none"
        try:
            after = hardware.adapted(now, deployment_from(now, values))
        except InvalidInputError as error:
            self.problems = {error.field: error.message}
            return None
        known = {problem.message for problem in checks.problems(before)}
        found: dict[str, str] = {}
        for problem in checks.problems(after):
            if problem.message not in known:
                found.setdefault(problem.field, f"{problem.message} {problem.cause}".strip())
        self.now = after
        self.problems = found
        return None if found else after

    def use_context(self, tokens: int) -> Deployment | None:
        """Give what the form says with another length of requests."""
        if self.now is not None:
            told = {"max_model_len": str(tokens)}
            self.now = changed(self.now, Remedy(RemedyKind.REDEPLOY, "", told))
        return self.now

    def review(self, values: Mapping[str, Any]) -> bool:
        """Work out what would be sent; whether there is anything, and nothing wrong with it."""
        after = self.read(values)
        before = self.before
        if after is None or before is None:
            return False
        self._pending = codec.edited(self._document, before, after)
        self.changes = differences(before, after)
        if not self._pending[1]:
            self.problems = {"": "Nothing is changed."}
            return False
        return True

    def send(self, done: Callable[[], None], failed: Callable[[ManagerError], None]) -> None:
        """Send what was reviewed."""
        document, paths = self._pending

        def then(_: object) -> None:
            done()
            self.close()
            self._taken(str(document["name"]))

        self._session.background.run(
            lambda: service_json.patch(self._session.clients, document, paths), then, failed
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
        name = str(document["name"])
        clients = self._session.clients

        def work() -> str:
            is_beside = remedies.is_beside(remedy)
            told = remedies.carry_out(self._session, remedy).told if is_beside else ""
            if remedy.kind is RemedyKind.REQUEST_QUOTA:
                return told
            if region := remedy.parameters.get("region"):
                return self._copied(document, region)
            before = codec.deployment_of(document)
            is_change = remedy.kind is RemedyKind.REDEPLOY
            after = hardware.adapted(before, changed(before, remedy)) if is_change else before
            fixed, paths = codec.edited(document, before, after)
            if "template" not in paths:
                fixed = again(fixed)
                paths = [*paths, "template"]
            service_json.patch(clients, fixed, paths)
            return f"{told} {name.rsplit('/', 1)[-1]} is being deployed again.".strip()

        def then(told: str) -> None:
            ended()
            self._taken(name, told)

        def failed(error: ManagerError) -> None:
            ended()
            self._session.report(error)

        self._session.background.run(work, then, failed)

    def _copied(self, document: Json, region: str) -> str:
        """Deploy the same in another region, callable by whoever does that."""
        name = service_json.copy(self._session.clients, document, region)
        let_in(self._session, name)
        return f"{name.rsplit('/', 1)[-1]} is being deployed in {region} too."

    def _taken(self, name: str, told: str = "") -> None:
        id_ = name.rsplit("/", 1)[-1]
        self._session.notify(told or f"{id_} is being deployed with the change.")
        self._services.refresh()
        for listener in self._sent:
            listener()


def again(document: Json) -> Json:
    """Mark a service so that its template, though nothing in it differs, is deployed anew."""
    marked = copy.deepcopy(document)
    template = marked.setdefault("template", {})
    template.pop("revision", None)
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    template["annotations"] = {**template.get("annotations", {}), REDEPLOYED: moment}
    return marked
