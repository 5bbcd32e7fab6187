"""What quotas say against a deployment, shown where it is filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import gpus
from llm_widgets.page.general.quota_dialog import QuotaDialog
from llm_widgets.page.general.quotas import wanted_by
from llm_widgets.widgets.layout import stack
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    import ipywidgets as w

    from llm_widgets.page.general.quotas import QuotasState
    from llm_widgets.page.services.deploy_form import DeployFormState
    from llm_widgets.page.session import Session


class QuotaBlocker:
    """A notice with the fix of the card of quotas; ``box`` is not there where it fits."""

    def __init__(self, session: Session, quotas: QuotasState, form: DeployFormState) -> None:
        self._quotas = quotas
        self._form = form
        self._dialog = QuotaDialog(session, quotas)
        self._notice = Notice()
        self._notice.on_action(self._ask_for_more)
        self.box: w.VBox = stack(self._notice, self._dialog.dialog)
        quotas.observe(self._draw, "survey")
        form.observe(self._draw, "deployment")
        self._draw()

    def _draw(self, _: object = None) -> None:
        deployment = self._form.deployment
        reason = self._quotas.shortage(deployment) if deployment else ""
        if reason and deployment:
            self._notice.show(
                "warning",
                f"The quotas of {deployment.region} don't allow this. {reason}",
                detail="Choose fewer or smaller instances or another region, or ask for more.",
                action_label="Request quota",
            )
        else:
            self._notice.clear()
        self.box.layout.display = None if reason else "none"

    def _ask_for_more(self) -> None:
        deployment = self._form.deployment
        gpu = gpus.by_accelerator(deployment.accelerator) if deployment else None
        if deployment and gpu:
            self._dialog.show(gpu, deployment.region, wanted_by(deployment))
