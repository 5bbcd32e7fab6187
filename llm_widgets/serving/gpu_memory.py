"""Whether a deployment fits into its GPU: what the engine is told, put to its estimate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import gpus
from llm_widgets.engines import registry

if TYPE_CHECKING:
    from llm_widgets.domain.memory import Estimate, MemoryModel
    from llm_widgets.domain.services import Deployment


def estimate(model: MemoryModel, deployment: Deployment) -> Estimate | None:
    """Estimate the GPU memory of a deployment.

    Returns
    -------
    Estimate | None
        ``None`` where it has no GPU, and where its engine is not known.

    Raises
    ------
    InvalidInputError
        The engine is told a number that is none.
    """
    gpu = gpus.by_accelerator(deployment.accelerator)
    engine = registry.of(deployment.framework)
    return engine.estimate(model, gpu, deployment) if gpu and engine else None


def context_of(deployment: Deployment) -> int:
    """Return the tokens of a request that an engine is told.

    Returns
    -------
    int
        0 where it finds them itself, and where it is not known.

    Raises
    ------
    InvalidInputError
        It is told something that is no number.
    """
    engine = registry.of(deployment.framework)
    return engine.context_of(deployment) if engine else 0
