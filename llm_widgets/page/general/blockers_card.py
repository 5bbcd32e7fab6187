"""What stands against an import or a deployment, shown where that begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain import gpus
from llm_widgets.domain.checklist import Work
from llm_widgets.page.general.checklist_card import shown
from llm_widgets.page.general.quota_dialog import QuotaDialog
from llm_widgets.page.general.quotas import wanted_by
from llm_widgets.widgets.checklist import Checklist
from llm_widgets.widgets.layout import show_if, stack
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    import ipywidgets as w

    from llm_widgets.page.general.checklist import ChecklistState
    from llm_widgets.page.general.quotas import QuotasState
    from llm_widgets.page.services.deploy_form import DeployFormState
    from llm_widgets.page.session import Session

_SENTENCES = {
    Work.IMPORT: "Fix this before you import a model.",
    Work.DEPLOY: "Fix this before you deploy a model.",
}


class Blockers:
    """The rows of the checklist that block, with their fixes; ``box`` goes into the page.

    Without blockers the box is not there.
    """

    def __init__(self, state: ChecklistState, work: Work) -> None:
        self._state = state
        self._work = work
        self._rows = Checklist(label=f"Blocks the {work.value}")
        self._rows.on_action(state.act)
        notice = Notice()
        notice.show("warning", _SENTENCES[work])
        self.box: w.VBox = stack(notice, self._rows)
        state.observe(self._draw, ["rows", "checked_at", "acting", "problems"])
        self._draw()

    def _draw(self, _: object = None) -> None:
        rows = self._state.blockers(self._work)
        self._rows.show([shown(row, self._state) for row in rows])
        show_if(rows, self.box)


class QuotaBlocker:
    """What quotas say against a deployment, with the fix of their card.

    Where it fits, ``box`` is not there. What others and this page have deployed meanwhile counts:
    quotas are read again when the form opens.
    """

    def __init__(self, session: Session, quotas: QuotasState, form: DeployFormState) -> None:
        self._quotas = quotas
        self._form = form
        self._dialog = QuotaDialog(session, quotas)
        self._notice = Notice()
        self._notice.on_action(self._ask_for_more)
        self.box: w.VBox = stack(self._notice, self._dialog.dialog)
        quotas.observe(self._draw, "survey")
        form.observe(self._draw, "deployment")
        form.observe(self._opened, "offered")
        self._draw()

    def _opened(self, change: dict[str, Any]) -> None:
        if change["old"] is None:
            self._quotas.refresh()

    def _draw(self, _: object = None) -> None:
        deployment = self._form.deployment
        reason = self._quotas.shortage(deployment) if deployment else ""
        if reason and deployment:
            self._notice.show(
                "warning",
                f"Not enough quota in {deployment.region}: {reason}",
                detail="Choose fewer or smaller instances, another region, or request a higher "
                "quota.",
                action_label="Request quota",
            )
        else:
            self._notice.clear()
        show_if(reason, self.box)

    def _ask_for_more(self) -> None:
        deployment = self._form.deployment
        gpu = gpus.by_accelerator(deployment.accelerator) if deployment else None
        if deployment and gpu:
            self._dialog.show(gpu, deployment.region, wanted_by(deployment))
