"""What the checks of service accounts have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.checks.verdicts import judged
from llm_widgets.domain import links
from llm_widgets.domain.checklist import Answer, CheckState, Work
from llm_widgets.gcp.iam import permissions

if TYPE_CHECKING:
    from llm_widgets.checks.context import Context

_SET_POLICY = "iam.serviceAccounts.setIamPolicy"


def disabled(context: Context, email: str, blocks: frozenset[Work]) -> Answer:
    """Say that an account is disabled, and how it is enabled."""
    project = context.project_id
    fix = context.fix(
        "Enable it.",
        command=f"gcloud iam service-accounts enable {email} --project={project}",
        url=links.service_accounts(project),
        action=f"enable-account:{email}",
    )
    return Answer(CheckState.MISSING, f"{email} is disabled.", "", fix, "Enable", blocks)


def judged_act_as(context: Context, email: str, blocks: frozenset[Work]) -> Answer:
    """Test on an account itself who may act as it: a grant there is not seen on the project.

    Raises
    ------
    ManagerError
        The account can't be asked.
    """
    wanted = (permissions.ACT_AS,)
    tested = permissions.on_service_account(
        context.clients, email, [*wanted, _SET_POLICY], project=context.project_id
    )
    return judged(
        context,
        tested,
        wanted,
        vital=wanted,
        blocks=blocks,
        may_grant=_SET_POLICY in tested.granted,
        account=email,
        fine=f"Allowed for {email}.",
    )
