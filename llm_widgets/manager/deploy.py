"""Deploying a model: what is refused, and how the service is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llm_widgets.diagnosis import Context, Diagnosis, Evidence, diagnose
from llm_widgets.domain.actors import Deed
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
from llm_widgets.serving import checks, codec

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.memory import MemoryModel
    from llm_widgets.domain.services import Deployment, ServiceSummary
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.project.projects import Project


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
