"""Weights that are read out of a bucket without mounting it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.services import Deployment


@dataclass(frozen=True, slots=True)
class Streaming:
    """How an engine reads weights from an address in Cloud Storage.

    Attributes
    ----------
    trade
        When that is faster, and how that is known, in sentences.
    words
        What it is told of weights that it can stream, however it reads them.
    is_faster
        Whether that is known to be faster, by the bytes of a model and its deployment.
    """

    trade: str
    words: tuple[str, ...]
    is_faster: Callable[[int, Deployment], bool]


def address(bucket: str, folder: str) -> str:
    """Return the address of a model's folder in Cloud Storage."""
    return f"gs://{bucket}/{folder}" if folder else f"gs://{bucket}"
