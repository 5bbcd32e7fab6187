"""What to grant when a permission is missing: the least role, on the resource that carries it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from shlex import quote
from typing import TYPE_CHECKING

from llm_widgets.domain import links
from llm_widgets.errors import Fix

if TYPE_CHECKING:
    from collections.abc import Iterable

_BUCKET = "bucket"
_PROJECT = "project"

# The first pattern that matches counts. Roles are the smallest predefined ones of Google's role
# reference that hold the permission; the second word tells where the role is best granted.
_ROLES: tuple[tuple[str, str, str], ...] = (
    ("storage.objects.get", "roles/storage.objectViewer", _BUCKET),
    ("storage.objects.list", "roles/storage.objectViewer", _BUCKET),
    ("storage.objects.*IamPolicy", "roles/storage.admin", _BUCKET),
    ("storage.objects.*", "roles/storage.objectUser", _BUCKET),
    ("storage.multipartUploads.*", "roles/storage.objectUser", _BUCKET),
    ("storage.buckets.create", "roles/storage.admin", _PROJECT),
    ("storage.buckets.list", "roles/storage.bucketViewer", _PROJECT),
    ("storage.buckets.get", "roles/storage.bucketViewer", _BUCKET),
    ("storage.*", "roles/storage.admin", _BUCKET),
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
    ("iam.serviceAccounts.*IamPolicy", "roles/iam.serviceAccountAdmin", _PROJECT),
    ("iam.serviceAccounts.enable", "roles/iam.serviceAccountAdmin", _PROJECT),
    ("iam.serviceAccounts.create", "roles/iam.serviceAccountCreator", _PROJECT),
    ("iam.serviceAccounts.*", "roles/iam.serviceAccountViewer", _PROJECT),
    ("resourcemanager.projects.setIamPolicy", "roles/resourcemanager.projectIamAdmin", _PROJECT),
    ("resourcemanager.projects.update", "roles/resourcemanager.projectMover", _PROJECT),
    ("resourcemanager.*", "roles/browser", _PROJECT),
    ("cloudquotas.quotas.update", "roles/cloudquotas.admin", _PROJECT),
    ("cloudquotas.*", "roles/cloudquotas.viewer", _PROJECT),
    ("serviceusage.services.enable", "roles/serviceusage.serviceUsageAdmin", _PROJECT),
    ("serviceusage.services.use", "roles/serviceusage.serviceUsageConsumer", _PROJECT),
    ("serviceusage.*", "roles/serviceusage.serviceUsageViewer", _PROJECT),
    ("logging.*", "roles/logging.viewer", _PROJECT),
    ("monitoring.*", "roles/monitoring.viewer", _PROJECT),
    ("compute.subnetworks.use*", "roles/compute.networkUser", _PROJECT),
    ("compute.subnetworks.set*", "roles/compute.networkAdmin", _PROJECT),
    ("compute.*", "roles/compute.networkViewer", _PROJECT),
    ("vpcaccess.connectors.create", "roles/vpcaccess.admin", _PROJECT),
    ("vpcaccess.connectors.use", "roles/vpcaccess.user", _PROJECT),
    ("vpcaccess.*", "roles/vpcaccess.viewer", _PROJECT),
    ("secretmanager.versions.access", "roles/secretmanager.secretAccessor", _PROJECT),
    ("secretmanager.versions.add", "roles/secretmanager.secretVersionAdder", _PROJECT),
    ("secretmanager.*.get", "roles/secretmanager.viewer", _PROJECT),
    ("secretmanager.*.list", "roles/secretmanager.viewer", _PROJECT),
    ("secretmanager.*", "roles/secretmanager.admin", _PROJECT),
    ("billing.*", "roles/billing.viewer", _PROJECT),
)


def least_role(permission: str) -> str:
    """Return the smallest predefined role that holds a permission; empty when none is known."""
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
    ("roles/vpcaccess.viewer", "roles/vpcaccess.user", "roles/vpcaccess.admin"),
    ("roles/secretmanager.secretAccessor", "roles/secretmanager.admin"),
    ("roles/secretmanager.secretVersionAdder", "roles/secretmanager.admin"),
    ("roles/secretmanager.viewer", "roles/secretmanager.admin"),
)


def least_roles(permissions: Iterable[str]) -> tuple[str, ...]:
    """Return the smallest set of predefined roles that holds all of some permissions.

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
    return "\n".join(f"{words} --member={who} --role={role}" for role in roles)


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
            text="Ask an administrator of the project for access.",
            url=links.iam(project) if project else "",
        )
    who = member or "this identity"
    text = f"Ask an administrator to grant {role} to {who}."
    words = _command(place, project=project, bucket=bucket, account=account)
    if not member or not words:
        return Fix(text=text, url=links.iam(project) if project else "")
    command = f"{words} --member={quote(member)} --role={role}"
    if place == _BUCKET and bucket:
        url = links.bucket(bucket, project)
    elif place == "account" and project:
        url = links.service_accounts(project)
    else:
        url = links.iam(project) if project else ""
    return Fix(text=text, command=command, url=url)


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
