"""Whether somebody pays for the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import links
from llm_widgets.domain.checklist import BOTH, Answer, CheckState, Subject
from llm_widgets.gcp.project import billing
from llm_widgets.gcp.project.billing import BillingState

if TYPE_CHECKING:
    from llm_widgets.checks.context import Context

SUBJECT = Subject(
    "billing", "Billing", "Cloud Run and Cloud Storage need a project with billing enabled."
)

_SENTENCES = {
    BillingState.DISABLED: "The project's billing account is closed.",
    BillingState.NO_ACCOUNT: "The project has no billing account.",
}


def ask(context: Context) -> dict[str, Answer]:
    """Look at the project's billing account."""
    project = context.project_id
    state = billing.state(context.clients, project)
    if state is BillingState.ENABLED:
        return {SUBJECT.key: Answer(CheckState.OK, "Enabled.")}
    fix = context.fix(
        "Link an open billing account to the project.",
        command=f"gcloud billing projects link {project} --billing-account=ACCOUNT_ID",
        url=links.billing(project),
    )
    answer = Answer(CheckState.MISSING, _SENTENCES[state], fix=fix, blocks=BOTH)
    return {SUBJECT.key: answer}
