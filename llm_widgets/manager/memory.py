"""Whether a model fits into the memory of the GPU that it is deployed with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.memory import MemoryModel, from_facts
from llm_widgets.errors import Fix, InvalidInputError, ManagerError
from llm_widgets.gcp.storage import metadata
from llm_widgets.imports import verify
from llm_widgets.serving import gpu_memory

if TYPE_CHECKING:
    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.memory import Estimate
    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.domain.services import Deployment
    from llm_widgets.gcp.client.clients import Clients

FIT_ANYWAY = "fit_anyway"
"""Field by which a person insists on what does not fit into the GPU."""


def kept(clients: Clients, bucket: str, record: ModelRecord) -> ModelManifest | None:
    """Read what was kept of a model when it was imported; ``None`` where nothing is there."""
    try:
        return verify.read_manifest(clients, bucket, record)
    except ManagerError:
        return None  # another application imported it: its size has to do


def model_of(record: ModelRecord, manifest: ModelManifest | None) -> MemoryModel:
    """Return what is known of a model's memory; without its layers, the size of its files is."""
    found = from_facts(manifest.facts) if manifest else None
    return found or MemoryModel(
        weights=record.size,
        layers=(),
        hidden=0,
        intermediate=0,
        vocab=0,
        heads=0,
        unknown="nothing was kept of its layers when it was imported.",
    )


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


def refuse_too_large(model: MemoryModel, wanted: Deployment) -> None:
    """Refuse a deployment that surely does not fit into its GPU.

    Raises
    ------
    InvalidInputError
        It does not; the field is the one by which a person can insist.
    """
    try:
        found = gpu_memory.estimate(model, wanted)
    except InvalidInputError:
        return  # the engine is told something odd: nothing can be told of its memory
    refuse_estimate(found)


def refuse_estimate(found: Estimate | None) -> None:
    """Refuse what an estimate says does surely not fit; see :func:`refuse_too_large`."""
    if found and found.is_refused:
        raise InvalidInputError(
            found.reason,
            field=FIT_ANYWAY,
            fix=Fix(text="Change something, or say that it is to be deployed anyway."),
        )
