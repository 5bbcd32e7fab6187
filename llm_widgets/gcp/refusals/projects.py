"""Refusals because of a project: its APIs, its billing, its state, and who counts calls on it."""

from __future__ import annotations

import re
from shlex import quote
from typing import TYPE_CHECKING

from llm_widgets.domain import links
from llm_widgets.errors import (
    ApiDisabledError,
    BillingError,
    Fix,
    ProjectError,
    QuotaProjectError,
)
from llm_widgets.gcp.client import messages
from llm_widgets.gcp.iam import role_catalogue
from llm_widgets.gcp.refusals import limits
from llm_widgets.gcp.refusals.doing import SHARED_CONSUMERS, Doing

if TYPE_CHECKING:
    from llm_widgets.gcp.refusals.reading import Refusal

USE = "serviceusage.services.use"
"""What it takes to count calls against a project."""

_OFF = frozenset({"SERVICE_DISABLED", "API_DISABLED"})
_BILLING_REASONS = frozenset({"BILLING_DISABLED", "UREQ_PROJECT_BILLING_NOT_FOUND"})
_BILLING = re.compile(
    r"billing to be enabled|billing must be enabled|billing is disabled|has billing disabled|"
    r"not configured billing|BILLING_DISABLED|"
    r"billing account .{0,80}(?:disabled|closed|absent|not found|delinquent|not in good standing)|"
    r"(?:disabled|closed|absent|delinquent) billing account",
    re.IGNORECASE,
)
_CLOSED = re.compile(r"closed", re.IGNORECASE)
_DELINQUENT = re.compile(r"delinquent", re.IGNORECASE)
_DENIED_USE = re.compile(r"required permission to use project|serviceusage\.services\.use")
# Other refusals name a project as the place of what they are about: "... in project p does not
# exist". A text about the project itself begins with it.
_ITSELF = (
    r"(?:^|[.:,] )(?:(?:the|this|requested|specified|cloud) ){0,2}"
    r"(?:project|consumer)(?: '?[^\s,]{1,120})? (?:\(#\d{1,20}\) )?"
)
_GONE = re.compile(
    rf"{_ITSELF}(?:has been|was|is) (?:(?:already|being|scheduled|marked|requested|pending) )?"
    r"(?:for |in )?(?:deleted|deletion)|DELETE_REQUESTED",
    re.IGNORECASE,
)
_SUSPENDED = re.compile(rf"{_ITSELF}(?:has been|is|was) suspended", re.IGNORECASE)
_UNKNOWN = re.compile(
    r"permission denied on resource project|unknown project id|invalid value for project:|"
    rf"{_ITSELF}(?:(?:was|is|could) )?(?:not (?:be )?found|does not exist)|"
    r"invalid project (?:id|number|resource name)",
    re.IGNORECASE,
)


def quota_project(refusal: Refusal, doing: Doing) -> QuotaProjectError | None:
    """Word credentials of a person that have no quota project, or one that they may not use."""
    if messages.wants_quota_project(refusal.message) or (
        refusal.consumer in SHARED_CONSUMERS and not limits.is_rate(refusal)
    ):
        of_google = (
            f"\nThe call counts against the project {refusal.consumer}, which is not yours."
            if refusal.consumer in SHARED_CONSUMERS
            else ""
        )
        return QuotaProjectError(
            doing.cant("your credentials have no quota project"),
            cause=f"{refusal.message}{of_google}",
            fix=_set_quota_project(doing),
        )
    # Of a permission that is missing in the bucket's or service's own project, IAM itself tells.
    if refusal.reason == "USER_PROJECT_DENIED" or _DENIED_USE.search(refusal.message):
        return _may_not_use(refusal, doing)
    return None


def _set_quota_project(doing: Doing) -> Fix:
    return Fix(
        text=f"Make {doing.project or 'the project'} the quota project of your credentials; it "
        f"takes the permission {USE} there (roles/serviceusage.serviceUsageConsumer).",
        command=doing.set_quota_project,
    )


def _may_not_use(refusal: Refusal, doing: Doing) -> QuotaProjectError:
    project = doing.named(refusal.project)
    if _GONE.search(refusal.message) or _UNKNOWN.search(refusal.message):
        return QuotaProjectError(
            doing.cant(f"there is no project {project}, which your calls count against"),
            cause=refusal.message,
            fix=_set_quota_project(doing),
        )
    grant = role_catalogue.grant(USE, doing.member, project=project)
    if doing.is_other(project) and not doing.is_service_account:
        fix = Fix(
            text=f"Make {doing.project} the quota project of your credentials; or {_small(grant)}",
            command=doing.set_quota_project,
            url=grant.url,
        )
    else:
        fix = grant
    return QuotaProjectError(
        doing.cant(f"{doing.who} lacks the permission {USE} on the project {project}"),
        cause=refusal.message,
        fix=fix,
    )


def _small(fix: Fix) -> str:
    return fix.text[:1].lower() + fix.text[1:]


def disabled_api(refusal: Refusal, doing: Doing) -> ApiDisabledError | None:
    """Word an API that is off in the project that a call counts against."""
    named = messages.disabled_api(refusal.message)
    is_off = refusal.reason in _OFF or "accessNotConfigured" in refusal.legacy
    if not is_off and not named:
        return None
    project = doing.named(refusal.consumer)
    title = refusal.metadata.get("serviceTitle") or refusal.service or "an API"
    where = f" in the project {project}" if project else ""
    return ApiDisabledError(
        doing.cant(f"{title} is not enabled{where}"),
        cause=refusal.message,
        fix=_enable(refusal, doing, project),
    )


def _enable(refusal: Refusal, doing: Doing, project: str) -> Fix:
    api = refusal.service
    if not api:
        return Fix(
            text="Enable the API that Google's answer names; it takes a minute or two.",
            url=links.api_library(project) if project else "",
        )
    flag = f" --project={quote(project)}" if project else ""
    enable = f"gcloud services enable {api}{flag}"
    if not doing.is_other(refusal.consumer):
        return Fix(
            text="Enable it; it takes a minute or two to take effect.",
            command=enable,
            url=links.api(api, project),
            action=f"enable-api:{api}",
        )
    if doing.is_service_account:
        return Fix(
            text=f"Enable it in {project}: its calls count against that project.",
            command=enable,
            url=links.api(api, project),
        )
    return Fix(
        text=f"Your calls count against {project}: enable it there ({enable}), or make "
        f"{doing.project} the quota project of your credentials:",
        command=doing.set_quota_project,
        url=links.api(api, project),
    )


def billing(refusal: Refusal, doing: Doing) -> BillingError | None:
    """Word a project that nobody pays for."""
    types = {violation.type for violation in refusal.violations}
    if (
        refusal.reason not in _BILLING_REASONS
        and "accountDisabled" not in refusal.legacy
        and "googleapis.com/billing-enabled" not in types
        and not _BILLING.search(refusal.message)
    ):
        return None
    project = doing.named(refusal.project)
    whose = f"the project {project}" if refusal.project else "the project"
    if _DELINQUENT.search(refusal.message):
        return BillingError(
            doing.cant(f"a payment of the billing account of {whose} is overdue"),
            cause=refusal.message,
            fix=Fix(
                text="Pay what is due, or link the project to another billing account.",
                url=links.billing(project),
            ),
        )
    if _CLOSED.search(refusal.message):
        return BillingError(
            doing.cant(f"the billing account of {whose} is closed"),
            cause=refusal.message,
            fix=Fix(
                text="Reopen the billing account, or link the project to another one.",
                url=links.billing(project),
            ),
        )
    return BillingError(
        doing.cant(f"{whose} has no active billing account"),
        cause=refusal.message,
        fix=Fix(text="Link a billing account to the project.", url=links.billing(project)),
    )


def state(refusal: Refusal, doing: Doing) -> ProjectError | None:
    """Word a project that is deleted, suspended, or that there is not."""
    project = doing.shown(refusal.project)
    which = f"the project {project}" if project else "the project"
    if _GONE.search(refusal.message):
        return ProjectError(
            doing.cant(f"{which} is deleted, or is being deleted"),
            cause=refusal.message,
            fix=Fix(
                text="Choose another project. Within 30 days an owner can restore it:",
                command=f"gcloud projects undelete {quote(project)}" if project else "",
                url=links.all_projects(),
            ),
        )
    if refusal.reason in {"CONSUMER_SUSPENDED", "GCP_SUSPENDED"} or _SUSPENDED.search(
        refusal.message
    ):
        return ProjectError(
            doing.cant(f"Google has suspended {which}"),
            cause=refusal.message,
            fix=Fix(
                text="Choose another project. An owner of this one can appeal.",
                url=links.appeal(project),
            ),
        )
    if refusal.reason in {"CONSUMER_INVALID", "RESOURCE_PROJECT_INVALID"} or _UNKNOWN.search(
        refusal.message
    ):
        return ProjectError(
            doing.cant(
                f"there is no {which.removeprefix('the ')}, or you have no permission to use it"
            ),
            cause=refusal.message,
            fix=Fix(
                text="Check the project ID for typing errors: it is not the project's name. "
                "Your projects:",
                command="gcloud projects list",
                url=links.all_projects(),
            ),
        )
    return None
