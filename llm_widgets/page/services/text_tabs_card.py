"""One of several texts, chosen by its name, with a copy button."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from llm_widgets.widgets.details import CopyText
from llm_widgets.widgets.layout import card

if TYPE_CHECKING:
    from collections.abc import Mapping


class TextChoice:
    """Texts by their names; ``box`` is what goes into the page."""

    def __init__(self, title: str, text: str) -> None:
        self._texts: dict[str, str] = {}
        self._shown = CopyText(label=title)
        self._choice = w.Dropdown(description="Written as", options=[])
        self._choice.observe(lambda _: self._draw(), "value")
        self.box = card(title, self._choice, self._shown, text=text)

    def show(self, texts: Mapping[str, str]) -> None:
        """Show other texts; the one that was chosen stays so where it is there."""
        self._texts = dict(texts)
        if tuple(self._choice.options) != tuple(texts):
            chosen = self._choice.value
            self._choice.options = tuple(texts)
            self._choice.value = chosen if chosen in texts else next(iter(texts))
        self._draw()

    def _draw(self) -> None:
        self._shown.text = self._texts.get(self._choice.value or "", "")
