"""The rules by which refusals are worded: the first that fits counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from llm_widgets.domain import members
from llm_widgets.errors import (
    ApiDisabledError,
    BillingError,
    DeniedError,
    ManagerError,
    PolicyError,
    QuotaError,
)
from llm_widgets.gcp.client import messages
from llm_widgets.gcp.refusals import access, images, keys, limits, outcomes, policies, projects
from llm_widgets.gcp.refusals.doing import Doing
from llm_widgets.gcp.refusals.reading import Refusal

Rule = Callable[[Refusal, Doing], ManagerError | None]
"""Words a refusal, or returns ``None`` for one that is about something else."""

RULES: tuple[Rule, ...] = (
    # What is sure by its reason, before what is found in texts.
    policies.perimeter,
    access.scopes,
    projects.quota_project,
    projects.disabled_api,
    projects.billing,
    policies.organization,
    projects.state,
    limits.rate,
    limits.quota,
    access.context,
    access.signed_out,
    # What is behind a permission that somebody lacks.
    policies.image,
    policies.retention,
    policies.soft_delete,
    policies.ip_filter,
    policies.public_access,
    policies.kind_of_bucket,
    keys.customer_key,
    keys.requester_pays,
    keys.kms,
    access.deny_policy,
    access.no_account,
    images.elsewhere,
    images.reader,
    access.agent,
    access.region,
    access.not_there,
    access.denied,
)


REFUSALS = (ApiDisabledError, BillingError, DeniedError, PolicyError, QuotaError)
"""Errors that rules alone make: each has a fix of its own."""


def special(refusal: Refusal, doing: Doing) -> ManagerError | None:
    """Word a refusal that has a meaning of its own."""
    if named := messages.caller(refusal.message):
        doing = replace(doing, caller=members.parsed(named))
    return next(filter(None, (rule(refusal, doing) for rule in RULES)), None)


def worded(refusal: Refusal, doing: Doing) -> ManagerError:
    """Word a refusal: by the rules, else by its status."""
    return special(refusal, doing) or outcomes.plain(refusal, doing)
