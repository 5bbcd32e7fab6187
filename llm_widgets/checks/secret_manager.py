"""Whether tokens of hubs can be kept in Secret Manager."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.checklist import Answer, CheckState, Subject
from llm_widgets.errors import ApiDisabledError
from llm_widgets.gcp import secrets

if TYPE_CHECKING:
    from llm_widgets.checks.context import Context

SUBJECT = Subject(
    "secret-manager",
    "Secret Manager",
    "Stores the hub token while a gated model is imported.",
)


def ask(context: Context) -> dict[str, Answer]:
    """Ask Secret Manager for anything at all."""
    try:
        secrets.reach(context.clients, context.project_id)
    except ApiDisabledError as error:
        answer = Answer(
            CheckState.MISSING,
            "Not enabled: only models without a token can be imported.",
            fix=context.localized(error.fix) if error.fix else None,
            action_label="Enable" if error.fix else "",
        )
    else:
        answer = Answer(CheckState.OK, "Ready to store tokens.")
    return {SUBJECT.key: answer}
