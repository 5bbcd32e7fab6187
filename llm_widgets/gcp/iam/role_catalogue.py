"""What to grant when a permission is missing: the least role, on the resource that carries it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from shlex import quote
from typing import TYPE_CHECKING

from llm_widgets.domain import links
from llm_widgets.errors import Fix, RoleGrant
from llm_widgets.gcp.iam import account_roles
from llm_widgets.gcp.iam.account_roles import CUSTOM_ROLES, TOKENS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.gcp.iam.account_roles import CustomRole

_BUCKET = "bucket"
_PROJECT = "project"

# The first pattern that matches counts. Roles are the smallest predefined ones of Google's role
# reference that hold the permission, or our own; the last word tells where the role is best
# granted. What no pattern names is left to an administrator: no role is offered that does not hold
# it.
_ROLES: tuple[tuple[str, str, str], ...] = (
    ("*TagBinding", "", _PROJECT),  # of Resource Manager's tags, which nothing here uses
    ("storage.objects.get", "roles/storage.objectViewer", _BUCKET),
    ("storage.objects.list", "roles/storage.objectViewer", _BUCKET),
    ("storage.objects.*IamPolicy", "roles/storage.admin", _BUCKET),
    ("storage.objects.*Retention", "roles/storage.admin", _BUCKET),
    ("storage.objects.*", "roles/storage.objectUser", _BUCKET),
    ("storage.multipartUploads.*", "roles/storage.objectUser", _BUCKET),
    ("storage.buckets.create", "roles/storage.admin", _PROJECT),
    ("storage.buckets.list", "roles/storage.bucketViewer", _PROJECT),
    ("storage.buckets.get", "roles/storage.bucketViewer", _BUCKET),
    ("storage.buckets.*", "roles/storage.admin", _BUCKET),
    ("run.routes.invoke", "roles/run.invoker", _PROJECT),
    ("run.jobs.run", "roles/run.jobsExecutor", _PROJECT),
    ("run.executions.cancel", "roles/run.jobsExecutor", _PROJECT),
    ("run.jobs.runWithOverrides", "roles/run.jobsExecutorWithOverrides", _PROJECT),
    ("run.*.get", "roles/run.viewer", _PROJECT),
    ("run.*.list", "roles/run.viewer", _PROJECT),
    ("run.*.getIamPolicy", "roles/run.viewer", _PROJECT),
    ("run.*.setIamPolicy", "roles/run.admin", _PROJECT),
    ("run.*", "roles/run.developer", _PROJECT),
    ("iam.serviceAccounts.actAs", "roles/iam.serviceAccountUser", "account"),
    ("iam.serviceAccounts.getAccessToken", "roles/iam.serviceAccountTokenCreator", "account"),
    ("iam.serviceAccounts.getOpenIdToken", "roles/iam.serviceAccountTokenCreator", "account"),
    ("iam.serviceAccounts.sign*", "roles/iam.serviceAccountTokenCreator", "account"),
    ("iam.serviceAccounts.implicit*", "roles/iam.serviceAccountTokenCreator", "account"),
    ("iam.serviceAccounts.create", "roles/iam.serviceAccountCreator", _PROJECT),
    ("iam.serviceAccounts.get", "roles/iam.serviceAccountViewer", _PROJECT),
    ("iam.serviceAccounts.list", "roles/iam.serviceAccountViewer", _PROJECT),
    ("iam.serviceAccounts.*", "roles/iam.serviceAccountAdmin", _PROJECT),
    ("iam.roles.*", "roles/iam.roleAdmin", _PROJECT),
    ("resourcemanager.projects.setIamPolicy", "roles/resourcemanager.projectIamAdmin", _PROJECT),
    ("resourcemanager.projects.update", "roles/resourcemanager.projectMover", _PROJECT),
    ("resourcemanager.projects.get*", "roles/browser", _PROJECT),
    ("cloudquotas.quotas.update", "roles/cloudquotas.admin", _PROJECT),
    ("cloudquotas.quotas.get", "roles/cloudquotas.viewer", _PROJECT),
    ("serviceusage.services.*able", "roles/serviceusage.serviceUsageAdmin", _PROJECT),
    ("serviceusage.services.use", "roles/serviceusage.serviceUsageConsumer", _PROJECT),
    ("serviceusage.services.*", "roles/serviceusage.serviceUsageViewer", _PROJECT),
    ("logging.logEntries.list", "roles/logging.viewer", _PROJECT),
    ("logging.logs.list", "roles/logging.viewer", _PROJECT),
    ("monitoring.timeSeries.list", "roles/monitoring.viewer", _PROJECT),
    ("compute.subnetworks.use", "roles/compute.networkUser", _PROJECT),
    ("compute.subnetworks.useExternalIp", "roles/compute.networkUser", _PROJECT),
    ("compute.subnetworks.set*", "roles/compute.networkAdmin", _PROJECT),
    # Asked for while such a change runs.
    ("compute.regionOperations.get", "roles/compute.networkAdmin", _PROJECT),
    ("compute.*networks.get", "roles/compute.networkViewer", _PROJECT),
    ("compute.*networks.list", "roles/compute.networkViewer", _PROJECT),
    ("vpcaccess.*.get", "roles/vpcaccess.viewer", _PROJECT),
    ("vpcaccess.*.list", "roles/vpcaccess.viewer", _PROJECT),
    ("vpcaccess.*", "roles/vpcaccess.admin", _PROJECT),
    ("cloudscheduler.locations.get", "roles/cloudscheduler.viewer", _PROJECT),
    ("cloudscheduler.*", "roles/cloudscheduler.admin", _PROJECT),
    ("secretmanager.versions.access", account_roles.TOKEN_READER, _PROJECT),
    *((each, TOKENS.id, _PROJECT) for each in TOKENS.permissions),
    ("secretmanager.versions.destroy", account_roles.TOKEN_ENDER, _PROJECT),
    ("secretmanager.*.get", "roles/secretmanager.viewer", _PROJECT),
    ("secretmanager.*.list", "roles/secretmanager.viewer", _PROJECT),
    ("secretmanager.*", "roles/secretmanager.admin", _PROJECT),
    ("billing.accounts.get", "roles/billing.viewer", _PROJECT),
    ("billing.accounts.list", "roles/billing.viewer", _PROJECT),
)


def least_role(permission: str) -> str:
    """Return the smallest role that holds a permission; empty when none is known.

    It is a predefined one, or the id of one of ``account_roles.CUSTOM_ROLES``.
    """
    return _known(permission)[0]


# Each role holds what those before it in its row hold.
_LADDERS: tuple[tuple[str, ...], ...] = (
    ("roles/run.viewer", "roles/run.developer", "roles/run.admin"),
    (
        "roles/run.jobsExecutor",
        "roles/run.jobsExecutorWithOverrides",
        "roles/run.developer",
        "roles/run.admin",
    ),
    ("roles/run.invoker", "roles/run.admin"),
    ("roles/storage.bucketViewer", "roles/storage.admin"),
    ("roles/storage.objectViewer", "roles/storage.objectUser", "roles/storage.admin"),
    ("roles/iam.serviceAccountViewer", "roles/iam.serviceAccountAdmin"),
    ("roles/iam.serviceAccountCreator", "roles/iam.serviceAccountAdmin"),
    ("roles/browser", "roles/resourcemanager.projectIamAdmin"),
    ("roles/cloudquotas.viewer", "roles/cloudquotas.admin"),
    (
        "roles/serviceusage.serviceUsageViewer",
        "roles/serviceusage.serviceUsageConsumer",
        "roles/serviceusage.serviceUsageAdmin",
    ),
    ("roles/compute.networkViewer", "roles/compute.networkUser", "roles/compute.networkAdmin"),
    ("roles/vpcaccess.viewer", "roles/vpcaccess.admin"),
    ("roles/cloudscheduler.viewer", "roles/cloudscheduler.admin"),
    ("roles/secretmanager.secretAccessor", "roles/secretmanager.admin"),
    ("roles/secretmanager.viewer", "roles/secretmanager.admin"),
)


def least_roles(permissions: Iterable[str]) -> tuple[str, ...]:
    """Return the smallest set of roles that holds all of some permissions.

    A role is left out where another of the set holds what it holds; permissions that no known
    role has add nothing.
    """
    needed = {role for permission in permissions if (role := least_role(permission))}
    covered = {
        lower
        for ladder in _LADDERS
        for place, lower in enumerate(ladder)
        if needed.intersection(ladder[place + 1 :])
    }
    return tuple(sorted(needed - covered))


def commands(
    roles: Iterable[str], member: str, *, project: str = "", bucket: str = "", account: str = ""
) -> str:
    """Write the command lines that grant roles on a bucket, on an account, or on the project.

    A custom role is defined first; where it is there already, that command changes nothing.

    Parameters
    ----------
    member
        Who gets them, as IAM policies write it; where it is not known, the command has a word
        to replace.
    project, bucket, account
        Where: the bucket or the account if one is given.
    """
    place = _BUCKET if bucket else "account" if account else _PROJECT
    words = _command(place, project=project, bucket=bucket, account=account)
    who = quote(member) if member else "MEMBER"
    return "\n".join(_granting(role, words, who, project or "PROJECT") for role in roles)


def _granting(role: str, words: str, who: str, project: str) -> str:
    custom = CUSTOM_ROLES.get(role)
    if custom is None:
        return f"{words} --member={who} --role={role}"
    return f"{definition(custom, project)}\n{words} --member={who} --role={custom.name(project)}"


def definition(role: CustomRole, project: str) -> str:
    """Write the command line that defines a custom role in a project."""
    return (
        f"gcloud iam roles create {role.id} --project={quote(project)} "
        f"--title={quote(role.title)} --permissions={','.join(role.permissions)}"
    )


def grant(
    permission: str, member: str, *, project: str = "", bucket: str = "", account: str = ""
) -> Fix:
    """Return how a permission is granted.

    Parameters
    ----------
    member
        Who lacks it, as IAM policies write it; empty when not known.
    project, bucket, account
        Where it is lacking: ids, and the e-mail address of a service account. Those that are
        not known are empty.
    """
    role, place = _known(permission)
    if not role:
        return Fix(
            text=f"Ask an administrator of the project for a role that has {permission}.",
            url=links.iam(project) if project else "",
        )
    who = member or "this identity"
    text = f"Ask an administrator to grant {role} to {who}."
    words = _command(place, project=project, bucket=bucket, account=account)
    if not member or not words:
        return Fix(text=text, url=links.iam(project) if project else "")
    command = _granting(role, words, quote(member), project)
    if place == _BUCKET and bucket:
        url = links.bucket(bucket, project)
    elif place == "account" and project:
        url = links.service_accounts(project)
    else:
        url = links.iam(project) if project else ""
    granted = RoleGrant(role, _resource(place, project, bucket, account), member)
    return Fix(text, command, url, grant=None if role in CUSTOM_ROLES else granted)


def _resource(place: str, project: str, bucket: str, account: str) -> str:
    """Name what a role is granted on as :func:`.policy.named` reads it."""
    if place == _BUCKET and bucket:
        return f"buckets/{bucket}"
    return f"serviceAccounts/{account}" if place == "account" and account else f"projects/{project}"


def fix(role: str, member: str, *, project: str, text: str) -> Fix:
    """Return the fix that grants a predefined role on a project."""
    return Fix(
        text=text,
        command=commands([role], member, project=project),
        url=links.iam(project),
        grant=RoleGrant(role, f"projects/{project}", member),
    )


def _known(permission: str) -> tuple[str, str]:
    # Google writes "iam.serviceaccounts.actAs" in some of its answers.
    normal = permission.replace("iam.serviceaccounts.", "iam.serviceAccounts.")
    for pattern, role, place in _ROLES:
        if fnmatchcase(normal, pattern):
            return role, place
    return "", _PROJECT


def _command(place: str, *, project: str, bucket: str, account: str) -> str:
    if place == _BUCKET and bucket:
        return f"gcloud storage buckets add-iam-policy-binding {quote(f'gs://{bucket}')}"
    if place == "account" and account:
        flag = f" --project={quote(project)}" if project else ""
        return f"gcloud iam service-accounts add-iam-policy-binding {quote(account)}{flag}"
    return f"gcloud projects add-iam-policy-binding {quote(project)}" if project else ""
