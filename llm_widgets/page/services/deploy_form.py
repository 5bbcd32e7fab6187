"""What is filled in to deploy a model, and the deployment that follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from traitlets import Bool, Dict, HasTraits, Instance, Unicode

from llm_widgets.diagnosis import (
    Context,
    Diagnosis,
    Evidence,
    Remedy,
    RemedyKind,
    changed,
    diagnose,
)
from llm_widgets.domain.services import Deployment
from llm_widgets.errors import (
    AlreadyExistsError,
    InvalidInputError,
    ManagerError,
    NotFoundError,
)
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.run import services
from llm_widgets.page.background import Latest
from llm_widgets.page.services.bucket_access import ReadingState
from llm_widgets.page.services.callers import let_in
from llm_widgets.page.services.deploy_offer import Subject, offer, with_network
from llm_widgets.page.services.deploy_values import (
    FIT_ANYWAY,
    Callers,
    callers_from,
    deployment_from,
    followers,
)
from llm_widgets.page.services.gpu_memory import GpuMemoryState
from llm_widgets.page.services.remedies import Done, carry_out
from llm_widgets.serving import checks, codec, hardware

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.page.services.services import ServicesState
    from llm_widgets.page.session import Session

Values = dict[str, Any]

_HARDWARE = frozenset({"accelerator", "cpu", "memory_gib"})


class DeployFormState(HasTraits):
    """One deployment on its way from a model to a service that comes up.

    Attributes
    ----------
    offered
        What the form opens with; ``None`` while nothing is being deployed.
    deployment
        What the form says now; the last one that could be read.
    problems
        Field to what is wrong with it; under the empty key what belongs to no field.
    name_note
        Whether the name is free, as far as is known.
    diagnosis
        Why Cloud Run refused it, where that is known.
    followed
        Fields that followed those that were changed last, with what they hold now.
    accepted
        Whether Cloud Run has said that it would take the request as it stands.
    """

    offered: Instance[Deployment | None] = Instance(Deployment, allow_none=True)
    deployment: Instance[Deployment | None] = Instance(Deployment, allow_none=True)
    problems: Dict = Dict()
    name_note = Unicode()
    accepted = Bool(default_value=False)
    diagnosis: Instance[Any] = Instance(Diagnosis, allow_none=True)

    def __init__(self, session: Session, services_state: ServicesState) -> None:
        super().__init__()
        self._session = session
        self._services = services_state
        self._names = Latest()
        self._deployed: list[Callable[[str], None]] = []
        self._asked: list[Callable[[], None]] = []
        self.subject: Subject | None = None
        self.followed: Values = {}
        self.memory = GpuMemoryState(session)
        self.reading = ReadingState(session)
        self.observe(lambda change: self.memory.update(change["new"]), "deployment")

    def on_deployed(self, listener: Callable[[str], None]) -> None:
        """Have ``listener`` called with the resource name that Cloud Run has taken."""
        self._deployed.append(listener)

    def on_quota_asked(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called when a quota was asked for."""
        self._asked.append(listener)

    def start(self, bucket: str, location: str, record: ModelRecord) -> None:
        """Offer the deployment that fits a model best, beside its bucket where a GPU is.

        What is known of the model's memory is read meanwhile; what that changes is offered then,
        unless something is filled in already.
        """
        self.close()
        subject = Subject(bucket, location, record)
        first = offer(self._session, subject)
        with self.hold_trait_notifications():
            self.subject = subject
            self.problems = {}
            self.name_note = ""
            self.accepted = False
            self.diagnosis = None
            self.deployment = first
        self.offered = first

        def then(manifest: ModelManifest) -> None:
            if self.subject is subject and self.deployment == first:
                self.deployment = better = offer(self._session, subject, manifest)
                self.offered = better

        self.memory.load(bucket, record, then)
        self._check_name(first)
        self.reading.check(first)

    def close(self) -> None:
        """Give it up."""
        self.subject = None
        self.offered = None

    def change(self, values: Values) -> None:
        """Take what the form holds now; nothing is sent but questions."""
        before = self.deployment
        self.accepted = False
        self.diagnosis = None
        wanted = self._read(values)
        if wanted is None:
            return
        self.deployment = wanted
        if before is None or (wanted.name, wanted.region) != (before.name, before.region):
            self._check_name(wanted)
        if before is None or wanted.service_account != before.service_account:
            self.reading.check(wanted)

    def check(self, values: Values, done: Callable[[], None]) -> None:
        """Ask Cloud Run whether it would take the request; ``done`` is called either way."""
        wanted = self._valid(values)
        if wanted is None:
            done()
            return

        def then(_: object) -> None:
            self.problems = {}
            self.accepted = True
            done()

        def failed(error: ManagerError) -> None:
            self._refused(error)
            done()

        self._session.background.run(lambda: self._create(wanted, dry=True), then, failed)

    def deploy(self, values: Values, done: Callable[[], None]) -> None:
        """Create the service; ``done`` is called when Cloud Run has taken or refused it."""
        wanted = self._valid(values)
        try:
            callers = callers_from(values)
        except InvalidInputError as error:
            self._refused(error)
            wanted = None
        if wanted is None:
            done()
            return

        def then(name: str) -> None:
            done()
            self.close()
            self._session.notify(f"{wanted.name} is being deployed to {wanted.region}.")
            self._services.refresh()
            for listener in self._deployed:
                listener(name)

        def failed(error: ManagerError) -> None:
            self._refused(error)
            done()

        self._session.background.run(
            lambda: self._create_for(wanted, callers, grant=bool(values.get("grant_access"))),
            then,
            failed,
        )

    def remedy_beside(self, remedy: Remedy, ended: Callable[[], None]) -> None:
        """Grant, enable or ask for what a remedy says; ``ended`` is called either way."""

        def then(done: Done) -> None:
            self._session.notify(done.told, "success")
            if done.is_granted:
                self.diagnosis = None
                self.problems = {}
            ended()
            if remedy.kind is RemedyKind.REQUEST_QUOTA:
                for listener in self._asked:
                    listener()

        def failed(error: ManagerError) -> None:
            self._session.report(error)
            ended()

        self._session.background.run(lambda: carry_out(self._session, remedy), then, failed)

    def remedy(self, remedy: Remedy) -> Deployment | None:
        """Give what is filled in with the changes of a remedy."""
        if self.deployment is None:
            return None
        self.diagnosis = None
        self.problems = {}
        self.deployment = hardware.adapted(self.deployment, changed(self.deployment, remedy))
        return self.deployment

    def use_context(self, tokens: int) -> Deployment | None:
        """Give what is filled in with another length of requests."""
        told = {"max_model_len": str(tokens)}
        return self.remedy(Remedy(RemedyKind.REDEPLOY, "", told))

    def _read(self, values: Values) -> Deployment | None:
        before = self.deployment
        assert before is not None, "the form is shown only while something is offered"
        self.followed = {}
        try:
            wanted = hardware.adapted(before, deployment_from(before, values))
        except InvalidInputError as error:
            self.problems = {error.field: error.message}
            return None
        wanted = with_network(self._session, before, wanted)
        found: dict[str, str] = {}
        for problem in checks.problems(wanted):
            found.setdefault(problem.field, f"{problem.message} {problem.cause}".strip())
        self.problems = found
        self.followed = followers(wanted, values)
        return wanted

    def _valid(self, values: Values) -> Deployment | None:
        """Read what is to be sent, once nothing is wrong with it and it is what is shown."""
        wanted = self._read(values)
        if wanted is None:
            return None
        self.deployment = wanted
        if not self.problems and not _HARDWARE.isdisjoint(self.followed):
            self.problems = {"": "What belongs to your last change was changed too: look at it."}
        if not self.problems and self.memory.is_refused and not values.get(FIT_ANYWAY):
            why = self.memory.estimate.reason if self.memory.estimate else ""
            self.problems = {FIT_ANYWAY: f"{why} Change something, or tick this."}
        return wanted if not self.problems else None

    def _refused(self, error: ManagerError) -> None:
        field = error.field if isinstance(error, InvalidInputError) else ""
        if isinstance(error, AlreadyExistsError):
            field = "name"
        if not field and self.deployment:
            project = self._session.project
            context = Context.of(
                self.deployment,
                project_number=project.number if project else "",
                caller=identity.current(self._session.clients).member,
            )
            self.diagnosis = diagnose(Evidence(operation=error.cause or error.message), context)
        self.problems = {field: error.message if self.diagnosis else str(error)}

    def _create_for(self, wanted: Deployment, callers: Callers, *, grant: bool) -> str:
        if grant:
            self.reading.ensure(wanted)
        name = self._create(wanted, dry=False)
        let_in(self._session, name, callers.members)
        return name

    def _create(self, wanted: Deployment, *, dry: bool) -> str:
        document = codec.document(wanted)
        services.create_from(self._session.clients, document, validate_only=dry)
        return str(document["name"])

    def _check_name(self, wanted: Deployment) -> None:
        fresh = self._names.begin()
        self.name_note = ""
        name = f"projects/{wanted.project}/locations/{wanted.region}/services/{wanted.name}"

        def then(_: object) -> None:
            if fresh():
                self.problems = {
                    **self.problems,
                    "name": f"{wanted.region} has a service {wanted.name} already.",
                }

        def failed(error: ManagerError) -> None:
            if fresh():
                free = isinstance(error, NotFoundError)
                self.name_note = f"Free in {wanted.region}." if free else ""

        self._session.background.run(
            lambda: services.get(self._session.clients, name), then, failed
        )
