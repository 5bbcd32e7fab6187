"""The door of the hubs: JSON that others wrote becomes checked values, or an error."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec

from llm_widgets.domain import json_text
from llm_widgets.errors import HubError

TEXT = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]*\Z"
"""Pattern of a name that can be shown and stored: without controls, bidi controls, and halves of
characters, which are no text."""

Text = Annotated[str, msgspec.Meta(pattern=TEXT)]
"""Such a name."""

LARGEST_FILE = 1 << 50
"""Bytes of a file beyond which a size can't be meant; Cloud Storage takes 5 TiB."""

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
        It is none, or holds more than a model's files do.
    """
    try:
        # Not msgspec's own parser: files of models hold numbers such as Infinity.
        return json_text.loads(raw)
    except json_text.TooManyValuesError as error:
        raise HubError(f"{name} holds too much.", cause=str(error)) from error
    except ValueError as error:
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
    except UnicodeError as error:  # halves of characters, in a place that takes no text
        raise HubError(wrong, cause="It holds halves of characters.") from error


def read(raw: bytes, kind: type[_T], *, name: str, wrong: str = "") -> _T:
    """Read JSON text as values of a type: :func:`parsed`, then :func:`checked`."""
    return checked(parsed(raw, name=name), kind, wrong=wrong or f"{name} can't be read.")
