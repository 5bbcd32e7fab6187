"""The fields of a form."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

FieldKind = Literal[
    "text", "password", "select", "cards", "checkbox", "textarea", "number", "rows", "pairs"
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
        a list of strings, one in each row; ``pairs`` is a list of ``[name, value]``.
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
    show_when: tuple[str, str] | None = None
    default: FieldValue = None
    is_long: bool = False
    columns: tuple[str, ...] = ()
    add_label: str = ""


def fits(kind: str, value: object) -> bool:
    """Return whether a value from the browser has the type that a field of a kind gives."""
    if kind == "rows":
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if kind == "pairs":
        return isinstance(value, list) and all(
            isinstance(pair, list) and len(pair) == 2 and all(isinstance(t, str) for t in pair)  # noqa: PLR2004 - a pair
            for pair in value
        )
    types = {"checkbox": bool, "number": (int, float, type(None))}
    return isinstance(value, types.get(kind, str))  # type: ignore[arg-type] # a type or several


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
