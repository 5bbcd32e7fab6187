"""Asking a service for the name of its model, where its description does not tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.widgets.html import note
from llm_widgets.widgets.layout import button, row, stack
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    from llm_widgets.page.services.service import ServicePageState


class NamePanel:
    """A sentence and a button; ``box`` is what goes into the page."""

    def __init__(self, state: ServicePageState) -> None:
        self._state = state
        self._notice = Notice()
        self._ask = button("Ask for the model", style="outlined")
        self._ask.on_click(lambda _: state.ask_name())
        self.box = stack(
            note(
                "The description of this service does not name its model. Asking the service may "
                "start an instance."
            ),
            self._notice,
            row(self._ask),
        )
        state.observe(self._draw, ["asks_name", "name_error"])
        self._draw()

    def _draw(self, _: object = None) -> None:
        self._ask.disabled = self._state.asks_name
        if self._state.name_error:
            self._notice.show_error(self._state.name_error)
        elif self._state.asks_name:
            self._notice.show("info", "Asking the service for its models …")
        else:
            self._notice.clear()
