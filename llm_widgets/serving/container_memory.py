"""Whether a deployment starts within its container's memory, beside that of its GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.units import GIB, rounded_text
from llm_widgets.engines import registry

if TYPE_CHECKING:
    from llm_widgets.domain.memory import MemoryModel
    from llm_widgets.domain.services import Deployment


def needed_gib(model: MemoryModel, deployment: Deployment) -> float:
    """Return the GiB that starting takes at most, with the file cache; 0 where it can't be told.

    Raises
    ------
    InvalidInputError
        The engine is told a number that is none.
    """
    engine = registry.of(deployment.framework)
    if engine is None or (model.unknown and not deployment.accelerator):
        return 0
    return engine.container_bytes(model, deployment) / GIB + deployment.cache_gib


def why_too_small(model: MemoryModel, deployment: Deployment) -> str:
    """Return why a container is ended for its memory before it is ready; empty where it is not.

    Raises
    ------
    InvalidInputError
        The engine is told a number that is none.
    """
    needed = needed_gib(model, deployment)
    if needed <= deployment.memory_gib:
        return ""
    cache = f", {deployment.cache_gib} GiB for the file cache" * bool(deployment.cache_gib)
    return (
        f"Starting takes about {rounded_text(round(needed, 1))} GiB of the container's memory"
        f"{cache}, and it has {rounded_text(deployment.memory_gib)} GiB."
    )
