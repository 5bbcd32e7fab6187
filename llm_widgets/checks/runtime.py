"""The service account that services run as: there, usable, and able to read the models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.checks.verdicts import judged, listed
from llm_widgets.domain import links
from llm_widgets.domain.checklist import BOTH, Answer, CheckState, Subject
from llm_widgets.errors import ManagerError, NotFoundError
from llm_widgets.gcp.client.parallel import outcomes
from llm_widgets.gcp.iam import bucket_readers, permissions, role_catalogue
from llm_widgets.gcp.iam.service_accounts import RUNTIME_ID, RUNTIME_TITLE, runtime_email

if TYPE_CHECKING:
    from llm_widgets.checks.context import Context
    from llm_widgets.errors import Fix

ACCOUNT = Subject(
    "runtime/account", "Runtime service account", "Services and import jobs run in its name."
)
ACT_AS = Subject(
    "runtime/act-as",
    "Act as the runtime account",
    "Whoever deploys a service must be allowed to use its account.",
)
READING = Subject(
    "runtime/reading", "Runtime account reads models", "A service reads its model from the bucket."
)

ACT_AS_PERMISSION = "iam.serviceAccounts.actAs"
_SET_POLICY = "iam.serviceAccounts.setIamPolicy"


def ask_account(context: Context) -> dict[str, Answer]:
    """Look for the account."""
    try:
        account = context.runtime_account()
    except NotFoundError:
        answer = Answer(
            CheckState.MISSING,
            "The project has no service account that services could run as.",
            fix=_create(context, "Create one for services of models."),
            action_label="Create",
            blocks=BOTH,
        )
        return {ACCOUNT.key: answer}
    if account.is_disabled:
        command = (
            f"gcloud iam service-accounts enable {account.email} --project={context.project_id}"
        )
        url = links.service_accounts(context.project_id)
        fix = context.fix(
            "Enable it.", command=command, url=url, action=f"enable-account:{account.email}"
        )
        text = f"{account.email} is disabled."
        return {ACCOUNT.key: Answer(CheckState.MISSING, text, "", fix, "Enable", BOTH)}
    if account.email == runtime_email(context.project_id):
        return {ACCOUNT.key: Answer(CheckState.OK, f"{account.email}, made for this.")}
    answer = Answer(
        CheckState.OK,
        f"{account.email}, the default account of the project.",
        fix=_create(
            context,
            f"An account of its own, {RUNTIME_ID}, is safer: the default one often may do much "
            "more than services need.",
        ),
        action_label="Create account",
    )
    return {ACCOUNT.key: answer}


def ask_act_as(context: Context) -> dict[str, Answer]:
    """Test the permission on the account itself: a grant there is not seen on the project."""
    account = context.runtime_account().email
    tested = permissions.on_service_account(
        context.clients, account, [ACT_AS_PERMISSION, _SET_POLICY], project=context.project_id
    )
    answer = judged(
        context,
        tested,
        (ACT_AS_PERMISSION,),
        vital=(ACT_AS_PERMISSION,),
        blocks=BOTH,
        may_grant=_SET_POLICY in tested.granted,
        account=account,
        fine=f"Allowed for {account}.",
    )
    return {ACT_AS.key: answer}


def ask_reading(context: Context) -> dict[str, Answer]:
    """Look which buckets of models the account may read, by their policies and the project's."""
    names = [bucket.name for bucket in context.model_buckets()]
    if not names:
        text = "There is no bucket of models yet; a deployment opens its bucket to the account."
        return {READING.key: Answer(CheckState.OK, text)}
    account = context.runtime_account()
    found = outcomes(
        lambda name: bucket_readers.may_read(
            context.clients, name, account.member, project=context.project_id
        ),
        names,
    )
    closed = [each.key for each in found if each.value is False]
    unseen = [each for each in found if each.error]
    if (closed or unseen) and _reads_by_the_project(context, account.member):
        closed, unseen = [], []
    if unseen and not closed and unseen[0].error:
        raise unseen[0].error
    if not closed:
        text = f"It may read {listed(names)}."
        return {READING.key: Answer(CheckState.OK, text)}
    commands = "\n".join(
        role_catalogue.commands([bucket_readers.READER], account.member, bucket=name)
        for name in closed
    )
    fix = context.fix(
        f"Let it read what is in there ({bucket_readers.READER}); deploying offers this too.",
        command=commands,
        url=links.bucket(closed[0], context.project_id),
        action=f"open-buckets:{account.email}:{','.join(closed)}",
    )
    answer = Answer(
        CheckState.MISSING,
        f"It may not read {', '.join(closed)}.",
        fix=fix,
        action_label="Grant",
    )
    return {READING.key: answer}


def _reads_by_the_project(context: Context, member: str) -> bool:
    try:
        return bool(context.roles_on_project(member) & bucket_readers.READING_ROLES)
    except ManagerError:
        return False


def _create(context: Context, text: str) -> Fix:
    project = context.project_id
    return context.fix(
        text,
        command=f"gcloud iam service-accounts create {RUNTIME_ID} --project={project} "
        f"--display-name='{RUNTIME_TITLE}'",
        url=links.service_accounts(project),
        action="create-runtime-account",
    )
