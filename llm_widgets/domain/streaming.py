"""Weights that are read out of a bucket without mounting it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Streaming:
    """How an engine reads weights from an address in Cloud Storage.

    Attributes
    ----------
    trade
        When that is faster, and how that is known, in sentences.
    words
        What it is told of weights that it can stream, however it reads them.
    """

    trade: str
    words: tuple[str, ...]


def address(bucket: str, folder: str) -> str:
    """Return the address of a model's folder in Cloud Storage."""
    return f"gs://{bucket}/{folder}" if folder else f"gs://{bucket}"
