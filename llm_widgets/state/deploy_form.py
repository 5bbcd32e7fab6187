"""What is filled in to deploy a model, and the deployment that follows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llm_widgets.cloud import readers, services
from llm_widgets.domain import gpus, names
from llm_widgets.errors import InvalidInputError
from llm_widgets.serving import checks, recipes, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.domain.services import Deployment
    from llm_widgets.errors import ManagerError
    from llm_widgets.state.services import ServicesState
    from llm_widgets.state.session import Session


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person changes of the defaults."""

    name: str
    region: str
    accelerator: str
    max_instances: int
    concurrency: int
    grant_access: bool


class DeployFormState:
    """One deployment on its way from a model to a service that comes up."""

    def __init__(self, session: Session, services_state: ServicesState) -> None:
        self._session = session
        self._services = services_state
        self._deployed: list[Callable[[], None]] = []

    def on_deployed(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called when Cloud Run has taken a deployment."""
        self._deployed.append(listener)

    def defaults(self, bucket: str, location: str, record: ModelRecord) -> Deployment:
        """Give the deployment that fits a model best, beside its bucket where a GPU is."""
        region = location if gpus.in_region(location) else self._session.settings.region
        project = self._session.project
        assert project is not None, "a model is shown in a project only"
        return recipes.defaults(
            record,
            bucket=bucket,
            project=project.id,
            region=region,
            service_account=project.default_service_account,
        )

    def deploy(
        self,
        deployment: Deployment,
        choices: Choices,
        done: Callable[[], None],
        failed: Callable[[ManagerError], None],
    ) -> None:
        """Check, grant what was agreed to, and create the service.

        ``done`` is called when Cloud Run has taken it; whether it comes up is seen in the list
        of services.
        """
        try:
            wanted = _chosen(deployment, choices)
        except InvalidInputError as error:
            failed(error)
            return

        def then(_: object) -> None:
            self._session.notify(f"{wanted.name} is being deployed to {wanted.region}.")
            done()
            self._services.refresh()
            for listener in self._deployed:
                listener()

        self._session.background.run(
            lambda: self._create(wanted, grant=choices.grant_access), then, failed
        )

    def _create(self, wanted: Deployment, *, grant: bool) -> None:
        clients = self._session.clients
        if grant and wanted.service_account:
            readers.grant_reader(
                clients,
                wanted.bucket,
                f"serviceAccount:{wanted.service_account}",
                project=wanted.project,
            )
        services.create(
            clients, wanted.project, wanted.region, wanted.name, request.service(wanted)
        )


def _chosen(deployment: Deployment, choices: Choices) -> Deployment:
    gpu = gpus.by_accelerator(choices.accelerator)
    if gpu is None:
        raise InvalidInputError("Choose a GPU.", field="gpu")
    same_gpu = choices.accelerator == deployment.accelerator
    wanted = replace(
        recipes.with_concurrency(deployment, choices.concurrency),
        name=names.service(choices.name),
        region=choices.region,
        accelerator=choices.accelerator,
        cpu=deployment.cpu if same_gpu else gpu.default_cpu,
        memory_gib=deployment.memory_gib if same_gpu else gpu.default_memory_gib,
        max_instances=choices.max_instances,
    )
    problems = checks.problems(wanted)
    if problems:
        raise problems[0]
    return wanted
