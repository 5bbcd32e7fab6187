"""What an engine's recipe begins with: the model that is to be served, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.domain import names
from llm_widgets.domain.loading import from_facts
from llm_widgets.domain.services import Deployment, StartupProbe
from llm_widgets.engines import hardware

if TYPE_CHECKING:
    from llm_widgets.domain.loading import Verdict
    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.engines.hardware import Hardware


@dataclass(frozen=True, slots=True)
class Readiness:
    """What answers once the model is loaded: the startup probe asks it.

    Attributes
    ----------
    path
        Asked for over HTTP.
    port
        Port that is asked; 0 for the one that takes requests.
    """

    path: str
    port: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A model that is to be served, and where.

    Attributes
    ----------
    record
        The model; its ``prefix`` is the folder that is mounted.
    accelerator
        Value of ``node_selector.accelerator``, empty for none; chosen when ``None``.
    context_length
        Tokens of a request; what is best by default when ``None``.
    manifest
        What was kept of the model when it was imported.
    """

    record: ModelRecord
    project: str
    region: str
    bucket: str
    accelerator: str | None = None
    context_length: int | None = None
    manifest: ModelManifest | None = None

    @property
    def machine(self) -> Hardware:
        """The smallest instance that the model's files fit into, with the GPU that was chosen."""
        return hardware.choose(self.region, self.record.size, self.accelerator)

    def verdict(self, engine: str = "") -> Verdict | None:
        """Return what was found of the model when it was imported, for one engine or any."""
        return from_facts(self.manifest.facts, engine) if self.manifest else None

    def deployment(
        self,
        engine: str,
        *,
        image: str,
        port: int,
        ready: Readiness,
        mount_path: str,
        concurrency: int,
        verdict: Verdict | None = None,
    ) -> Deployment:
        """Return the deployment as it is before the engine is told anything.

        Parameters
        ----------
        engine
            Id of the engine.
        mount_path
            Where the model's folder appears in the container.
        verdict
            What was found of the model when it was imported, of use to this engine.
        """
        machine = self.machine
        return Deployment(
            project=self.project,
            region=self.region,
            name=names.service_suggestion(engine, self.record.id),
            framework=engine,
            model_id=self.record.id,
            served_name=self.record.id,
            image=image,
            port=port,
            bucket=self.bucket,
            folder=self.record.prefix,
            mount_path=mount_path,
            probe=StartupProbe(ready.path, failures=machine.probe_failures, port=ready.port),
            accelerator=machine.accelerator,
            cpu=machine.cpu,
            memory_gib=machine.memory_gib,
            concurrency=concurrency,
            task=verdict.task if verdict else None,
        )
