"""What is filled in to deploy a model, and the deployment that follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from traitlets import Bool, Dict, HasTraits, Instance, Unicode

from llm_widgets.diagnosis import Diagnosis, Remedy, RemedyKind
from llm_widgets.domain import loading
from llm_widgets.domain.services import Deployment
from llm_widgets.engines import proposals, registry
from llm_widgets.engines.proposals import Proposal
from llm_widgets.errors import InvalidInputError, ManagerError
from llm_widgets.manager import deploy, memory, offering, remedies
from llm_widgets.manager.deploy import Choices
from llm_widgets.manager.memory import FIT_ANYWAY
from llm_widgets.manager.offering import Subject
from llm_widgets.manager.projects import Defaults
from llm_widgets.page.background import Latest
from llm_widgets.page.services.access_entries import callers_from
from llm_widgets.page.services.bucket_access import BucketAccessState
from llm_widgets.page.services.deploy_values import deployment_from, followers
from llm_widgets.page.services.field_errors import told
from llm_widgets.page.services.gpu_memory import GpuMemoryState
from llm_widgets.page.services.prices import PricesState
from llm_widgets.serving import egress

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.engines.base import Engine
    from llm_widgets.page.services.services import ServicesState
    from llm_widgets.page.session import Session
    from llm_widgets.serving.egress import Advice

Values = dict[str, Any]


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
    is_whole
        Whether what the form opens with takes all into account that is kept of the model.
    has_code
        Whether the model brings code of its own, which runs only if a person agrees.
    grants
        Whether deploying lets the service's account read the bucket.
    proposal
        What the engine is told because of the model's family; ``None`` for nothing.
    """

    offered: Instance[Deployment | None] = Instance(Deployment, allow_none=True)
    deployment: Instance[Deployment | None] = Instance(Deployment, allow_none=True)
    problems: Dict = Dict()
    name_note = Unicode()
    accepted = Bool(default_value=False)
    is_whole = Bool(default_value=False)
    has_code = Bool(default_value=False)
    grants = Bool(default_value=True)
    proposal: Instance[Proposal | None] = Instance(Proposal, allow_none=True)
    diagnosis: Instance[Any] = Instance(Diagnosis, allow_none=True)

    def __init__(self, session: Session, services_state: ServicesState) -> None:
        super().__init__()
        self._session = session
        self._services = services_state
        self._names = Latest()
        self._deployed: list[Callable[[str], None]] = []
        self._asked: list[Callable[[], None]] = []
        self.subject: Subject | None = None
        self._manifest: ModelManifest | None = None
        self.followed: Values = {}
        self.memory = GpuMemoryState(session)
        self.prices = PricesState(session)
        self.bucket_access = BucketAccessState(session)
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
        unless something is filled in already. A model that is not ready is refused.
        """
        self.close()
        self._manifest = None
        self.has_code = False
        try:
            subject = Subject(bucket, location, record)
        except ManagerError as error:
            self._session.report(error)
            return
        first = offering.offer(self._defaults(), subject)
        with self.hold_trait_notifications():
            self.subject = subject
            self.problems = {}
            self.name_note = ""
            self.accepted = False
            self.diagnosis = None
            self.deployment = first
            self._propose(first)
            self.is_whole = False
        self.offered = first

        def then(manifest: ModelManifest | None) -> None:
            if self.subject is not subject:
                return
            if manifest:
                offer_better(manifest)
            self.is_whole = True

        def offer_better(manifest: ModelManifest) -> None:
            self._manifest = manifest
            found = loading.from_facts(manifest.facts)
            self.has_code = bool(found and found.code)
            if self.deployment == first:
                self.deployment = better = offering.offer(self._defaults(), subject, manifest)
                self.offered = better
            if self.deployment:
                self._propose(self.deployment)

        self.memory.load(bucket, record, then)
        self._check_name(first)
        self.bucket_access.check(first)

    def close(self) -> None:
        """Close the form."""
        self.grants = True
        self.subject = None
        self.offered = None

    def change(self, values: Values) -> None:
        """Take what the form holds now; nothing is sent but questions."""
        before = self.deployment
        self.grants = bool(values.get("grant_access", True))
        self.accepted = False
        self.diagnosis = None
        if before and values.get("framework", before.framework) != before.framework:
            self._use_engine(values["framework"])
            return
        wanted = self._read(values)
        if wanted is None:
            return
        self.deployment = wanted
        if before is None or (wanted.name, wanted.region) != (before.name, before.region):
            self._check_name(wanted)
        if before is None or wanted.service_account != before.service_account:
            self.bucket_access.check(wanted)

    @property
    def engines(self) -> tuple[Engine, ...]:
        """The engines that serve the model, the preferred one first."""
        return registry.for_source(self.subject.record.source) if self.subject else ()

    def _use_engine(self, framework: str) -> None:
        """Offer what another engine is best deployed with; what was filled in is given up."""
        assert self.subject is not None, "the form is shown only while something is offered"
        try:
            made = offering.offer(self._defaults(), self.subject, self._manifest, framework)
        except InvalidInputError as error:
            self.problems = {error.field: error.message}
            return
        self.followed = {}
        self.problems = {}
        self.deployment = made
        self._propose(made)
        self.offered = made
        self._check_name(made)
        self.bucket_access.check(made)

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

        self._session.background.run(
            lambda: deploy.check(self._session.clients, wanted), then, failed
        )

    def deploy(self, values: Values, done: Callable[[], None]) -> None:
        """Create the service; ``done`` is called when Cloud Run has taken or refused it."""
        wanted, subject, project = self._valid(values), self.subject, self._session.project
        if wanted is None or subject is None or project is None:
            done()
            return
        choices = Choices(
            callers_from(values),
            grant_access=bool(values.get("grant_access")),
            fit_anyway=bool(values.get(FIT_ANYWAY)),
        )

        known = self.memory.model  # unless somebody is faster than the bucket

        def work() -> tuple[str, ServiceSummary | None]:
            clients = self._session.clients
            model = known or memory.model_of(
                subject.record, memory.kept(clients, subject.bucket, subject.record)
            )
            name = deploy.deploy(
                clients, project, wanted, choices, model=model, tell=self._session.report
            ).name
            return name, deploy.as_created(clients, name)

        def then(made: tuple[str, ServiceSummary | None]) -> None:
            name, service = made
            done()
            self._session.notify(f"Deployment of {wanted.name} to {wanted.region} started.")
            if service:
                self._services.add(service)
            for listener in self._deployed:
                listener(name)
            self.close()  # after its page is shown: the list of services is no step between
            self._services.refresh()
            self._services.look_after(name)

        def failed(error: ManagerError) -> None:
            self._refused(error)
            done()

        self._session.background.run(work, then, failed)

    def remedy_beside(self, remedy: Remedy, ended: Callable[[], None]) -> None:
        """Grant, enable or ask for what a remedy says; ``ended`` is called either way."""

        def then(done: remedies.Done) -> None:
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

        session = self._session
        session.background.run(
            lambda: remedies.carry_out(session.clients, session.project_id, remedy), then, failed
        )

    def remedy(self, remedy: Remedy) -> Deployment | None:
        """Return what is filled in with the changes of a remedy."""
        if self.deployment is None:
            return None
        return self._changed_to(remedies.with_remedy(self.deployment, remedy))

    def use_context(self, tokens: int) -> Deployment | None:
        """Return what is filled in with another length of requests."""
        if self.deployment is None:
            return None
        return self._changed_to(remedies.with_context(self.deployment, tokens))

    @property
    def _size(self) -> int:
        return self.subject.record.size if self.subject else 0

    @property
    def network_advice(self) -> Advice | None:
        """What would make the weights load faster; ``None`` where nothing would."""
        return egress.before(self.deployment, self._size) if self.deployment else None

    def use_subnet(self) -> Deployment | None:
        """Return what is filled in with Direct VPC through the default subnet."""
        return self._changed_to(egress.through(self.deployment)) if self.deployment else None

    @property
    def is_proposal_told(self) -> bool:
        """Whether the form has all arguments of the model's family."""
        made, proposed = self.deployment, self.proposal
        return bool(made and proposed and proposals.is_told(made, proposed))

    def turn_proposal(self) -> Deployment | None:
        """Return what is filled in with the arguments of the family, or without them."""
        if self.deployment is None:
            return None
        told = not self.is_proposal_told
        return self._changed_to(offering.with_proposal(self.deployment, self.proposal, told=told))

    def _propose(self, made: Deployment) -> None:
        assert self.subject is not None, "the form is shown only while something is offered"
        self.proposal = offering.proposal(self.subject, self._manifest, made.framework)

    def _changed_to(self, wanted: Deployment) -> Deployment:
        self.diagnosis = None
        self.problems = {}
        self.deployment = wanted
        return wanted

    def _defaults(self) -> Defaults:
        session = self._session
        assert session.project is not None, "a model is shown in a project only"
        return Defaults(
            session.project,
            session.settings.region,
            session.runtime_account or session.project.default_service_account,
            session.network_for,
        )

    def _read(self, values: Values) -> Deployment | None:
        before = self.deployment
        assert before is not None, "the form is shown only while something is offered"
        self.followed = {}
        try:
            read = deployment_from(before, values)
            wanted = offering.followed(self._defaults(), before, read, self._size)
        except InvalidInputError as error:
            self.problems = {error.field: error.message}
            return None
        self.problems = told(deploy.problems(self._defaults().project, wanted))
        self.followed = followers(wanted, values)
        return wanted

    def _valid(self, values: Values) -> Deployment | None:
        """Read what is to be sent, once nothing is wrong with it and it is what is shown."""
        wanted = self._read(values)
        if wanted is None:
            return None
        self.deployment = wanted
        if not self.problems and not self.followed.keys().isdisjoint(offering.HARDWARE):
            self.problems = {
                "": "Fields that depend on your last change were changed too. Review them."
            }
        if not self.problems and self.memory.model and not values.get(FIT_ANYWAY):
            try:
                memory.refuse_too_large(self.memory.model, wanted)
            except InvalidInputError as error:
                self.problems = told([error])
        return wanted if not self.problems else None

    def _refused(self, error: ManagerError) -> None:
        project = self._session.project
        if not error.field and self.deployment and project:
            clients = self._session.clients
            self.diagnosis = deploy.why(clients, project, self.deployment, error)
        self.problems = {error.field: error.message if self.diagnosis else str(error)}

    def _check_name(self, wanted: Deployment) -> None:
        fresh = self._names.begin()
        self.name_note = ""

        def then(is_taken: bool | None) -> None:  # noqa: FBT001 - the result of the work
            if not fresh():
                return
            if is_taken:
                self.problems = {**self.problems, **told([deploy.taken(wanted)])}
            self.name_note = f"Available in {wanted.region}." if is_taken is False else ""

        self._session.background.run(
            lambda: deploy.is_taken(self._session.clients, wanted), then, self._session.report
        )
