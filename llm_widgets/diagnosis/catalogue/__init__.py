"""All failures that are known: those of any service here, and those that engines say."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from llm_widgets.diagnosis.catalogue import (
    access,
    containers,
    files,
    gguf,
    gpu,
    gpu_quotas,
    images,
    local,
    memory,
    mounts,
    packages,
    quotas,
    requests,
    services,
)
from llm_widgets.engines import registry

if TYPE_CHECKING:
    from llm_widgets.domain.failures.known_failure import KnownFailure
    from llm_widgets.engines.base import Engine


def catalogue(framework: str | None = None) -> tuple[KnownFailure, ...]:
    """Return the failures that a service may have.

    Among failures of one rank that appear at the same place, the one that comes first counts.

    Parameters
    ----------
    framework
        Id of its engine: what other engines say is left out. Where it is none that is known, no
        engine's failures are among them; with ``None``, as nobody has looked, those of all are.
    """
    if framework is None:
        return _of(registry.ENGINES, registry.ENGINES)
    engine = registry.of(framework)
    return _of(registry.ENGINES, (engine,) if engine else ())


@lru_cache
def _of(engines: tuple[Engine, ...], asked: tuple[Engine, ...]) -> tuple[KnownFailure, ...]:
    listening = tuple(sign for engine in asked for sign in engine.listening)
    return (
        local.not_here(engines),
        *local.FAILURES,
        *gpu_quotas.FAILURES,
        *quotas.FAILURES,
        *access.FAILURES,
        *requests.FAILURES,
        *images.FAILURES,
        *mounts.FAILURES,
        # What an engine says of itself comes before what any program may say.
        *(failure for engine in asked for failure in engine.failures),
        *gpu.FAILURES,
        *memory.FAILURES,
        *gguf.FAILURES,
        *files.FAILURES,
        *packages.FAILURES,
        containers.elsewhere(listening),
        *containers.FAILURES,
        *services.FAILURES,
    )
