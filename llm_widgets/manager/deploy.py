"""Deploying a model: what it is offered with, what is refused, and how the service is made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from llm_widgets.diagnosis import Context, Diagnosis, Evidence, diagnose
from llm_widgets.domain import gpus
from llm_widgets.domain.actors import Deed
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.names import shown
from llm_widgets.domain.start_styles import BALANCED
from llm_widgets.engines import proposals, registry, start_styles, streaming
from llm_widgets.errors import (
    AlreadyExistsError,
    DeploymentError,
    Fix,
    InvalidInputError,
    ManagerError,
    NotFoundError,
)
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.iam import acting_as
from llm_widgets.gcp.run import rollout, service_json, services, summaries
from llm_widgets.manager import acting, bucket_access, callers, memory, spreading
from llm_widgets.manager.audit import recorded
from llm_widgets.serving import checks, codec, recipes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.memory import MemoryModel
    from llm_widgets.domain.services import Deployment, ServiceSummary
    from llm_widgets.engines.proposals import Proposal
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.project.projects import Project
    from llm_widgets.manager.projects import Defaults

HARDWARE = ("accelerator", "cpu", "memory_gib")
"""Fields that follow others, unless somebody asks for them."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is deployed: a model in a bucket, and where the bucket is.

    Raises
    ------
    NotFoundError
        The model is not ready.
    """

    bucket: str
    location: str
    record: ModelRecord

    def __post_init__(self) -> None:
        """Refuse a model that is being imported, or whose import failed."""
        if self.record.status is not ModelStatus.READY:
            raise NotFoundError(f"{self.bucket} has no model {self.record.id} that is ready.")


@dataclass(frozen=True, slots=True)
class Choices:
    """What is decided beside the deployment itself.

    Attributes
    ----------
    callers
        Who may call the service beside whoever deploys it; see :func:`.callers.member`.
    grant_access
        Whether the service's account is let read the bucket, where it may not already.
    fit_anyway
        Whether it is deployed though the model does surely not fit into the GPU.
    """

    callers: tuple[str, ...] = ()
    grant_access: bool = True
    fit_anyway: bool = False


@dataclass(frozen=True, slots=True)
class Created:
    """A service that Cloud Run has taken: its resource name, and the operation that makes it."""

    name: str
    operation: Any


def offer(
    defaults: Defaults,
    subject: Subject,
    manifest: ModelManifest | None = None,
    framework: str = "",
) -> Deployment:
    """Return the deployment that fits a model best, beside its bucket where a GPU is.

    Parameters
    ----------
    manifest
        What was kept of the model when it was imported, once it has been read.
    framework
        Id of the engine; the one that is preferred for the model's hub when empty.

    Raises
    ------
    InvalidInputError
        The engine does not serve such a model.
    """
    region = subject.location if gpus.in_region(subject.location) else defaults.region
    offered = recipes.defaults(
        subject.record,
        bucket=subject.bucket,
        project=defaults.project.id,
        region=region,
        service_account=defaults.service_account,
        manifest=manifest,
        framework=framework,
    )
    return replace(offered, **_network(defaults, region))


def proposal(subject: Subject, manifest: ModelManifest | None, framework: str) -> Proposal | None:
    """Return what an engine is told because of a model's family; ``None`` for nothing."""
    engine = registry.of(framework)
    return engine.proposal(subject.record.id, manifest) if engine else None


def with_proposal(wanted: Deployment, proposed: Proposal | None, *, told: bool) -> Deployment:
    """Return a deployment whose engine is told, or is not told, what its family is served with."""
    engine = registry.of(wanted.framework)
    if engine is None or proposed is None:
        return wanted
    change = proposals.add if told else proposals.remove
    return change(wanted, proposed, engine.command_line)


def with_changes(base: Deployment, changes: Mapping[str, Any]) -> Deployment:
    """Change fields of a deployment; what the engine is told of them follows.

    An engine that is told otherwise by the person, in arguments or variables, is left alone.

    Parameters
    ----------
    changes
        Field of :class:`llm_widgets.domain.services.Deployment` to its value.
    """
    rest = dict(changes)
    port = rest.pop("port", base.port)
    mount_path = rest.pop("mount_path", base.mount_path)
    concurrency = rest.pop("concurrency", base.concurrency)
    made = recipes.with_port(replace(base, **rest), port)
    return recipes.with_concurrency(recipes.with_mount_path(made, mount_path), concurrency)


def followed(
    defaults: Defaults, before: Deployment, wanted: Deployment, size: int = 0
) -> Deployment:
    """Return a deployment whose hardware, probe, network and weights follow what was changed.

    Parameters
    ----------
    size
        Bytes of the model; 0 where that is not known.
    """
    wanted = recipes.adapted(before, wanted)
    engine = registry.of(wanted.framework)
    wanted = streaming.followed(engine, before, wanted, size) if engine and size else wanted
    before_network = _network(defaults, before.region)
    taken = {name: getattr(wanted, name) for name in before_network} == before_network
    if wanted.region == before.region or not taken:
        return wanted
    return replace(wanted, **_network(defaults, wanted.region))


def asked_for(
    defaults: Defaults, offered: Deployment, changes: Mapping[str, Any], size: int = 0
) -> Deployment:
    """Return what is offered with what somebody asks for; what was not asked for follows it.

    Parameters
    ----------
    size
        Bytes of the model; 0 where that is not known.
    """
    wanted = followed(defaults, offered, with_changes(offered, changes), size)
    return replace(wanted, **_hardware_of(changes))


def with_code(wanted: Deployment, *, runs: bool | None) -> Deployment:
    """Return a deployment whose engine is told whether to run a model's own code.

    Parameters
    ----------
    runs
        ``None`` leaves the arguments as they are.
    """
    engine = registry.of(wanted.framework)
    return wanted if engine is None or runs is None else engine.with_code(wanted, runs=runs)


def with_streaming(wanted: Deployment, *, on: bool | None) -> Deployment:
    """Return a deployment whose engine streams the weights, or reads them through the mount.

    Parameters
    ----------
    on
        ``None`` leaves the arguments as they are.

    Raises
    ------
    InvalidInputError
        They can't be streamed.
    """
    engine = registry.of(wanted.framework)
    if engine is None or on is None:
        return wanted
    if on and not streaming.can(engine, wanted):
        raise InvalidInputError(
            f"{engine.label} can't stream these weights from Cloud Storage.",
            field="stream_weights",
            fix=Fix(text="Leave it out: the weights are read through the mount."),
        )
    return streaming.turned(engine, wanted, on=on)


def with_start(wanted: Deployment, style: str) -> Deployment:
    """Return a deployment that starts in a style; as it is where none is named.

    Raises
    ------
    InvalidInputError
        Its engine knows no such style.
    """
    engine = registry.of(wanted.framework)
    if not style or engine is None:
        return wanted
    known = [each.id for each in engine.start_styles]
    if style not in known and style != BALANCED:
        raise InvalidInputError(
            f"{engine.label} can't be started as {shown(style)}.",
            field="start",
            fix=Fix(text=f"Choose one of {', '.join(known)}." if known else "Leave it out."),
        )
    return start_styles.with_style(engine, wanted, style)


def changed(before: Deployment, changes: Mapping[str, Any]) -> Deployment:
    """Return a service's deployment with what somebody asks for; the other hardware follows."""
    wanted = recipes.adapted(before, with_changes(before, changes))
    return replace(wanted, **_hardware_of(changes))


def check(clients: Clients, wanted: Deployment) -> None:
    """Ask Cloud Run whether it would take a deployment; nothing is made.

    Raises
    ------
    ManagerError
        It would not, see :func:`deploy`.
    """
    _create(clients, wanted, dry=True)


def problems(project: Project, wanted: Deployment) -> list[InvalidInputError]:
    """List what is wrong with a deployment by itself, each with its field."""
    found = checks.problems(wanted)
    if wanted.project != project.id:
        elsewhere = InvalidInputError(
            f"A model of {project.id} is deployed there, not in {wanted.project}.",
            field="project",
        )
        return [elsewhere, *found]
    return found


@recorded(
    "service.create",
    on="projects/{wanted.project}/locations/{wanted.region}/services/{wanted.name}",
)
def deploy(
    clients: Clients,
    project: Project,
    wanted: Deployment,
    choices: Choices,
    *,
    model: MemoryModel,
    tell: Callable[[ManagerError], None],
) -> Created:
    """Create a service; nothing is granted or made before Cloud Run would take it.

    A grant stays when the service can't be made after all: the next try needs it.

    Parameters
    ----------
    model
        What is known of the model's memory, see :func:`.memory.model_of`.
    tell
        Called with why somebody can't be let call the service, which is made all the same.

    Raises
    ------
    InvalidInputError
        Something is wrong with a field; the model does not fit, and nobody insists; a caller is
        none; the account may not be let read the bucket.
    AlreadyExistsError
        The name is taken.
    ManagerError
        Cloud Run refuses it: for a quota, a permission, an API that is not enabled.
    """
    for problem in problems(project, wanted):
        raise problem
    if not choices.fit_anyway:
        memory.refuse_too_large(model, wanted)
    members = [callers.member(each) for each in choices.callers]
    if is_taken(clients, wanted):
        raise taken(wanted)
    check(clients, wanted)
    if choices.grant_access:
        bucket_access.ensure(clients, wanted)
    created = _create(clients, wanted, dry=False)
    callers.let_in(clients, created.name, members, tell)
    return created


def as_created(clients: Clients, name: str) -> ServiceSummary | None:
    """Return a service that was just created; ``None`` where it can't be read at once.

    Parameters
    ----------
    name
        Its resource name.
    """
    try:
        return summaries.summary(services.get(clients, name))
    except ManagerError:
        return None  # it is there all the same, and a list shows it


def wait(
    clients: Clients, created: Created, watch: Callable[[str], None] = lambda _: None
) -> ServiceSummary:
    """Wait until a service that was created is ready.

    Parameters
    ----------
    watch
        Called with what Cloud Run says of it, at each look.

    Raises
    ------
    ManagerError
        It does not come up.
    """
    followed = rollout.follow(clients, created.operation)
    last = spreading.settled(clients, created.name, followed, watch)
    if last is None:
        raise DeploymentError(f"Cloud Run returned no service {created.name.rsplit('/', 1)[-1]}.")
    return last


def is_taken(clients: Clients, wanted: Deployment) -> bool | None:
    """Return whether the region has a service of the name; ``None`` where that can't be told."""
    try:
        services.get(clients, name_of(wanted))
    except NotFoundError:
        return False
    except ManagerError:
        return None
    return True


def found(clients: Clients, wanted: Deployment) -> ServiceSummary | None:
    """Return the service of a deployment's name, where it serves the same model.

    Raises
    ------
    AlreadyExistsError
        The one that is there serves another model.
    ManagerError
        It can't be read.
    """
    try:
        document = service_json.read(clients, name_of(wanted))
    except NotFoundError:
        return None
    there = codec.deployment_of(document)
    if (there.bucket, there.folder) != (wanted.bucket, wanted.folder):
        raise taken(wanted)
    return summaries.summary(services.get(clients, name_of(wanted)))


def taken(wanted: Deployment) -> AlreadyExistsError:
    """Word that the name of a deployment is taken."""
    return AlreadyExistsError(
        f"A service {wanted.name} already exists in {wanted.region}.",
        field="name",
        fix=Fix(text="Choose another name, or edit or delete that service."),
    )


def why(
    clients: Clients, project: Project, wanted: Deployment, error: ManagerError
) -> Diagnosis | None:
    """Find out why Cloud Run refused a deployment; ``None`` where nobody knows."""
    caller = identity.current(clients).member
    context = Context.of(wanted, project_number=project.number, caller=caller)
    evidence = Evidence(operation=error.cause or error.message, error=error)
    found = diagnose(evidence, context)
    return found and spreading.told(clients, project.id, found)


def _create(clients: Clients, wanted: Deployment, *, dry: bool) -> Created:
    document, _ = codec.sign(codec.document(wanted), acting.actor(clients), *Deed)
    try:
        operation = acting_as.until_allowed(
            clients,
            lambda: services.create_from(clients, document, validate_only=dry),
            wanted.project,
            wanted.service_account,
        )
    except AlreadyExistsError as error:
        raise taken(wanted) from error
    return Created(name_of(wanted), operation)


def name_of(wanted: Deployment) -> str:
    """Return the resource name of the service that a deployment makes."""
    return f"projects/{wanted.project}/locations/{wanted.region}/services/{wanted.name}"


def _hardware_of(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was asked for of what would follow else."""
    return {name: changes[name] for name in HARDWARE if name in changes}


def _network(defaults: Defaults, region: str) -> dict[str, Any]:
    network = defaults.network(region)
    connector = network.connector(defaults.project.id, region)
    return {"subnet": network.subnet_access, "connector": connector}
