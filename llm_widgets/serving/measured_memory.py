"""What an engine measured of a GPU's memory beside what was estimated, in words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.domain.memory.estimate import gib_text
from llm_widgets.engines import measuring, registry
from llm_widgets.errors import InvalidInputError
from llm_widgets.serving import gpu_memory

if TYPE_CHECKING:
    from llm_widgets.domain.memory import Estimate, MemoryModel
    from llm_widgets.domain.memory.measured import MeasuredStart
    from llm_widgets.domain.services import Deployment


def of(model: MemoryModel, deployment: Deployment) -> MeasuredStart | None:
    """Return what was measured of a model with the configuration of a deployment, if it was."""
    engine = registry.of(deployment.framework)
    return measuring.known(engine, model, deployment) if engine else None


def compared(model: MemoryModel, deployment: Deployment) -> str:
    """Write what was measured beside what is estimated; empty where nothing was measured."""
    start = of(model, deployment)
    if start is None:
        return ""
    engine = registry.label_of(deployment.framework)
    measured = start.measured
    plain = _plain(model, deployment)
    parts = [
        f"weights {gib_text(measured.weights)}{_beside(plain.weights.bytes if plain else None)}"
    ]
    held = f" for {measured.tokens:,} tokens" if measured.tokens else ""
    parts.append(f"cache {gib_text(measured.cache)}{held}{_beside(_cache(start, plain))}")
    if measured.work:
        work = plain.activations.bytes if plain else None
        parts.append(f"computing {gib_text(measured.work)}{_beside(work)}")
    return f"{engine} measured on {start.at:%Y-%m-%d} with these settings: {', '.join(parts)}."


def _plain(model: MemoryModel, deployment: Deployment) -> Estimate | None:
    """Estimate as if nothing had been measured."""
    try:
        found = gpu_memory.estimate(replace(model, starts=()), deployment)
    except InvalidInputError:
        return None
    return found if found and found.known else None


def _cache(start: MeasuredStart, plain: Estimate | None) -> int | None:
    """Return the estimate of the whole cache: what is left for it, where it takes that."""
    if plain is None:
        return None
    takes_the_rest = bool(start.measured.requests or start.measured.tokens)
    return plain.kv_cache.bytes + max(0, plain.free) * takes_the_rest


def _beside(estimated: int | None) -> str:
    return "" if estimated is None else f" (estimated {gib_text(estimated)})"
