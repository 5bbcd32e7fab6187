"""Revisions of a service, and which one serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.widgets.layout import button, card
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.table import Action, Column, DataTable, StatusState

if TYPE_CHECKING:
    from llm_widgets.cloud.revisions import RevisionFact
    from llm_widgets.state.service_page import ServicePageState

_STATES: dict[str, tuple[StatusState, str]] = {
    "ready": ("ok", "Ready"),
    "failed": ("error", "Failed"),
    "deploying": ("busy", "Deploying"),
}


class RevisionsCard:
    """The list; ``box`` is what goes into the page."""

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
                Column("by", "By"),
            ),
            actions=(Action("serve", "Send all requests here"),),
        )
        latest = button("Send requests to the latest", style="outlined")
        latest.on_click(lambda _: state.serve(""))
        self.box = card(
            "Revisions",
            self._pinned,
            self._table,
            text="Going back sends all requests to an earlier revision; nothing is deployed anew.",
            actions=(latest,),
        )
        self._table.on_action(lambda _, revision: state.serve(revision))
        state.observe(self._draw, ["revisions", "document"])
        self._draw()

    def _draw(self, _: object = None) -> None:
        document = self._state.document
        shares = _shares(document)
        pinned = next((r for r in shares if r), "")
        self._table.rows = [
            _row(fact, shares.get(fact.id, 0 if pinned else None), document)
            for fact in self._state.revisions
        ]
        if pinned:
            self._pinned.show(
                "info",
                f"Requests go to {pinned}: what is deployed later gets none until you say so.",
            )
        else:
            self._pinned.clear()


def _shares(document: dict) -> dict[str, int]:  # type: ignore[type-arg] # JSON
    """Give the per cent of the requests by revision; the empty name is the latest."""
    return {t.get("revision", ""): int(t.get("percent", 0)) for t in document.get("traffic", [])}


def _row(fact: RevisionFact, share: int | None, document: dict) -> dict[str, object]:  # type: ignore[type-arg] # JSON
    state, text = _STATES[fact.state]
    is_latest = document.get("latestReadyRevision", "").rsplit("/", 1)[-1] == fact.id
    percent = share if share is not None else 100 if is_latest else 0
    disabled = {}
    if fact.state != "ready":
        disabled["serve"] = "It is not ready."
    elif percent == 100:  # noqa: PLR2004 - per cent
        disabled["serve"] = "They go there."
    return {
        "id": fact.id,
        "revision": fact.id,
        "name": fact.id,
        "status": {"state": state, "text": text, "note": fact.message},
        "traffic": f"{percent} %",
        "image": fact.image,
        "created": fact.created_at.isoformat() if fact.created_at else None,
        "by": fact.creator or None,
        "disabled": disabled,
    }
