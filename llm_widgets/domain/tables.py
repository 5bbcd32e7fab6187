"""What is listed, as text on a terminal, as HTML in a notebook and as plain values for programs."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar, overload

from llm_widgets.domain.units import bytes_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import SupportsIndex

Values = dict[str, Any]
"""Names to text, numbers, times, ``None`` for what is not known, lists and mappings of these."""

T_co = TypeVar("T_co", bound="Shown", covariant=True)

_BYTES = re.compile(r"(^|_)(size|bytes)$")
# What steers a terminal, or turns text round so that it reads as something else: controls but tab
# and line breaks, and bidi controls. ``dom.js`` has the same.
_STEERING = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
_LONGEST_CELL = 60  # characters, in a table on a terminal
_HREF = re.compile(r"https?://[\w.-]+(?::\d+)?(?:/[\w./~%+-]*)?")


def plain(text: str) -> str:
    """Return a text whose characters that steer a terminal are written as escapes."""
    return _STEERING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def escape(text: str) -> str:
    """Return HTML that shows a text: no markup, and escapes for what steers."""
    return html.escape(plain(text))


class Shown:
    """Something with a few values that are worth showing.

    ``print`` and notebooks show them below each other; :meth:`shown` is for programs.
    """

    __slots__ = ()

    def shown(self) -> Values:
        """Return the values that are worth showing, by name."""
        raise NotImplementedError

    def __str__(self) -> str:
        """Write the values below each other."""
        facts = _facts(self)
        width = max(map(len, facts), default=0)
        return "\n".join(f"{name:{width}}  {text}" for name, text in facts.items())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: FBT001 - IPython calls it so
        printer.text("…" if cycle else str(self))

    def _repr_html_(self) -> str:
        rows = (
            f"<tr><th>{escape(k)}</th><td>{_linked(v)}</td></tr>" for k, v in _facts(self).items()
        )
        return f"<table>{''.join(rows)}</table>"


class Listing(tuple[T_co, ...]):  # noqa: SLOT001 - it knows its columns beside its items
    """Things in their order, shown as a table.

    Parameters
    ----------
    found
        The things.
    columns
        Names of the values that are shown of each.
    """

    columns: tuple[str, ...]

    def __new__(cls, found: Iterable[T_co] = (), columns: Sequence[str] = ()) -> Listing[T_co]:
        """Make a tuple that knows its columns."""
        made = super().__new__(cls, found)
        made.columns = tuple(columns)
        return made

    @overload
    def __getitem__(self, index: SupportsIndex) -> T_co: ...

    @overload
    def __getitem__(self, index: slice) -> Listing[T_co]: ...

    def __getitem__(self, index: SupportsIndex | slice) -> T_co | Listing[T_co]:
        """Return one of the things, or a table of some."""
        found = super().__getitem__(index)
        return Listing(found, self.columns) if isinstance(index, slice) else found  # type: ignore[arg-type, return-value] # a slice is a tuple

    def table(self) -> list[list[str]]:
        """Return the cells as text, the headings first."""
        head = [_heading(name) for name in self.columns]
        return [head, *([_text(n, row.get(n)) for n in self.columns] for row in self.values())]

    def values(self) -> list[Values]:
        """Return what is shown of each thing, all of it."""
        return [each.shown() for each in self]

    def __str__(self) -> str:
        """Write the table for a terminal."""
        if not self:
            return "(none)"
        cells = [[_cut(plain(cell)) for cell in row] for row in self.table()]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return "\n".join(
            "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in cells
        )

    __repr__ = __str__

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: FBT001 - IPython calls it so
        printer.text("…" if cycle else str(self))

    def _repr_html_(self) -> str:
        if not self:
            return "<p>(none)</p>"
        head, *rows = self.table()
        titles = "".join(f"<th>{escape(title)}</th>" for title in head)
        lines = ("".join(f"<td>{_linked(cell)}</td>" for cell in row) for row in rows)
        body = "".join(f"<tr>{line}</tr>" for line in lines)
        return f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"


def _facts(shown: Shown) -> dict[str, str]:
    told = ((name, _text(name, value)) for name, value in shown.shown().items())
    return {_heading(name): plain(text) for name, text in told if text}


def _heading(name: str) -> str:
    return name.replace("_", " ")


def _text(name: str, value: Any) -> str:
    """Return a value as a person reads it; empty for what is not known."""
    match value:
        case None:
            text = ""
        case bool():
            text = "yes" if value else "no"
        case int() | float() if _BYTES.search(name):
            text = bytes_text(value)
        case float():
            text = f"{value:.4g}"
        case datetime():
            text = _time_text(value)
        case Mapping():
            text = ", ".join(f"{key}={each}" for key, each in value.items())
        case list() | tuple():
            text = ", ".join(map(str, value))
        case _:
            text = str(value)
    return text


def _time_text(value: datetime) -> str:
    """Return a time as clocks here show it; one that no clock shows is shown as it came."""
    try:
        return value.astimezone().strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError):
        return value.isoformat(" ", "minutes")


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_CELL else f"{line[: _LONGEST_CELL - 1]}…"


def _linked(text: str) -> str:
    """Return a cell as HTML; an address alone can be followed."""
    shown = escape(text)
    if _HREF.fullmatch(text):
        return f'<a href="{shown}" target="_blank" rel="noopener noreferrer">{shown}</a>'
    return shown.replace("\n", "<br>")
