"""What to grant when a permission is missing: the least role, on the resource that carries it."""

from __future__ import annotations

from fnmatch import fnmatchcase

from llm_widgets.cloud import links
from llm_widgets.errors import Fix

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
    ("storage.*", "roles/storage.admin", _BUCKET),
    ("run.routes.invoke", "roles/run.invoker", _PROJECT),
    ("run.jobs.run", "roles/run.jobsExecutor", _PROJECT),
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
    ("iam.serviceAccounts.create", "roles/iam.serviceAccountCreator", _PROJECT),
    ("iam.serviceAccounts.*", "roles/iam.serviceAccountViewer", _PROJECT),
    ("resourcemanager.projects.setIamPolicy", "roles/resourcemanager.projectIamAdmin", _PROJECT),
    ("resourcemanager.projects.*IamPolicy", "roles/iam.securityReviewer", _PROJECT),
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
    ("secretmanager.*", "roles/secretmanager.admin", _PROJECT),
    ("billing.*", "roles/billing.viewer", _PROJECT),
)


def least_role(permission: str) -> str:
    """Give the smallest predefined role that holds a permission; empty when none is known."""
    return _known(permission)[0]


def grant(
    permission: str, member: str, *, project: str = "", bucket: str = "", account: str = ""
) -> Fix:
    """Tell how a permission is granted.

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
    command = f"{words} --member={_quoted(member)} --role={role}"
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
        return f"gcloud storage buckets add-iam-policy-binding gs://{bucket}"
    if place == "account" and account:
        flag = f" --project={project}" if project else ""
        return f"gcloud iam service-accounts add-iam-policy-binding {account}{flag}"
    return f"gcloud projects add-iam-policy-binding {project}" if project else ""


def _quoted(member: str) -> str:
    """Keep a shell from reading a ``*`` in a ``principalSet``."""
    return f"'{member}'" if "*" in member else member
