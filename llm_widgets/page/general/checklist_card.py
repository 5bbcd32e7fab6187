"""The configuration status: what is in order, what is not, and the fix for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.checklist import CheckState, summary
from llm_widgets.widgets.checklist import Checklist, CheckRow
from llm_widgets.widgets.layout import button, card, show_if

if TYPE_CHECKING:
    import ipywidgets as w

    from llm_widgets.domain.checklist import Row
    from llm_widgets.page.general.checklist import ChecklistState
    from llm_widgets.widgets.table import StatusState

STATES: dict[CheckState, StatusState] = {
    CheckState.CHECKING: "busy",
    CheckState.OK: "ok",
    CheckState.MISSING: "error",
    CheckState.UNKNOWN: "unknown",
}


def checklist_card(state: ChecklistState) -> w.Widget:
    """Make the card; each row fills as its answer comes."""
    rows = Checklist(label="Configuration status")
    refresh = button("Refresh", style="outlined", icon="refresh")
    box = card(
        "Configuration status",
        rows,
        text="Requirements to import and deploy models in this project.",
        actions=[refresh],
    )

    def draw(_: object = None) -> None:
        rows.show(
            [shown(row, state) for row in state.rows],
            summary=summary(state.rows),
            checked_at=state.checked_at,
        )
        refresh.disabled = state.running
        show_if(state.rows, box)

    rows.on_action(state.act)
    refresh.on_click(lambda _: state.refresh())
    state.observe(draw, ["rows", "checked_at", "running", "acting", "problems"])
    draw()
    return box


def shown(row: Row, state: ChecklistState) -> CheckRow:
    """Return a row with its fix, and what its button does at the moment."""
    answer = row.answer
    fix, problem = answer.fix, state.problems.get(row.key)
    return CheckRow(
        id=row.key,
        title=row.subject.title,
        purpose=row.subject.purpose,
        state=STATES[row.state],
        word=row.state.value,
        text=answer.text,
        detail=answer.detail,
        advice=fix.text if fix else "",
        command=fix.command if fix else "",
        link_text="Open the console",
        link_url=fix.url if fix else "",
        action_label=answer.action_label,
        busy="Working …" if row.key in state.acting else "",
        problem=str(problem) if problem else "",
    )
