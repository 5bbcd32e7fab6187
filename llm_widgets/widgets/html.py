"""Text with a little structure. The only place where ``widgets.HTML`` is made.

``widgets.HTML`` shows what it is given as HTML; everything here is escaped.
"""

from __future__ import annotations

import ipywidgets as w

from llm_widgets.domain.tables import escape
from llm_widgets.widgets._plain import Plain

_HEADING_LEVELS = range(1, 5)


def heading(text: str, level: int = 2) -> w.HTML:
    """Make a heading of level 1 to 4."""
    if level not in _HEADING_LEVELS:
        raise ValueError("headings have the levels 1 to 4")
    return _html(f"<h{level}>{escape(text)}</h{level}>", "llm-heading")


def paragraph(text: str) -> w.HTML:
    """Make a paragraph."""
    return _html(f"<p>{escape(text)}</p>", "llm-paragraph")


def note(text: str) -> w.HTML:
    """Make a paragraph in quieter colour."""
    return _html(f"<p>{escape(text)}</p>", "llm-paragraph", "llm-quiet")


def set_text(widget: w.HTML, text: str) -> None:
    """Replace the text of a widget made by this module, keeping its element."""
    tag = widget.value[1 : widget.value.index(">")]
    widget.value = f"<{tag}>{escape(text)}</{tag}>"


class _Html(Plain, w.HTML):  # type: ignore[misc] # ipywidgets has no types
    """An element that style sheets style."""


def _html(value: str, *classes: str) -> w.HTML:
    widget = _Html(value)
    for name in classes:
        widget.add_class(name)
    return widget
