"""What engines measured of a GPU's memory when they started, beside what is estimated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import gpus
from llm_widgets.domain.memory.estimate import memory_bytes
from llm_widgets.domain.memory.measured import Configuration, Measured, MeasuredStart, find_start

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.domain.memory import MemoryModel
    from llm_widgets.domain.services import Deployment
    from llm_widgets.engines.base import Engine

_LEAST, _MOST = 0.5, 1.5
"""Shares of the weights beyond which what a log tells is of another model."""

_MOST_OF_GPU = 1.05  # what a GPU has differs a little from what is known of its kind


def configuration(engine: Engine, deployment: Deployment) -> Configuration:
    """Return what the memory that an engine takes depends on, of a deployment."""
    return Configuration(
        engine=engine.id,
        image=deployment.image,
        accelerator=deployment.accelerator,
        told=tuple(sorted(engine.memory_settings(deployment).items())),
    )


def known(engine: Engine, model: MemoryModel, deployment: Deployment) -> MeasuredStart | None:
    """Return what was measured of a model with the configuration of a deployment, if it was."""
    return find_start(model.starts, configuration(engine, deployment))


def measured(
    engine: Engine, model: MemoryModel, deployment: Deployment, lines: Iterable[str]
) -> Measured | None:
    """Read what an engine measured out of its log; ``None`` where that can't be of this model.

    Anybody's container may have written the log: what it tells must be possible.
    """
    found = engine.measured_start(lines)
    gpu = gpus.by_accelerator(deployment.accelerator)
    if found is None or gpu is None or model.weights <= 0:
        return None
    is_of_model = _LEAST * model.weights <= found.weights <= _MOST * model.weights
    fits = 0 <= found.weights + found.cache + found.work <= memory_bytes(gpu) * _MOST_OF_GPU
    return found if is_of_model and fits else None
