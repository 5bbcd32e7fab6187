"""The door of the hubs: JSON that others wrote becomes checked values, or an error."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

from llm_widgets.errors import HubError

_T = TypeVar("_T")


def parsed(raw: bytes, *, name: str) -> Any:
    """Read JSON text.

    Parameters
    ----------
    name
        What the text is, to begin a sentence with.

    Raises
    ------
    HubError
        It is none.
    """
    try:
        # Not msgspec's own parser: files of models hold numbers such as Infinity.
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise HubError(f"{name} is not JSON.", cause=str(error)) from error


def checked(value: Any, kind: type[_T], *, wrong: str) -> _T:
    """Check values against a type and return them as it.

    Parameters
    ----------
    value
        Of parsed JSON, or an object with attributes.
    kind
        What is expected: field names, types and limits; other fields are left out.
    wrong
        The sentence for a value that is something else.

    Raises
    ------
    HubError
        It is something else; the cause says what, and where it stands.
    """
    try:
        return msgspec.convert(value, kind, from_attributes=True)
    except msgspec.ValidationError as error:
        raise HubError(wrong, cause=str(error)) from error


def read(raw: bytes, kind: type[_T], *, name: str, wrong: str = "") -> _T:
    """Read JSON text as values of a type: :func:`parsed`, then :func:`checked`."""
    return checked(parsed(raw, name=name), kind, wrong=wrong or f"{name} can't be read.")
