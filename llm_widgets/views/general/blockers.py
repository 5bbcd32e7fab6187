"""What the checklist says against an import or a deployment, shown where that begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.checklist import Work
from llm_widgets.widgets.layout import stack
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    import ipywidgets as w

    from llm_widgets.domain.checklist import Row
    from llm_widgets.state.checklist import ChecklistState

_SENTENCES = {
    Work.IMPORT: "Importing a model would fail.",
    Work.DEPLOY: "Deploying a model would fail.",
}


class Blockers:
    """A notice for each blocker with the fix of the checklist; ``box`` goes into the page.

    Without blockers the box is not there.
    """

    def __init__(self, state: ChecklistState, work: Work) -> None:
        self._state = state
        self._work = work
        self._notices: dict[str, Notice] = {}
        self.box: w.VBox = stack()
        state.observe(self._draw, ["rows", "acting", "problems"])
        self._draw()

    def _draw(self, _: object = None) -> None:
        rows = self._state.blockers(self._work)
        for row in rows:
            if row.key not in self._notices:
                self._notices[row.key] = self._notice(row.key)
            self._show(self._notices[row.key], row)
        children = tuple(self._notices[row.key] for row in rows)
        if children != self.box.children:
            self.box.children = children
        self.box.layout.display = None if rows else "none"

    def _notice(self, key: str) -> Notice:
        notice = Notice()
        notice.on_action(lambda: self._state.act(key))
        return notice

    def _show(self, notice: Notice, row: Row) -> None:
        answer, problem = row.answer, self._state.problems.get(row.key)
        fix = answer.fix
        said = [fix.text if fix else "", str(problem) if problem else ""]
        acting = row.key in self._state.acting
        notice.show(
            "warning",
            f"{_SENTENCES[self._work]} {row.subject.title}: {answer.text}",
            detail="Working …" if acting else "\n".join(part for part in said if part),
            command=fix.command if fix else "",
            link=("Open the console", fix.url) if fix and fix.url else ("", ""),
            action_label="" if acting else answer.action_label,
        )
