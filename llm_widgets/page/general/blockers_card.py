"""What the checklist says against an import or a deployment, shown where that begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.checklist import Work
from llm_widgets.page.general.checklist_card import shown
from llm_widgets.widgets.checklist import Checklist
from llm_widgets.widgets.layout import stack
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    import ipywidgets as w

    from llm_widgets.page.general.checklist import ChecklistState

_SENTENCES = {
    Work.IMPORT: "Importing a model would fail until this is mended.",
    Work.DEPLOY: "Deploying a model would fail until this is mended.",
}


class Blockers:
    """The rows that block, with the fixes of the checklist; ``box`` goes into the page.

    Without blockers the box is not there.
    """

    def __init__(self, state: ChecklistState, work: Work) -> None:
        self._state = state
        self._work = work
        self._rows = Checklist(label=f"What stands against the {work.value}")
        self._rows.on_action(state.act)
        notice = Notice()
        notice.show("warning", _SENTENCES[work])
        self.box: w.VBox = stack(notice, self._rows)
        state.observe(self._draw, ["rows", "checked_at", "acting", "problems"])
        self._draw()

    def _draw(self, _: object = None) -> None:
        rows = self._state.blockers(self._work)
        self._rows.show([shown(row, self._state) for row in rows])
        self.box.layout.display = None if rows else "none"
