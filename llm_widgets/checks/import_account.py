"""The service account that import jobs run as: there, usable, and to be used by who starts them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.checks.accounts import disabled, judged_act_as
from llm_widgets.domain import links
from llm_widgets.domain.checklist import Answer, CheckState, Subject, Work
from llm_widgets.errors import NotFoundError
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.iam import account_roles, permissions, role_catalogue, service_accounts
from llm_widgets.gcp.iam.service_accounts import IMPORTS

if TYPE_CHECKING:
    from llm_widgets.checks.context import Context
    from llm_widgets.errors import Fix

ACCOUNT = Subject(
    "imports/account",
    "Service account of import jobs",
    "Import jobs run as this account. It can only access their bucket and token.",
)
ACT_AS = Subject(
    "imports/act-as",
    "Act as the account of import jobs",
    "You need permission to act as this account to start an import.",
)

_IMPORT = frozenset({Work.IMPORT})
_CREATE = "iam.serviceAccounts.create"


def ask_account(context: Context) -> dict[str, Answer]:
    """Look for the account; one that the next import makes is in order."""
    if not context.clients.settings.image:
        who = identity.current(context.clients).label
        text = f"Not needed: imports run on this machine, as {who}."
        return {ACCOUNT.key: Answer(CheckState.OK, text)}
    email = _email(context)
    try:
        account = service_accounts.get(context.clients, context.project_id, email)
    except NotFoundError:
        return {ACCOUNT.key: _not_there(context, email)}
    if account.is_disabled:
        return {ACCOUNT.key: disabled(context, email, _IMPORT)}
    return {ACCOUNT.key: Answer(CheckState.OK, f"{email}.")}


def ask_act_as(context: Context) -> dict[str, Answer]:
    """Test the permission on the account, or on the project while there is no such account."""
    if not context.clients.settings.image:
        text = "Not needed: imports run on this machine."
        return {ACT_AS.key: Answer(CheckState.OK, text)}
    email = _email(context)
    wanted = (permissions.ACT_AS,)
    tested, is_there = permissions.on_account_or_project(
        context.clients, email, wanted, project=context.project_id
    )
    if is_there:
        return {ACT_AS.key: judged_act_as(context, email, _IMPORT)}
    if not tested.missing:
        text = f"Allowed in the whole project, including {email} once created."
        return {ACT_AS.key: Answer(CheckState.OK, text)}
    grants = role_catalogue.commands(
        [account_roles.ACT_AS], context.member_form, project=context.project_id, account=email
    )
    fix = _creating(context, email, f"Create it, and grant {account_roles.ACT_AS} on it.", grants)
    text = f"Missing on {email}, which does not exist yet: {permissions.ACT_AS}."
    label = "Create account" if fix.action else ""
    return {ACT_AS.key: Answer(CheckState.MISSING, text, "", fix, label, _IMPORT)}


def _not_there(context: Context, email: str) -> Answer:
    if email != IMPORTS.email(context.project_id):
        text = f"There is no service account {email}, which LLM_WIDGETS_IMPORT_ACCOUNT names."
        fix = context.fix("Set it to an existing account, or unset it.")
        return Answer(CheckState.MISSING, text, "", fix, "", _IMPORT)
    project = context.project_id
    if not permissions.on_project(context.clients, project, [_CREATE]).missing:
        return Answer(CheckState.OK, f"{email} is created when the first import starts.")
    fix = _creating(context, email, "Ask an administrator to create it.")
    text = f"{email} does not exist, and this identity can't create it."
    return Answer(CheckState.MISSING, text, f"Missing: {_CREATE}.", fix, "", _IMPORT)


def _creating(context: Context, email: str, text: str, *more: str) -> Fix:
    project = context.project_id
    is_own = email == IMPORTS.email(project)
    commands = [IMPORTS.command(project), *more] if is_own else more
    return context.fix(
        text,
        command="\n".join(commands),
        url=links.service_accounts(project),
        action="create-import-account" if is_own and more else "",
    )


def _email(context: Context) -> str:
    return service_accounts.of_imports(context.clients.settings, context.project_id)
