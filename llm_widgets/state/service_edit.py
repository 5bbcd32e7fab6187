"""Changing a service that exists: read, changed, shown, and only then sent."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from traitlets import Bool, Dict, HasTraits, Instance, Tuple

from llm_widgets.cloud import readers, service_json
from llm_widgets.diagnosis import RemedyKind, changed
from llm_widgets.domain.services import Deployment
from llm_widgets.errors import InvalidInputError, ManagerError
from llm_widgets.serving import checks, edit
from llm_widgets.serving.existing import deployment_of
from llm_widgets.state.deploy_values import deployment_from, values_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llm_widgets.diagnosis import Remedy
    from llm_widgets.state.services import ServicesState
    from llm_widgets.state.session import Session

Json = dict[str, Any]

REDEPLOYED = "llm-manager/redeployed-at"
"""Annotation of a template that is deployed again as it is: an equal one makes no revision."""

_LONGEST_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Change:
    """A field that differs, and its values as they are shown."""

    field: str
    before: str
    after: str


class ServiceEditState(HasTraits):
    """One service that is being changed.

    Attributes
    ----------
    before
        What it is now; ``None`` until it has been read.
    problems
        Field to what is wrong with it; under the empty key what belongs to no field.
    changes
        What would be sent, to be looked at first.
    is_open
        Whether it is being changed.
    """

    before: Instance[Deployment | None] = Instance(Deployment, allow_none=True)
    problems: Dict = Dict()
    changes: Tuple = Tuple()
    is_open = Bool(default_value=False)
    error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)

    def __init__(self, session: Session, services: ServicesState) -> None:
        super().__init__()
        self._session = session
        self._services = services
        self._document: Json = {}
        self._pending: tuple[Json, list[str]] = ({}, [])
        self._sent: list[Callable[[], None]] = []

    def on_sent(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called when Cloud Run has taken a change."""
        self._sent.append(listener)

    def start(self, name: str) -> None:
        """Read a service to change it."""

        def then(document: Json) -> None:
            self._document = document
            with self.hold_trait_notifications():
                self.problems = {}
                self.changes = ()
                self.error = None
                self.before = deployment_of(document)
                self.is_open = True

        self._session.background.run(
            lambda: service_json.read(self._session.clients, name), then, self._session.report
        )

    def close(self) -> None:
        """Change nothing."""
        self.is_open = False
        self.before = None

    def read(self, values: Mapping[str, Any]) -> Deployment | None:
        """Take what the form holds, and say what is wrong with it.

        What was wrong before and was not touched is left alone: not everybody deploys by our
        rules.
        """
        before = self.before
        assert before is not None, "the form is shown only while something is changed"
        try:
            after = deployment_from(before, values)
        except InvalidInputError as error:
            self.problems = {error.field: error.message}
            return None
        known = {problem.message for problem in checks.problems(before)}
        found: dict[str, str] = {}
        for problem in checks.problems(after):
            if problem.message not in known:
                found.setdefault(problem.field, f"{problem.message} {problem.cause}".strip())
        self.problems = found
        return None if found else after

    def review(self, values: Mapping[str, Any]) -> bool:
        """Work out what would be sent; whether there is anything, and nothing wrong with it."""
        self.error = None
        after = self.read(values)
        before = self.before
        if after is None or before is None:
            return False
        self._pending = edit.edited(self._document, before, after)
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

    def remedy(self, document: Json, remedy: Remedy) -> None:
        """Do what a diagnosis offers: change the deployment or grant what is missing."""

        def work() -> None:
            clients = self._session.clients
            if remedy.kind is RemedyKind.GRANT:
                bucket = remedy.parameters["resource"].removeprefix("buckets/")
                member = remedy.parameters["member"]
                readers.grant_reader(clients, bucket, member, project=self._session.project_id)
            before = deployment_of(document)
            is_change = remedy.kind is RemedyKind.REDEPLOY
            after = changed(before, remedy) if is_change else before
            fixed, paths = edit.edited(document, before, after)
            if "template" not in paths:
                fixed = again(fixed)
                paths = [*paths, "template"]
            service_json.patch(clients, fixed, paths)

        name = str(document["name"])
        self._session.background.run(work, lambda _: self._taken(name), self._session.report)

    def _taken(self, name: str) -> None:
        self._session.notify(f"{name.rsplit('/', 1)[-1]} is being deployed with the change.")
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


def differences(before: Deployment, after: Deployment) -> tuple[Change, ...]:
    """List the fields that differ, as a form holds them; of rows only those that differ."""
    old, new = values_of(before), values_of(after)
    changes = []
    for field in old:
        was, becomes = old[field], new[field]
        if was == becomes:
            continue
        if isinstance(was, list) and sorted(was) != sorted(becomes):
            both = [row for row in was if row in becomes]
            was = [row for row in was if row not in both]
            becomes = [row for row in becomes if row not in both]
        changes.append(Change(field, _text(was), _text(becomes)))
    return tuple(changes)


def _text(value: Any) -> str:
    if isinstance(value, list):
        words = ("=".join(each) if isinstance(each, list) else each for each in value)
        text = " ".join(words)
    else:
        text = {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
    cut = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
    return cut or "nothing"
