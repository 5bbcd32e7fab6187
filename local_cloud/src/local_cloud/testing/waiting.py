"""Waiting until something has come about."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")
LONG = 60
"""Seconds: far longer than anything takes on a busy machine; only a test that fails waits so."""


def until(
    condition: Callable[[], Found | Literal[False, 0, ""] | None],
    seconds: float = LONG,
    *,
    every: float = 0.05,
) -> Found:
    """Return what a condition returns once it holds; it is looked at every so many seconds.

    Raises
    ------
    AssertionError
        It did not hold in time.
    """
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"It did not come to that within {seconds:g} seconds.")
        time.sleep(every)
    return found
