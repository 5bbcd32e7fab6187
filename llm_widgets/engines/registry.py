"""The engines that there are, and which of them a service or a model has to do with.

What is not known is ``None``, and never taken for one of those that are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.engines.ollama.engine import Ollama
from llm_widgets.engines.vllm.engine import Vllm
from llm_widgets.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.engines.base import Chat, Engine

ENGINES: tuple[Engine, ...] = (
    Vllm(),
    Ollama(),
)
"""All engines. Of several that serve the models of a hub, the first one is offered first."""


def of(framework: str | None) -> Engine | None:
    """Return the engine of a label's value; ``None`` where it is none of those that are known."""
    return next((engine for engine in ENGINES if engine.id == framework), None)


def of_image(image: str) -> Engine | None:
    """Return the engine of a container image; ``None`` where it is none that is known."""
    name = image.lower()
    return next((engine for engine in ENGINES if engine.recognises(name)), None)


def for_source(hub: str) -> tuple[Engine, ...]:
    """Return the engines that serve the models of a hub, the preferred one first."""
    return tuple(engine for engine in ENGINES if hub in engine.hubs)


def framework_of(label: str, images: Iterable[str]) -> str:
    """Return which engine a service runs: what its label says, else whose image it has.

    Returns
    -------
    str
        Also what a label says that no engine here is called; empty where nothing tells.
    """
    found = (of_image(image) for image in images)
    return label or next((engine.id for engine in found if engine), "")


def label_of(framework: str) -> str:
    """Return an engine's name as people write it; one that is not known is named as it is."""
    engine = of(framework)
    return engine.label if engine else framework


def chat_of(framework: str) -> Chat:
    """Return where an engine is talked to.

    Raises
    ------
    InvalidInputError
        The engine is not known.
    """
    engine = of(framework)
    if engine is None:
        raise InvalidInputError(
            "How to talk to this service is not known here.",
            cause=f"Its engine is {f'“{framework}”' if framework else 'not known'}.",
        )
    return engine.chat
