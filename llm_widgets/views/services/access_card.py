"""Who may call a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from llm_widgets.cloud.access import PUBLIC
from llm_widgets.widgets.dialog import ConfirmDialog
from llm_widgets.widgets.layout import button, card, row
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.table import Action, Column, DataTable

if TYPE_CHECKING:
    from llm_widgets.cloud.access import Invoker
    from llm_widgets.state.service_page import ServicePageState


class AccessCard:
    """The list with ways to add and remove; ``box`` goes into the page, ``dialog`` beside it."""

    def __init__(self, state: ServicePageState) -> None:
        self._state = state
        self._asked: Invoker | None = None
        self._error = Notice()
        self._public = Notice()
        self._table = DataTable(
            caption="Who may call",
            columns=(Column("member", "Member"), Column("condition", "Condition")),
            actions=(Action("remove", "Remove", danger=True),),
            empty="Nobody by the service's own policy; roles on the project count as well.",
        )
        self._who = w.Text(description="Member", placeholder="user:ann@example.org")
        add = button("Add", style="outlined")
        add.on_click(lambda _: self._add())
        self.dialog = ConfirmDialog(submit_label="Remove")
        self.dialog.on_submit(lambda _: self._remove())
        self.box = card(
            "Who may call",
            self._error,
            self._public,
            self._table,
            row(self._who, add),
            text="Members with roles/run.invoker on this service.",
        )
        self._table.on_action(self._act)
        state.observe(self._draw, ["invokers", "access_error"])
        self._draw()

    def _add(self) -> None:
        if self._who.value.strip():
            self._state.add_invoker(self._who.value)
            self._who.value = ""

    def _act(self, _: str, key: str) -> None:
        invoker = self._state.invokers[int(key)] if int(key) < len(self._state.invokers) else None
        self._asked = invoker
        if invoker:
            self.dialog.ask(
                title=f"Remove {invoker.member}?",
                text="It may not call this service any more, unless a role on the project lets it.",
            )
            self.dialog.show()

    def _remove(self) -> None:
        self.dialog.close()
        if self._asked:
            self._state.remove_invoker(self._asked)

    def _draw(self, _: object = None) -> None:
        state = self._state
        self._table.rows = [
            {
                "id": str(index),
                "name": invoker.member,
                "member": invoker.member,
                "condition": invoker.condition or None,
            }
            for index, invoker in enumerate(state.invokers)
        ]
        if state.access_error:
            self._error.show_error(state.access_error)
        else:
            self._error.clear()
        if any(invoker.member in PUBLIC for invoker in state.invokers):
            self._public.show("warning", "Everybody may call this service, and you pay for it.")
        else:
            self._public.clear()
