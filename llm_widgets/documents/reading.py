"""What all documents have in common: their limits, and how JSON becomes checked values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import msgspec

from llm_widgets.domain import json_text
from llm_widgets.errors import DocumentError

LARGEST = 16 << 20
"""Bytes of the largest document. A plan of 10,000 files with 50 kB of their own takes 6 MiB."""

MOST_FILES = 20_000
"""Files of a model; the largest at Hugging Face have some thousands."""

_DEEPEST = 32
"""Nested lists and objects; the product writes at most eight."""

_FIRST_YEAR, _LAST_YEAR = 2000, 2200

_T = TypeVar("_T")

# Lengths in characters, of what is shown to people or becomes a part of a name.
Line = Annotated[str, msgspec.Meta(max_length=1024, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Name = Annotated[Line, msgspec.Meta(min_length=1)]
Sentence = Annotated[str, msgspec.Meta(max_length=10_000)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 50)]
Crc32c = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9+/]{6}==\Z")]


def parsed(raw: bytes | str, *, name: str) -> Any:
    """Read JSON text within the limits of :mod:`llm_widgets.documents`.

    Parameters
    ----------
    name
        What the text is, to begin a sentence with.

    Raises
    ------
    DocumentError
        It is too long, too deep, holds too much or what is no text, or is no JSON.
    """
    if len(raw) > LARGEST:
        raise DocumentError(f"{name} is too large.", cause=f"It has more than {LARGEST} bytes.")
    try:
        value = json_text.loads(raw)
        _check_depth(value)
    except ValueError as error:
        raise DocumentError(f"{name} can't be read.", cause=str(error)) from error
    return value


def checked(value: Any, kind: type[_T], *, name: str) -> _T:
    """Check values of parsed JSON against a type and return them as it; more fields are left out.

    Raises
    ------
    DocumentError
        They are something else; the cause says what, and where it stands.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise DocumentError(f"{name} can't be read.", cause=str(error)) from error


def read(raw: bytes | str, kind: type[_T], *, name: str) -> _T:
    """Read JSON text as values of a type: :func:`parsed`, then :func:`checked`."""
    return checked(parsed(raw, name=name), kind, name=name)


def time(value: datetime, *, name: str) -> datetime:
    """Check a time and return it in UTC; one without a zone is taken to be in UTC.

    Raises
    ------
    DocumentError
        It lies centuries from now, where nobody can reckon with it.
    """
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise DocumentError(f"{name} can't be read.", cause=f"It names the year {value.year}.")
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def refuse_later(version: int, known: int, *, name: str) -> None:
    """Refuse a document of a later version of the product.

    Raises
    ------
    DocumentError
        It is one.
    """
    if version > known:
        raise DocumentError(
            f"{name} can't be read.", cause="A later version of this product wrote it."
        )


def _check_depth(value: Any) -> None:
    """Walk through all values, level by level, so that no depth ends the walk itself."""
    level = [value]
    for _ in range(_DEEPEST):
        below: list[Any] = []
        for each in level:
            if isinstance(each, str):
                _check_text(each)
            elif isinstance(each, dict):
                for key in each:
                    _check_text(key)
                below.extend(each.values())
            elif isinstance(each, list):
                below.extend(each)
        if not below:
            return
        level = below
    raise ValueError("It is nested too deep.")


def _check_text(text: str) -> None:
    if not text.isascii():
        text.encode()  # raises for half of a surrogate pair, which no document can be written with
