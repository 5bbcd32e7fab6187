"""What an engine itself told of a GPU's memory when it started, and with what it was told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

MOST_STARTS = 8
"""Starts that are kept with a model: those with the configurations that were used last."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The engine's own numbers; bytes unless said, 0 for what it does not tell.

    Attributes
    ----------
    weights
        What loading the model took.
    cache
        The whole cache.
    work
        What is computed with.
    requests
        Requests of the whole context that the cache holds at once.
    context
        Tokens of such a request.
    tokens
        Tokens that the cache holds.
    """

    weights: int
    cache: int
    work: int = 0
    requests: float = 0.0
    context: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the memory that is taken depends on beside the model: another one is another start.

    Attributes
    ----------
    engine, image, accelerator
        Id of the engine; its image, which says its version; the GPU.
    told
        What the engine is told that matters, by name, in order.
    """

    engine: str
    image: str
    accelerator: str
    told: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class MeasuredStart:
    """What was measured with a configuration, and when."""

    configuration: Configuration
    measured: Measured
    at: datetime


def with_start(
    starts: tuple[MeasuredStart, ...], start: MeasuredStart
) -> tuple[MeasuredStart, ...]:
    """Return starts with a newer one, in the place of that with the same configuration."""
    others = (each for each in starts if each.configuration != start.configuration)
    return (*others, start)[-MOST_STARTS:]


def find_start(
    starts: tuple[MeasuredStart, ...], configuration: Configuration
) -> MeasuredStart | None:
    """Find the start with a configuration."""
    return next((each for each in starts if each.configuration == configuration), None)
