"""The table of tensors at the head of a file of weights."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor: its name, its type as the file writes it, its shape and its bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    size: int
