"""Revisions of a service, and which one serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.gcp.client import messages
from llm_widgets.gcp.run import service_json
from llm_widgets.widgets.dialog import FormDialog, Values
from llm_widgets.widgets.fields import Field
from llm_widgets.widgets.layout import button, card, show_if
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.table import Action, Column, DataTable, StatusState

if TYPE_CHECKING:
    from llm_widgets.gcp.run.revisions import RevisionFact
    from llm_widgets.page.services.service import ServicePageState

_ALL = 100  # per cent
_STATES: dict[str, tuple[StatusState, str]] = {
    "ready": ("ok", "Ready"),
    "failed": ("error", "Failed"),
    "deploying": ("busy", "Deploying"),
}


class RevisionsCard:
    """The list; ``box`` is what goes into the page, ``dialog`` beside it."""

    def __init__(self, state: ServicePageState) -> None:
        self._state = state
        self._pinned = Notice()
        self._table = DataTable(
            caption="Revisions",
            columns=(
                Column("revision", "Revision"),
                Column("status", "Status", "status"),
                Column("traffic", "Requests"),
                Column("image", "Image"),
                Column("created", "Created", "time"),
            ),
            actions=(Action("serve", "Send all traffic here"),),
        )
        self._latest = button("Send all traffic to the latest", style="outlined")
        self._latest.on_click(lambda _: state.serve({"": _ALL}))
        self._divide = button("Split traffic", style="outlined", disabled=True)
        self._divide.on_click(lambda _: self._ask())
        self.dialog = FormDialog(
            title="Split traffic",
            text="Percent of traffic per revision, 100 in total. New revisions get none until "
            "you change this.",
            submit_label="Split",
            busy_label="Asking Cloud Run …",
        )
        self.dialog.on_submit(self._divided)
        self.box = card(
            "Revisions",
            self._pinned,
            self._table,
            text="Roll back: send all traffic to an earlier revision without redeploying.",
            actions=(self._divide, self._latest),
        )
        self._table.on_action(lambda _, revision: state.serve({revision: _ALL}))
        state.observe(self._draw, ["revisions", "document", "error", "summary"])
        self._draw()

    def _ask(self) -> None:
        document = self._state.document
        ready = [fact for fact in self._state.revisions if fact.state == "ready"]
        self.dialog.set_fields(
            [
                Field(
                    fact.id,
                    fact.id,
                    "number",
                    required=True,
                    value=service_json.percent(fact.id, document),
                    minimum=0,
                    maximum=_ALL,
                )
                for fact in ready
            ]
        )
        self.dialog.show()

    def _divided(self, values: Values) -> None:
        shares = {name: round(value or 0) for name, value in values.items()}
        if min(shares.values(), default=0) < 0:
            self.dialog.fail("A share can't be below 0 %.")
            return
        if sum(shares.values()) != _ALL:
            self.dialog.fail(f"The total is {sum(shares.values())}%, not 100%.")
            return
        self._state.serve(
            {name: share for name, share in shares.items() if share},
            done=self.dialog.close,
            failed=lambda error: self.dialog.fail(str(error)),
        )

    def _draw(self, _: object = None) -> None:
        document = self._state.document
        shares = service_json.shares(document)
        show_if(self._state.is_managed, self._divide, self._latest)
        self._table.empty = (
            "The revisions are not known." if self._state.error else "No revisions yet."
        )
        hidden = [] if self._state.is_managed else ["serve"]
        self._table.rows = [
            {**_row(fact, document), "hidden": hidden} for fact in self._state.revisions
        ]
        self._table.loading = not document and self._state.error is None
        ready = [fact for fact in self._state.revisions if fact.state == "ready"]
        self._divide.disabled = len(ready) < 2  # noqa: PLR2004 - among one there is no dividing
        pinned = [name for name, share in shares.items() if name and share]
        if pinned:
            self._pinned.show(
                "info",
                f"All traffic is pinned to {' and '.join(pinned)}; new revisions get none until "
                "you change this.",
            )
        else:
            self._pinned.clear()


def _row(fact: RevisionFact, document: dict[str, Any]) -> dict[str, object]:
    state, text = _STATES[fact.state]
    percent = service_json.percent(fact.id, document)
    disabled = {}
    if fact.state != "ready":
        disabled["serve"] = "The revision is not ready."
    elif percent == _ALL:
        disabled["serve"] = "Already receives all traffic."
    by = fact.creator.partition("@")[0]
    created = fact.created_at.isoformat() if fact.created_at else ""
    return {
        "id": fact.id,
        "revision": fact.id,
        "name": fact.id,
        "status": {"state": state, "text": text, "note": messages.brief(fact.message)},
        "traffic": f"{percent}%",
        "image": fact.image,
        "created": {"time": created, "note": f"by {by}" if by else ""} if created else None,
        "disabled": disabled,
    }
