"""How many requests Cloud Run sends to an instance, beside how many its engine works on at once.

What comes beyond that waits in the engine's queue, while Cloud Run starts no further instance:
it counts requests, and knows of no queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.engines import registry
from llm_widgets.errors import Fix, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.services import Deployment
    from llm_widgets.engines.base import Engine


def at_once(deployment: Deployment) -> int | None:
    """Return how many requests the engine works on; ``None`` where that is not known."""
    engine = registry.of(deployment.framework)
    if engine is None:
        return None
    if not is_set(engine, deployment):
        return engine.default_parallel(deployment)
    text = engine.parallel.told(deployment)
    is_plain = engine.parallel.name not in deployment.secrets and text.isdecimal()
    return (int(text) or None) if is_plain else None


def told(deployment: Deployment) -> str:
    """Return what the engine works on at once, in a sentence; empty where it is not known."""
    engine = registry.of(deployment.framework)
    if engine is None:
        return ""
    most, name = at_once(deployment), engine.parallel.name
    if is_set(engine, deployment):
        return f"{engine.label} works on {most} at a time ({name})." if most else ""
    number = most or "a number of its own choice"
    return f"{name} isn't set: {engine.label} works on {number} at a time."


def unset(deployment: Deployment) -> str:
    """Return :func:`told` where the engine is told nothing; empty where it is."""
    engine = registry.of(deployment.framework)
    return told(deployment) if engine and not is_set(engine, deployment) else ""


def problems(deployment: Deployment) -> Iterator[InvalidInputError]:
    """Yield an error where Cloud Run sends more than the engine works on at once."""
    engine = registry.of(deployment.framework)
    most = at_once(deployment)
    if engine and most and deployment.concurrency > most:
        yield InvalidInputError(
            f"Concurrent requests per instance must be at most {most}, not "
            f"{deployment.concurrency}. {told(deployment)}",
            field="concurrency",
            cause="More of them wait in the engine's queue, and no other instance starts.",
            fix=Fix(text=f"Lower the number to {most}, or raise {engine.parallel.name}."),
        )


def is_set(engine: Engine, deployment: Deployment) -> bool:
    """Return whether the engine is told how many requests it works on at once."""
    name = engine.parallel.name
    is_variable = name in deployment.environment or name in deployment.secrets
    return is_variable or engine.command_line.has(deployment.args, name)
