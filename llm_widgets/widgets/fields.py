"""The fields of a form."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FieldKind = Literal[
    "text",
    "password",
    "select",
    "cards",
    "checkbox",
    "textarea",
    "number",
    "datetime",
    "rows",
    "pairs",
]
FieldValue = str | bool | float | tuple[str, ...] | tuple[tuple[str, str], ...] | None


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a field; ``description`` is shown on ``cards``."""

    value: str
    label: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form.

    Attributes
    ----------
    key
        Key of its value.
    label
        Words above it.
    kind
        ``cards`` is a choice of one, each `Option` explained on a card of its own; ``rows`` is
        a list of strings, one in each row; ``pairs`` is a list of ``[name, value]``;
        ``datetime`` is asked for in the time zone of the browser, which it names, and is given
        in UTC in the form of ISO 8601, empty for none.
    help
        One line below it.
    required
        Whether it must be filled in.
    value
        What it holds when the dialog opens. Never a secret: this is widget state.
    options
        Choices of ``select`` and ``cards``.
    suggestions
        Values offered while typing in a ``text`` field, each with a remark beside it.
    pattern, pattern_help
        Regular expression for the whole value, and the sentence that says what it asks for.
    placeholder
        Example in an empty field.
    max_length
        Characters; 0 for no limit.
    minimum, maximum, step
        Limits of a ``number``; the step is 1 unless given.
    group
        Heading of the card that the field stands on; in a dialog it is not shown.
    is_advanced
        Whether its card stands behind a line "Advanced", which unfolds it; all fields of a group
        are either.
    show_when
        ``(key, value)``: shown, checked and sent only while the other field has that value.
    default
        What a button beside the field restores; none without it.
    is_long
        Whether it takes two columns of its card, as an address does.
    columns, add_label
        Names of the boxes of a row of ``rows`` and ``pairs``, and words on the button that adds
        one.
    """

    key: str
    label: str
    kind: FieldKind = "text"
    help: str = ""
    required: bool = False
    value: FieldValue = None
    options: tuple[Option, ...] = ()
    suggestions: tuple[Option, ...] = ()
    pattern: str = ""
    pattern_help: str = ""
    placeholder: str = ""
    max_length: int = 0
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    group: str = ""
    is_advanced: bool = False
    show_when: tuple[str, str] | None = None
    default: FieldValue = None
    is_long: bool = False
    columns: tuple[str, ...] = ()
    add_label: str = ""


_LONGEST_LINE = 100_000  # characters of a field of one line
_LINES = ("text", "password", "datetime")
_CHOICES = ("select", "cards")


def is_choice(field: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Return whether a field, as it is written down, is a choice that is shown beside values."""
    condition = field["show_when"]
    is_shown = condition is None or values.get(condition[0]) == condition[1]
    return field["kind"] in _CHOICES and is_shown


def may_hold(field: Mapping[str, Any], value: object) -> bool:
    """Return whether a field, as it is written down, offers a value from the browser, or takes it.

    What a person may well type, such as a number out of its limits, is told to them elsewhere.
    """
    kind = field["kind"]
    if not fits(kind, value):
        return False
    if kind in _CHOICES:  # one that offers nothing yet is sent empty
        offered = [option["value"] for option in field["options"]] or [""]
        return value in offered
    return kind not in _LINES or not isinstance(value, str) or len(value) <= _LONGEST_LINE


def fits(kind: str, value: object) -> bool:
    """Return whether a value from the browser has the type that a field of a kind gives."""
    if kind == "rows":
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if kind == "pairs":
        return isinstance(value, list) and all(
            isinstance(pair, list) and len(pair) == 2 and all(isinstance(t, str) for t in pair)  # noqa: PLR2004 - a pair
            for pair in value
        )
    if kind == "number":
        return value is None or (_is_number(value) and math.isfinite(value))
    return isinstance(value, bool if kind == "checkbox" else str)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def described(fields: Sequence[Field]) -> list[dict[str, Any]]:
    """Write fields down for the browser.

    Raises
    ------
    ValueError
        Two have the same key, or a password would become widget state.
    """
    keys = [field.key for field in fields]
    if len(set(keys)) != len(keys):
        raise ValueError("two fields have the same key")
    for field in fields:
        if field.kind == "password" and field.value is not None:
            raise ValueError("a password field has no default: it would be widget state")
    return [asdict(field) for field in fields]
