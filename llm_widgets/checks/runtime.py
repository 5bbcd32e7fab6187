"""The service account that services run as: there, usable, and able to read the models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.checks.accounts import disabled, judged_act_as
from llm_widgets.checks.verdicts import listed
from llm_widgets.domain import links
from llm_widgets.domain.checklist import Answer, CheckState, Subject, Work
from llm_widgets.errors import NotFoundError
from llm_widgets.gcp.client.parallel import outcomes
from llm_widgets.gcp.iam import bucket_readers, effective_access, role_catalogue
from llm_widgets.gcp.iam.effective_access import Access
from llm_widgets.gcp.iam.service_accounts import RUNTIME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.checks.context import Context
    from llm_widgets.errors import Fix
    from llm_widgets.gcp.iam.effective_access import Verdict

ACCOUNT = Subject("runtime/account", "Runtime service account", "Services run as this account.")
ACT_AS = Subject(
    "runtime/act-as",
    "Act as the runtime account",
    "You need permission to act as this account to deploy a service.",
)
READING = Subject(
    "runtime/reading", "Runtime account reads models", "Services read models from the buckets."
)

_DEPLOY = frozenset({Work.DEPLOY})


def ask_account(context: Context) -> dict[str, Answer]:
    """Look for the account."""
    try:
        account = context.runtime_account()
    except NotFoundError:
        answer = Answer(
            CheckState.MISSING,
            "The project has no service account for services.",
            fix=_create(context, "Create one for the services."),
            action_label="Create",
            blocks=_DEPLOY,
        )
        return {ACCOUNT.key: answer}
    if account.is_disabled:
        return {ACCOUNT.key: disabled(context, account.email, _DEPLOY)}
    if account.email == RUNTIME.email(context.project_id):
        return {ACCOUNT.key: Answer(CheckState.OK, f"{account.email}, created for this.")}
    answer = Answer(
        CheckState.OK,
        f"{account.email}, the default account of the project.",
        fix=_create(
            context,
            f"A dedicated account, {RUNTIME.id}, is safer: the default account often has more "
            "permissions than services need.",
        ),
        action_label="Create account",
    )
    return {ACCOUNT.key: answer}


def ask_act_as(context: Context) -> dict[str, Answer]:
    """Test the permission on the account itself: a grant there is not seen on the project."""
    email = context.runtime_account().email
    return {ACT_AS.key: judged_act_as(context, email, _DEPLOY)}


def ask_reading(context: Context) -> dict[str, Answer]:
    """Look which buckets of models the account may read, by their policies and the project's."""
    names = [bucket.name for bucket in context.model_buckets()]
    if not names:
        text = "No model buckets yet. Deploying grants the account access to its bucket."
        return {READING.key: Answer(CheckState.OK, text)}
    member = context.runtime_account().member
    asked = outcomes(lambda name: effective_access.reading(context.known, name, member), names)
    found = {each.key: each.value for each in asked if each.value}
    closed = [name for name, each in found.items() if each.access is Access.MISSING]
    if closed:
        return {READING.key: _closed(context, closed)}
    unsure = {name: each for name, each in found.items() if each.access is Access.UNKNOWN}
    for each in unsure.values():
        if each.error:
            raise each.error
    if unsure:
        return {READING.key: _unsure(context, unsure)}
    return {READING.key: Answer(CheckState.OK, f"The account can read {listed(names)}.")}


def _unsure(context: Context, unsure: Mapping[str, Verdict]) -> Answer:
    """Word that policies don't tell; a deployment grants what is not sure to be there."""
    names = list(unsure)
    reasons = dict.fromkeys(each.reason for each in unsure.values())
    return Answer(
        CheckState.UNKNOWN,
        f"Unknown whether the account can read {listed(names)}. Leave “Let it read the bucket” "
        "ticked when you deploy.",
        detail=" ".join(reasons),
        fix=_open(context, names),
        action_label="Grant",
    )


def _closed(context: Context, closed: list[str]) -> Answer:
    return Answer(
        CheckState.MISSING,
        f"The account can't read {', '.join(closed)}.",
        fix=_open(context, closed),
        action_label="Grant",
    )


def _open(context: Context, names: list[str]) -> Fix:
    account = context.runtime_account()
    commands = "\n".join(
        role_catalogue.commands([bucket_readers.READER], account.member, bucket=name)
        for name in names
    )
    return context.fix(
        f"Grant read access ({bucket_readers.READER}); deploying can do this too.",
        command=commands,
        url=links.bucket(names[0], context.project_id),
        action=f"open-buckets:{account.email}:{','.join(names)}",
    )


def _create(context: Context, text: str) -> Fix:
    project = context.project_id
    return context.fix(
        text,
        command=RUNTIME.command(project),
        url=links.service_accounts(project),
        action="create-runtime-account",
    )
