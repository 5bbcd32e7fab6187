"""Whether the APIs that the product uses are enabled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import google_apis, links
from llm_widgets.domain.checklist import BOTH, Answer, CheckState, Subject, Work
from llm_widgets.gcp.project import apis

if TYPE_CHECKING:
    from llm_widgets.checks.context import Context

SUBJECT = Subject("apis", "Google APIs", "Google Cloud APIs must be enabled once per project.")

_BLOCKING: dict[str, frozenset[Work]] = {
    google_apis.RUN: BOTH,
    google_apis.STORAGE: BOTH,
    google_apis.IAM: frozenset({Work.DEPLOY}),
}
"""Those without which nothing goes; the others cost a part of the page."""


def ask(context: Context) -> dict[str, Answer]:
    """Look at all APIs in one call."""
    found = apis.enabled(context.clients, context.project_id)
    off = [api for api, on in found.items() if not on]
    if not off:
        return {SUBJECT.key: Answer(CheckState.OK, f"All {len(found)} are enabled.")}
    project = context.project_id
    names = ", ".join(apis.NEEDED[api] for api in off)
    blocks = frozenset[Work]().union(*(_BLOCKING.get(api, frozenset()) for api in off))
    fix = context.fix(
        "Enabling takes up to a few minutes.",
        command=f"gcloud services enable {' '.join(off)} --project={project}",
        url=links.api(off[0], project) if len(off) == 1 else links.api_library(project),
        action=f"enable-api:{','.join(off)}",
    )
    label = "Enable" if len(off) == 1 else f"Enable all {len(off)}"
    answer = Answer(CheckState.MISSING, f"Not enabled: {names}.", "", fix, label, blocks)
    return {SUBJECT.key: answer}
