"""Revisions of a service, and which one serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.gcp.client import messages
from llm_widgets.widgets.dialog import FormDialog, Values
from llm_widgets.widgets.fields import Field
from llm_widgets.widgets.layout import button, card
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
            actions=(Action("serve", "Send all requests here"),),
        )
        latest = button("Send requests to the latest", style="outlined")
        latest.on_click(lambda _: state.serve({"": _ALL}))
        self._divide = button("Divide requests", style="outlined", disabled=True)
        self._divide.on_click(lambda _: self._ask())
        self.dialog = FormDialog(
            title="Divide requests",
            text="Per cent of the requests for each revision that is ready, together 100. What is "
            "deployed later gets none until you say so.",
            submit_label="Divide",
            busy_label="Asking Cloud Run …",
        )
        self.dialog.on_submit(self._divided)
        self.box = card(
            "Revisions",
            self._pinned,
            self._table,
            text="Going back sends all requests to an earlier revision; nothing is deployed anew.",
            actions=(self._divide, latest),
        )
        self._table.on_action(lambda _, revision: state.serve({revision: _ALL}))
        state.observe(self._draw, ["revisions", "document"])
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
                    value=_percent(fact, _shares(document), document),
                    minimum=0,
                    maximum=_ALL,
                )
                for fact in ready
            ]
        )
        self.dialog.show()

    def _divided(self, values: Values) -> None:
        shares = {name: round(value or 0) for name, value in values.items()}
        if sum(shares.values()) != _ALL:
            self.dialog.fail(f"Together these are {sum(shares.values())} %, not 100 %.")
            return
        self._state.serve(
            {name: share for name, share in shares.items() if share},
            done=self.dialog.close,
            failed=lambda error: self.dialog.fail(str(error)),
        )

    def _draw(self, _: object = None) -> None:
        document = self._state.document
        shares = _shares(document)
        self._table.rows = [_row(fact, shares, document) for fact in self._state.revisions]
        ready = [fact for fact in self._state.revisions if fact.state == "ready"]
        self._divide.disabled = len(ready) < 2  # noqa: PLR2004 - among one there is no dividing
        pinned = [name for name, share in shares.items() if name and share]
        if pinned:
            self._pinned.show(
                "info",
                f"Requests go to {' and '.join(pinned)}: what is deployed later gets none until "
                "you say so.",
            )
        else:
            self._pinned.clear()


def _shares(document: dict[str, Any]) -> dict[str, int]:
    """Return the per cent of the requests by revision; the empty name is the latest."""
    shares: dict[str, int] = {}
    for target in document.get("traffic", []):
        name = target.get("revision", "")
        shares[name] = shares.get(name, 0) + int(target.get("percent", 0))
    return shares


def _percent(fact: RevisionFact, shares: dict[str, int], document: dict[str, Any]) -> int:
    latest = document.get("latestReadyRevision", "").rsplit("/", 1)[-1] == fact.id
    of_latest = (shares.get("", 0) if shares else _ALL) if latest else 0
    return shares.get(fact.id, 0) + of_latest


def _row(fact: RevisionFact, shares: dict[str, int], document: dict[str, Any]) -> dict[str, object]:
    state, text = _STATES[fact.state]
    percent = _percent(fact, shares, document)
    disabled = {}
    if fact.state != "ready":
        disabled["serve"] = "It is not ready."
    elif percent == _ALL:
        disabled["serve"] = "They go there."
    by = fact.creator.partition("@")[0]
    created = fact.created_at.isoformat() if fact.created_at else ""
    return {
        "id": fact.id,
        "revision": fact.id,
        "name": fact.id,
        "status": {"state": state, "text": text, "note": messages.brief(fact.message)},
        "traffic": f"{percent} %",
        "image": fact.image,
        "created": {"time": created, "note": f"by {by}" if by else ""} if created else None,
        "disabled": disabled,
    }
