"""Whether a model fits into the memory of the GPU and of the container that it is deployed with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.domain import loading
from llm_widgets.domain.memory import MemoryModel, from_facts
from llm_widgets.engines import registry
from llm_widgets.errors import Fix, InvalidInputError, ManagerError
from llm_widgets.gcp.storage import metadata
from llm_widgets.imports import verify
from llm_widgets.serving import container_memory, gpu_memory

if TYPE_CHECKING:
    from llm_widgets.domain.loading import Task
    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.domain.services import Deployment
    from llm_widgets.gcp.client.clients import Clients

FIT_ANYWAY = "fit_anyway"
"""Field by which a person insists on what does not fit into the memory."""


def kept(clients: Clients, bucket: str, record: ModelRecord) -> ModelManifest | None:
    """Read what was kept of a model when it was imported; ``None`` where nothing is there."""
    try:
        return verify.read_manifest(clients, bucket, record)
    except ManagerError:
        return None  # another application imported it: its size has to do


def model_of(record: ModelRecord, manifest: ModelManifest | None) -> MemoryModel:
    """Return what is known of a model's memory; without its layers, the size of its files is."""
    found = from_facts(manifest.facts) if manifest else None
    found = found or MemoryModel(
        weights=record.size,
        layers=(),
        hidden=0,
        intermediate=0,
        vocab=0,
        heads=0,
        unknown="its layers were not recorded on import.",
    )
    return replace(found, starts=record.starts)


def served(clients: Clients, bucket: str, folder: str) -> ModelRecord | None:
    """Find the model in a folder of a bucket; ``None`` where the bucket's list has none there.

    Raises
    ------
    ManagerError
        The list can't be read.
    """
    if not bucket or not folder:
        return None
    file, _ = metadata.read_metadata(clients.storage(), bucket)
    return next((each for each in file.models if each.prefix == folder), None)


def of_deployment(clients: Clients, deployment: Deployment) -> MemoryModel | None:
    """Return what is known of the memory of a deployment's model; ``None`` where nobody knows."""
    try:
        record = served(clients, deployment.bucket, deployment.folder)
    except ManagerError:
        return None  # who may not read the bucket sees the rest
    return model_of(record, kept(clients, deployment.bucket, record)) if record else None


def manifest_of(clients: Clients, deployment: Deployment) -> ModelManifest | None:
    """Read what was kept of a deployment's model; ``None`` where nothing is there, or no right."""
    try:
        record = served(clients, deployment.bucket, deployment.folder)
    except ManagerError:
        return None
    return kept(clients, deployment.bucket, record) if record else None


def task_of(clients: Clients, deployment: Deployment) -> Task | None:
    """Return what a deployment does, by what was kept of its model; ``None`` where nobody knows."""
    manifest = manifest_of(clients, deployment)
    verdict = loading.from_facts(manifest.facts) if manifest else None
    said = verdict.task if verdict else None
    return registry.task_of(deployment.framework, deployment, said)


def refuse_too_large(
    model: MemoryModel, wanted: Deployment, before: Deployment | None = None
) -> None:
    """Refuse a deployment that does not fit into its GPU, or into its container's memory.

    Parameters
    ----------
    before
        What is deployed already: what did not fit in the same way then is left alone, as somebody
        has insisted on it.

    Raises
    ------
    InvalidInputError
        It does not; the field is the one by which a person can insist.
    """
    reason = _why_too_large(model, wanted)
    if reason and not (before and reason == _why_too_large(model, before)):
        raise InvalidInputError(
            reason,
            field=FIT_ANYWAY,
            fix=Fix(text="Change the deployment, or tick “Deploy despite the memory estimate”."),
        )


def _why_too_large(model: MemoryModel, deployment: Deployment) -> str:
    """Return why a deployment does not fit, empty where it does or where nobody can tell."""
    try:
        found = gpu_memory.estimate(model, deployment)
        too_small = container_memory.why_too_small(model, deployment)
    except InvalidInputError:
        return ""  # the engine is told something odd: nothing can be told of its memory
    return found.reason if found and found.is_refused else too_small
