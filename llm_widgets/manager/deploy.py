"""Deploying a model: what it is offered with, what is refused, and how the service is made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from llm_widgets.diagnosis import Context, Diagnosis, Evidence, diagnose
from llm_widgets.domain import gpus
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.engines import hardware
from llm_widgets.errors import (
    AlreadyExistsError,
    DeploymentError,
    InvalidInputError,
    ManagerError,
    NotFoundError,
)
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.run import rollout, services
from llm_widgets.manager import bucket_access, callers, memory
from llm_widgets.serving import checks, codec, recipes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.memory import MemoryModel
    from llm_widgets.domain.services import Deployment, ServiceSummary
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


def followed(defaults: Defaults, before: Deployment, wanted: Deployment) -> Deployment:
    """Let the GPU, the vCPUs, the memory, the probe and the network follow what was changed."""
    wanted = hardware.adapted(before, wanted)
    before_network = _network(defaults, before.region)
    taken = {name: getattr(wanted, name) for name in before_network} == before_network
    if wanted.region == before.region or not taken:
        return wanted
    return replace(wanted, **_network(defaults, wanted.region))


def asked_for(defaults: Defaults, offered: Deployment, changes: Mapping[str, Any]) -> Deployment:
    """Return what is offered with what somebody asks for; what was not asked for follows it."""
    wanted = followed(defaults, offered, with_changes(offered, changes))
    return replace(wanted, **_hardware_of(changes))


def changed(before: Deployment, changes: Mapping[str, Any]) -> Deployment:
    """Return a service's deployment with what somebody asks for; the other hardware follows."""
    wanted = hardware.adapted(before, with_changes(before, changes))
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


def wait(clients: Clients, created: Created) -> ServiceSummary:
    """Wait until a service that was created is ready.

    Raises
    ------
    ManagerError
        It does not come up.
    """
    last = None
    for progress in rollout.follow(clients, created.operation):
        last = progress.service or last
    if last is None:
        raise DeploymentError(f"Cloud Run tells nothing of {created.name.rsplit('/', 1)[-1]}.")
    return last


def is_taken(clients: Clients, wanted: Deployment) -> bool | None:
    """Return whether the region has a service of the name; ``None`` where that can't be told."""
    try:
        services.get(clients, _name(wanted))
    except NotFoundError:
        return False
    except ManagerError:
        return None
    return True


def taken(wanted: Deployment) -> AlreadyExistsError:
    """Word that the name of a deployment is taken."""
    return AlreadyExistsError(f"{wanted.region} has a service {wanted.name} already.", field="name")


def why(
    clients: Clients, project: Project, wanted: Deployment, error: ManagerError
) -> Diagnosis | None:
    """Find out why Cloud Run refused a deployment; ``None`` where nobody knows."""
    caller = identity.current(clients).member
    context = Context.of(wanted, project_number=project.number, caller=caller)
    return diagnose(Evidence(operation=error.cause or error.message), context)


def _create(clients: Clients, wanted: Deployment, *, dry: bool) -> Created:
    document = codec.document(wanted)
    try:
        operation = services.create_from(clients, document, validate_only=dry)
    except AlreadyExistsError as error:
        raise taken(wanted) from error
    return Created(_name(wanted), operation)


def _name(wanted: Deployment) -> str:
    return f"projects/{wanted.project}/locations/{wanted.region}/services/{wanted.name}"


def _hardware_of(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was asked for of what would follow else."""
    return {name: changes[name] for name in HARDWARE if name in changes}


def _network(defaults: Defaults, region: str) -> dict[str, Any]:
    network = defaults.network(region)
    connector = network.connector(defaults.project.id, region)
    return {"subnet": network.subnet_access, "connector": connector}
