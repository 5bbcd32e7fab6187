"""What is known of the deployment that failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llm_widgets.domain import members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.domain.failures.tried import Tried
    from llm_widgets.domain.memory import MemoryModel
    from llm_widgets.domain.services import Deployment, StartupProbe


@dataclass(frozen=True, slots=True)
class Context:
    """Facts of a deployment. All are optional: what is not known is not offered as a fix.

    Attributes
    ----------
    project_number
        Names the project's default accounts.
    service
        Id of the service.
    caller
        Who deploys, as IAM policies write it, for example ``user:ada@example.com``.
    service_account
        E-mail address of the identity that the service runs as; empty for the project's default.
    framework
        Id of the engine, empty where it is not known which; ``None`` where nobody has looked.
    accelerator
        Value of ``node_selector.accelerator``; empty for none.
    cpu, memory_gib
        Limits of the container; 0 when not known.
    max_instances, port
        0 when not known.
    tried
        Remedies that were carried out for the service.
    deployment, model
        What failed, and what is known of its model's memory: a remedy is tried on them before it
        is offered.
    """

    project: str = ""
    project_number: str = ""
    region: str = ""
    service: str = ""
    caller: str = ""
    service_account: str = ""
    framework: str | None = None
    model_id: str = ""
    image: str = ""
    port: int = 0
    bucket: str = ""
    folder: str = ""
    mount_path: str = ""
    accelerator: str = ""
    cpu: float = 0
    memory_gib: float = 0
    max_instances: int = 0
    zonal_redundancy: bool = False
    args: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    mount_options: tuple[str, ...] = ()
    cache_gib: int = 0
    probe: StartupProbe | None = None
    tried: tuple[Tried, ...] = ()
    deployment: Deployment | None = None
    model: MemoryModel | None = None

    @classmethod
    def of(
        cls,
        deployment: Deployment,
        *,
        caller: str = "",
        project_number: str = "",
        model: MemoryModel | None = None,
        tried: tuple[Tried, ...] = (),
    ) -> Context:
        """Return the facts of a deployment."""
        return cls(
            deployment=deployment,
            model=model,
            tried=tried,
            project=deployment.project,
            project_number=project_number,
            region=deployment.region,
            service=deployment.name,
            caller=caller,
            service_account=deployment.service_account,
            framework=deployment.framework,
            model_id=deployment.model_id,
            image=deployment.image,
            port=deployment.port,
            bucket=deployment.bucket,
            folder=deployment.folder,
            mount_path=deployment.mount_path,
            accelerator=deployment.accelerator,
            cpu=deployment.cpu,
            memory_gib=deployment.memory_gib,
            max_instances=deployment.max_instances,
            zonal_redundancy=deployment.zonal_redundancy,
            args=deployment.args,
            environment=deployment.environment,
            mount_options=deployment.mount_options,
            cache_gib=deployment.cache_gib,
            probe=deployment.probe,
        )

    @property
    def account(self) -> str:
        """The identity that the service runs as; empty when not known."""
        if self.service_account or not self.project_number:
            return self.service_account
        return members.default_account(self.project_number)

    @property
    def service_agent(self) -> str:
        """The identity with which Cloud Run itself acts in the project; empty when not known."""
        return members.run_agent(self.project_number) if self.project_number else ""
