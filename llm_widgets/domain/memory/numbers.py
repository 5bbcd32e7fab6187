"""Whole numbers out of a model's configuration, which anyone may have written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain.memory.model import UnknownLayersError

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_LAYERS = 4096
"""More than any model has: what claims more is no model."""

_LARGEST = 1 << 40


def whole(config: Mapping[str, Any], key: str) -> int | None:
    """Return a number above zero; ``None`` where there is something else, or nothing."""
    value = config.get(key)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value < _LARGEST else None


def first(config: Mapping[str, Any], *keys: str) -> int | None:
    """Return the number under the first of several names."""
    return next((value for key in keys if (value := whole(config, key)) is not None), None)


def required(config: Mapping[str, Any], *keys: str) -> int:
    """Return the number under the first of several names.

    Raises
    ------
    UnknownLayersError
        There is none.
    """
    value = first(config, *keys)
    if value is None:
        raise UnknownLayersError(f"its configuration lacks “{keys[0]}”")
    return value
