"""Who may call a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from llm_widgets.domain.members import PUBLIC
from llm_widgets.widgets.dialog import ConfirmDialog
from llm_widgets.widgets.layout import button, card, row, show_if
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.table import Action, Column, DataTable

if TYPE_CHECKING:
    from llm_widgets.gcp.iam.policy import Grant
    from llm_widgets.page.services.service import ServicePageState

_NONE = "No callers in the service's policy. Roles on the project count as well."


class AccessCard:
    """The list with ways to add and remove; ``box`` goes into the page, ``dialogs`` beside it."""

    def __init__(self, state: ServicePageState) -> None:
        self._state = state
        self._asked: Grant | None = None
        self._named = ""  # who is asked about: the field may say something else by the answer
        self._error = Notice()
        self._public = Notice()
        self._table = DataTable(
            caption="Callers",
            columns=(Column("member", "Member"), Column("condition", "Condition")),
            actions=(Action("remove", "Remove", danger=True),),
        )
        self._who = w.Text(description="Member", placeholder="user:ann@example.org")
        add = button("Add", style="outlined")
        add.on_click(lambda _: self._add())
        self._adding = row(self._who, add)
        self._removal = ConfirmDialog(submit_label="Remove")
        self._removal.on_submit(lambda _: self._remove())
        self._opening = ConfirmDialog(submit_label="Allow public access")
        self._opening.on_submit(lambda _: self._open())
        self.dialogs = (self._removal, self._opening)
        self.box = card(
            "Callers",
            self._error,
            self._public,
            self._table,
            self._adding,
            text="Members with roles/run.invoker on this service: user:, group:, "
            "serviceAccount:, domain:, principal: or principalSet:, then the address.",
        )
        self._table.on_action(self._act)
        state.observe(self._draw, ["invokers", "invokers_loaded", "access_error", "summary"])
        self._draw()

    def _add(self) -> None:
        who = self._who.value.strip()
        if not who:
            return
        if self._state.add_invoker(who):
            self._named = who
            self._opening.ask(
                title=f"Allow {who} to call the service?",
                text="Anyone on the internet can then use the model without signing in or with "
                "any Google account, and you pay for it. Adding members or groups is "
                "safer.",
                type_name=who,
            )
            self._opening.show()
        elif not self._state.access_error:
            self._who.value = ""

    def _open(self) -> None:
        self._opening.close()
        self._state.add_invoker(self._named, confirmed=True)
        self._who.value = ""

    def _act(self, _: str, key: str) -> None:
        invoker = self._state.invokers[int(key)] if int(key) < len(self._state.invokers) else None
        self._asked = invoker
        if invoker:
            self._removal.ask(
                title=f"Remove {invoker.member}?",
                text="The member can't call this service any more, unless a role on the "
                "project allows it.",
            )
            self._removal.show()

    def _remove(self) -> None:
        self._removal.close()
        if self._asked:
            self._state.remove_invoker(self._asked)

    def _draw(self, _: object = None) -> None:
        state = self._state
        self._table.empty = _NONE if state.invokers_loaded else "Who may call is not known."
        show_if(state.is_managed, self._adding)
        self._table.rows = [
            {
                "id": str(index),
                "name": invoker.member,
                "member": invoker.member,
                "condition": invoker.condition or None,
                "hidden": [] if state.is_managed else ["remove"],
            }
            for index, invoker in enumerate(state.invokers)
        ]
        self._table.loading = not state.invokers_loaded and state.access_error is None
        if state.access_error:
            self._error.show_error(state.access_error)
        else:
            self._error.clear()
        if any(invoker.member in PUBLIC for invoker in state.invokers):
            self._public.show(
                "warning", "Public access is on: anyone can call this service, and you pay for it."
            )
        else:
            self._public.clear()
