"""The engines that there are, and which of them a service or a model has to do with.

What is not known is ``None``, and never taken for one of those that are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.engines.llama_cpp.engine import LlamaCpp
from llm_widgets.engines.ollama.engine import Ollama
from llm_widgets.engines.others import OTHERS, Other
from llm_widgets.engines.recognising import key_told, recognise
from llm_widgets.engines.vllm.engine import Vllm
from llm_widgets.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.domain.loading import Task
    from llm_widgets.domain.recognition import Recognition, SeenContainer
    from llm_widgets.engines.base import Api, Engine
    from llm_widgets.engines.settings import Container

ENGINES: tuple[Engine, ...] = (
    Vllm(),
    Ollama(),
    LlamaCpp(),
)
"""All engines. Of several that serve the models of a hub, the first one is offered first."""


def of(framework: str | None) -> Engine | None:
    """Return the engine of a label's value; ``None`` where it is none of those that are known."""
    return next((engine for engine in ENGINES if engine.id == framework), None)


def of_image(image: str) -> Engine | None:
    """Return the engine of a container image; ``None`` where it is none that is known."""
    name = image.lower()
    return next((engine for engine in ENGINES if engine.recognises(name)), None)


def is_asked(framework: str) -> bool:
    """Return whether this product knows how an engine is talked to."""
    return framework in ids()


def ids() -> tuple[str, ...]:
    """Return the ids of all engines that are known, also of those that are not deployed."""
    return tuple(engine.id for engine in _all())


def _all() -> tuple[Engine | Other, ...]:
    return (*ENGINES, *OTHERS)


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
    engine = of(framework) or other(framework)
    return engine.label if engine else framework


def other(framework: str) -> Other | None:
    """Return the engine of an id that is recognised and not deployed; ``None`` for any other."""
    return next((each for each in OTHERS if each.id == framework), None)


def recognised(containers: Iterable[SeenContainer]) -> Recognition | None:
    """Return which engine the containers of a service run; ``None`` where too little says so.

    Of several that may be meant, the surest one; among equals, the one beside the GPU.
    """
    seen = sorted(containers, key=lambda each: (not each.has_gpu, not each.port))
    found = [
        replace(known, is_direct=bool(each.port))
        for each in seen
        for engine in _all()
        if (known := recognise(engine.id, engine.label, engine.signs, each))
    ]
    return min(found, key=lambda known: known.confidence.rank, default=None)


def key_of(containers: Iterable[SeenContainer]) -> str:
    """Return the key that an engine among some containers asks its callers for.

    Returns
    -------
    str
        Empty where it asks for none, or has it from a secret.
    """
    told = (
        key_told(engine.signs, each)
        for each in containers
        for engine in _all()
        if recognise(engine.id, engine.label, engine.signs, each)
    )
    return next(filter(None, told), "")


def task_of(framework: str, container: Container, said: Task | None) -> Task | None:
    """Return what a service does; ``None`` where nothing tells.

    Parameters
    ----------
    container
        What its engine is told.
    said
        What was found of its model when it was imported.
    """
    engine, elsewhere = of(framework), other(framework)
    if elsewhere:
        return elsewhere.task or said
    return engine.task(container, said) if engine else said


def api_of(framework: str) -> Api:
    """Return where an engine is talked to.

    Raises
    ------
    InvalidInputError
        The engine is not known.
    """
    engine = of(framework) or other(framework)
    if engine is None:
        raise InvalidInputError(
            "This manager can't talk to this service.",
            cause=f"Its engine is {f'“{framework}”' if framework else 'not known'}.",
        )
    return engine.api
