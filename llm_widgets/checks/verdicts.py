"""What a test of permissions comes to: a state, a sentence, and the grant that helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import links
from llm_widgets.domain.checklist import Answer, CheckState, Work
from llm_widgets.gcp.iam import role_catalogue

if TYPE_CHECKING:
    from llm_widgets.checks.context import Context
    from llm_widgets.errors import Fix
    from llm_widgets.gcp.iam.permissions import Tested

NOTHING: frozenset[Work] = frozenset()
_FEW = 3  # permissions that a sentence names


def judged(
    context: Context,
    tested: Tested,
    needed: tuple[str, ...],
    *,
    vital: tuple[str, ...],
    blocks: frozenset[Work],
    may_grant: bool,
    buckets: tuple[str, ...] = (),
    account: str = "",
    fine: str = "",
) -> Answer:
    """Turn the result of a test into an answer with the grant that helps.

    Parameters
    ----------
    vital, blocks
        See :class:`llm_widgets.checks.permissions.Group`.
    may_grant
        Whether the identity can change the policy, and so help itself with one click.
    buckets, account
        What was tested, if not the project.
    fine
        What to say when nothing is missing.
    """
    missing = [permission for permission in needed if permission in tested.missing]
    untestable = [permission for permission in needed if permission in tested.untestable]
    if len(untestable) == len(needed):
        return Answer(CheckState.UNKNOWN, "Google can't test these permissions here.")
    aside = f"Can't be tested here: {', '.join(untestable)}." if untestable else ""
    if not missing:
        return Answer(CheckState.OK, fine or _all_granted(len(needed)), detail=aside)
    where = ", ".join(buckets) or account
    on = f" on {where}" if where else ""
    text = f"Missing{on}: {_few(missing)}."
    detail = "\n".join(
        part for part in (", ".join(missing) if len(missing) > _FEW else "", aside) if part
    )
    fix = _grant(context, missing, buckets=buckets, account=account, may_grant=may_grant)
    label = "Grant" if fix.action else ""
    stops = blocks if tested.missing.intersection(vital) else NOTHING
    return Answer(CheckState.MISSING, text, detail, fix, label, stops)


def _grant(
    context: Context,
    missing: list[str],
    *,
    buckets: tuple[str, ...],
    account: str,
    may_grant: bool,
) -> Fix:
    member, project = context.member, context.project_id
    roles = role_catalogue.least_roles(missing)
    text = f"Grant {' and '.join(roles)} to {member or 'this identity'}."
    if not may_grant:
        text = f"Ask an administrator to grant {' and '.join(roles)} to {member or 'you'}."
    if buckets:
        kind, resource, page = "bucket", ",".join(buckets), links.bucket(buckets[0], project)
    elif account:
        kind, resource, page = "account", account, links.service_accounts(project)
    else:
        kind, resource, page = "project", project, links.iam(project)
    commands = (
        role_catalogue.commands(
            roles, context.member_form, project=project, bucket=bucket, account=account
        )
        for bucket in buckets or ("",)
    )
    action = f"grant:{kind}:{resource}:{','.join(roles)}"
    return context.fix(
        text,
        command="\n".join(commands),
        url=page,
        action=action if may_grant and member else "",
    )


def _few(permissions: list[str]) -> str:
    if len(permissions) <= _FEW:
        return ", ".join(permissions)
    return f"{', '.join(permissions[:_FEW])} and {len(permissions) - _FEW} more"


def _all_granted(count: int) -> str:
    return "Both permissions are granted." if count == 2 else f"All {count} are granted."  # noqa: PLR2004 - a word for two


def listed(names: list[str]) -> str:
    """Name buckets, the first few by name: ``a, b, c and 2 more buckets``."""
    return _few(names) + (" buckets" if len(names) > _FEW else "")
