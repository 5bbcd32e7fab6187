"""One of several texts, chosen by its name, with a copy button."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from llm_widgets.widgets.details import CopyText
from llm_widgets.widgets.layout import card

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class TextTabs:
    """Texts by their names, each written when it is shown; ``box`` is what goes into the page."""

    def __init__(self, title: str, text: str) -> None:
        self._write: Callable[[str], str] = str
        self._shown = CopyText(label=title)
        self._choice = w.Dropdown(description="Format", options=[])
        self._choice.observe(lambda _: self._draw(), "value")
        self.box = card(title, self._choice, self._shown, text=text)

    def show(self, names: Sequence[str], write: Callable[[str], str]) -> None:
        """Show other texts; the one that was chosen stays so where it is there.

        Parameters
        ----------
        write
            Writes the text with a name.
        """
        self._write = write
        if tuple(self._choice.options) != tuple(names):
            chosen = self._choice.value
            self._choice.options = tuple(names)
            self._choice.value = chosen if chosen in names else names[0]
        self._draw()

    def _draw(self) -> None:
        if self._choice.value:
            self._shown.text = self._write(self._choice.value)
