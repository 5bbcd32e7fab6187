"""JSON text that others wrote, parsed within a limit of what it may hold.

A text can hold as many values as it has bytes, and each takes up to a hundred bytes of memory:
what is short enough to be read is not yet small enough to be parsed.
"""

from __future__ import annotations

import json
from typing import Any

MOST_VALUES = 400_000
"""Values of a text: those of 20,000 files with all their fields, and some more. They take less
than 100 MB of memory."""


class TooManyValuesError(ValueError):
    """A text holds more values than it may."""


def loads(raw: bytes | str) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    TooManyValuesError
        It holds more than :data:`MOST_VALUES`.
    ValueError
        It is no JSON, or nested too deep; says which.
    """
    text = raw if isinstance(raw, str) else raw.decode(json.detect_encoding(raw), "surrogatepass")
    if _holds_more(text.encode("utf-8", "surrogatepass"), MOST_VALUES):
        raise TooManyValuesError(f"It holds more than {MOST_VALUES} values.")
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("It is nested too deep.") from error


def _holds_more(text: bytes, most: int) -> bool:
    """Return whether a text may hold more values, by its commas and brackets outside of strings."""
    if _marks(text, 0, len(text)) <= most:
        return False
    # What is escaped ends no string; outside of strings nothing is.
    text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    found = strings = start = 0
    while found <= most and strings <= 2 * most:  # keys are strings too
        opened = text.find(b'"', start)
        if opened < 0:
            return found + _marks(text, start, len(text)) > most
        found += _marks(text, start, opened)
        strings += 1
        start = text.find(b'"', opened + 1) + 1
        if not start:  # the last one has no end
            return found > most
    return True


def _marks(text: bytes, start: int, end: int) -> int:
    return sum(text.count(mark, start, end) for mark in (b",", b"[", b"{"))
