"""The permissions that the local cloud knows, and which role has which.

Source: the IAM reference of Google Cloud, cut to what the product uses or tests for. A role is a
list of patterns; ``*`` stands for anything, a leading ``-`` takes away.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache

_VERBS = {
    "run.services": "create delete get getIamPolicy list setIamPolicy update",
    "run.jobs": "create delete get getIamPolicy list run runWithOverrides setIamPolicy update",
    "run.revisions": "delete get list",
    "run.executions": "cancel delete get list",
    "run.tasks": "get list",
    "run.operations": "delete get list",
    "run.locations": "list",
    "run.routes": "get invoke list",
    "run.configurations": "get list",
    "storage.buckets": "create delete get getIamPolicy list setIamPolicy update",
    "storage.objects": "create delete get getIamPolicy list setIamPolicy update",
    "storage.multipartUploads": "abort create list listParts",
    "iam.serviceAccounts": (
        "actAs create delete disable enable get getAccessToken getIamPolicy getOpenIdToken list "
        "setIamPolicy signBlob signJwt update"
    ),
    "iam.serviceAccountKeys": "create delete get list",
    "iam.roles": "get list",
    "resourcemanager.projects": "create delete get getIamPolicy list setIamPolicy update",
    "serviceusage.services": "disable enable get list use",
    "serviceusage.quotas": "get update",
    "cloudquotas.quotas": "get update",
    "compute.networks": "access create delete get list use",
    "compute.subnetworks": "create delete get list setPrivateIpGoogleAccess update use",
    "compute.projects": "get",
    "compute.regions": "get list",
    "vpcaccess.connectors": "create delete get list use",
    "vpcaccess.locations": "list",
    "vpcaccess.operations": "get list",
    "secretmanager.secrets": "create delete get getIamPolicy list setIamPolicy update",
    "secretmanager.versions": "access add destroy disable enable get list",
    "secretmanager.locations": "get list",
    "logging.logEntries": "create list",
    "logging.logs": "delete list",
    "monitoring.timeSeries": "create list",
    "monitoring.metricDescriptors": "get list",
    "artifactregistry.repositories": "downloadArtifacts get list",
    "billing.accounts": "get list",
    "billing.resourceAssociations": "create delete list",
    "iap.webServiceVersions": "accessViaIAP",
}

PERMISSIONS = frozenset(
    f"{kind}.{verb}" for kind, verbs in _VERBS.items() for verb in verbs.split()
)
"""Every permission that can be granted or tested."""

_NOT_ON_A_PROJECT = frozenset(
    {"resourcemanager.projects.create", "resourcemanager.projects.list", "billing.accounts.*"}
)

_READ = [
    "*.get",
    "*.list",
    "*.getIamPolicy",
    "-billing.accounts.*",
    "-resourcemanager.projects.create",
]
_IMPERSONATION = [
    f"-iam.serviceAccounts.{verb}"
    for verb in ("getAccessToken", "getOpenIdToken", "signBlob", "signJwt")
]

ROLES: dict[str, list[str]] = {
    "roles/owner": ["*", *_IMPERSONATION],
    "roles/editor": [
        "*",
        "-*.setIamPolicy",
        "-secretmanager.versions.access",
        "-resourcemanager.projects.delete",
        "-storage.objects.*",
        "-storage.buckets.getIamPolicy",
        *_IMPERSONATION,
    ],
    "roles/viewer": [
        *_READ,
        "-storage.objects.*",
        "-storage.buckets.get*",
        "serviceusage.services.use",
    ],
    "roles/browser": ["resourcemanager.projects.get", "resourcemanager.projects.getIamPolicy"],
    "roles/run.admin": ["run.*"],
    "roles/run.developer": ["run.*", "-run.*.setIamPolicy"],
    "roles/run.viewer": ["run.*.get", "run.*.list", "run.*.getIamPolicy"],
    "roles/run.invoker": ["run.routes.invoke", "run.jobs.run", "run.executions.cancel"],
    "roles/run.servicesInvoker": ["run.routes.invoke"],
    "roles/run.jobsExecutor": ["run.jobs.run", "run.executions.cancel"],
    "roles/run.jobsExecutorWithOverrides": [
        "run.jobs.run",
        "run.jobs.runWithOverrides",
        "run.executions.cancel",
    ],
    "roles/storage.admin": ["storage.*"],
    "roles/storage.bucketViewer": ["storage.buckets.get", "storage.buckets.list"],
    "roles/storage.objectAdmin": ["storage.objects.*", "storage.multipartUploads.*"],
    "roles/storage.objectUser": [
        "storage.objects.*",
        "-storage.objects.*IamPolicy",
        "storage.multipartUploads.*",
    ],
    "roles/storage.objectViewer": ["storage.objects.get", "storage.objects.list"],
    "roles/storage.objectCreator": [
        "storage.objects.create",
        "storage.multipartUploads.abort",
        "storage.multipartUploads.create",
        "storage.multipartUploads.listParts",
    ],
    "roles/storage.legacyBucketOwner": [
        "storage.buckets.get",
        "storage.buckets.getIamPolicy",
        "storage.buckets.setIamPolicy",
        "storage.buckets.update",
        "storage.multipartUploads.*",
        "storage.objects.create",
        "storage.objects.delete",
        "storage.objects.list",
    ],
    "roles/storage.legacyBucketWriter": [
        "storage.buckets.get",
        "storage.multipartUploads.*",
        "storage.objects.create",
        "storage.objects.delete",
        "storage.objects.list",
    ],
    "roles/storage.legacyBucketReader": ["storage.buckets.get", "storage.objects.list"],
    "roles/storage.legacyObjectOwner": [
        "storage.objects.get",
        "storage.objects.getIamPolicy",
        "storage.objects.setIamPolicy",
        "storage.objects.update",
    ],
    "roles/storage.legacyObjectReader": ["storage.objects.get"],
    "roles/iam.serviceAccountUser": [
        "iam.serviceAccounts.actAs",
        "iam.serviceAccounts.get",
        "iam.serviceAccounts.list",
    ],
    "roles/iam.serviceAccountTokenCreator": [
        "iam.serviceAccounts.getAccessToken",
        "iam.serviceAccounts.getOpenIdToken",
        "iam.serviceAccounts.signBlob",
        "iam.serviceAccounts.signJwt",
        "iam.serviceAccounts.get",
        "iam.serviceAccounts.list",
    ],
    "roles/iam.serviceAccountAdmin": [
        "iam.serviceAccounts.*",
        "-iam.serviceAccounts.actAs",
        *_IMPERSONATION,
    ],
    "roles/iam.serviceAccountCreator": [
        "iam.serviceAccounts.create",
        "iam.serviceAccounts.get",
        "iam.serviceAccounts.list",
    ],
    "roles/iam.serviceAccountViewer": [
        "iam.serviceAccounts.get",
        "iam.serviceAccounts.getIamPolicy",
        "iam.serviceAccounts.list",
    ],
    "roles/iam.securityAdmin": ["*.list", "*.getIamPolicy", "*.setIamPolicy"],
    "roles/iam.securityReviewer": ["*.list", "*.getIamPolicy"],
    "roles/secretmanager.admin": ["secretmanager.*"],
    "roles/secretmanager.secretAccessor": ["secretmanager.versions.access"],
    "roles/secretmanager.secretVersionAdder": ["secretmanager.versions.add"],
    "roles/secretmanager.secretVersionManager": [
        "secretmanager.versions.*",
        "-secretmanager.versions.access",
    ],
    "roles/secretmanager.viewer": [
        "secretmanager.*.get",
        "secretmanager.*.list",
        "secretmanager.*.getIamPolicy",
    ],
    "roles/logging.viewer": ["logging.logEntries.list", "logging.logs.list"],
    "roles/logging.privateLogViewer": ["logging.logEntries.list", "logging.logs.list"],
    "roles/logging.logWriter": ["logging.logEntries.create"],
    "roles/logging.admin": ["logging.*"],
    "roles/monitoring.viewer": ["monitoring.*.get", "monitoring.*.list"],
    "roles/monitoring.admin": ["monitoring.*"],
    "roles/cloudquotas.viewer": ["cloudquotas.quotas.get", "monitoring.timeSeries.list"],
    "roles/cloudquotas.admin": ["cloudquotas.*", "monitoring.timeSeries.list"],
    "roles/serviceusage.serviceUsageConsumer": [
        "serviceusage.services.get",
        "serviceusage.services.list",
        "serviceusage.services.use",
        "serviceusage.quotas.get",
    ],
    "roles/serviceusage.serviceUsageViewer": [
        "serviceusage.services.get",
        "serviceusage.services.list",
        "serviceusage.quotas.get",
    ],
    "roles/serviceusage.serviceUsageAdmin": ["serviceusage.*"],
    "roles/compute.viewer": ["compute.*.get", "compute.*.list"],
    "roles/compute.networkViewer": ["compute.*.get", "compute.*.list"],
    "roles/compute.networkUser": [
        "compute.*.get",
        "compute.*.list",
        "compute.networks.access",
        "compute.networks.use",
        "compute.subnetworks.use",
    ],
    "roles/compute.networkAdmin": ["compute.*"],
    "roles/compute.admin": ["compute.*"],
    "roles/vpcaccess.admin": ["vpcaccess.*"],
    "roles/vpcaccess.user": ["vpcaccess.*.get", "vpcaccess.*.list", "vpcaccess.connectors.use"],
    "roles/vpcaccess.viewer": ["vpcaccess.*.get", "vpcaccess.*.list"],
    "roles/artifactregistry.reader": ["artifactregistry.*"],
    "roles/resourcemanager.projectIamAdmin": [
        "resourcemanager.projects.get",
        "resourcemanager.projects.getIamPolicy",
        "resourcemanager.projects.setIamPolicy",
    ],
    "roles/resourcemanager.projectDeleter": ["resourcemanager.projects.delete"],
    "roles/resourcemanager.projectMover": [
        "resourcemanager.projects.get",
        "resourcemanager.projects.update",
    ],
    "roles/billing.projectManager": ["billing.resourceAssociations.*"],
    "roles/billing.viewer": ["billing.*.get", "billing.*.list"],
    "roles/billing.user": [
        "billing.accounts.get",
        "billing.accounts.list",
        "billing.resourceAssociations.create",
    ],
    "roles/billing.admin": ["billing.*"],
    "roles/iap.httpsResourceAccessor": ["iap.webServiceVersions.accessViaIAP"],
}
"""Role to patterns of permissions."""


@cache
def role_permissions(role: str) -> frozenset[str]:
    """Return the permissions of a role; none for a role that does not exist."""
    given: set[str] = set()
    for pattern in ROLES.get(role, []):
        if pattern.startswith("-"):
            given = {p for p in given if not fnmatchcase(p, pattern[1:])}
        else:
            given |= {p for p in PERMISSIONS if fnmatchcase(p, pattern)}
    return frozenset(given)


# Last collection of a resource's name -> the permissions that mean something there.
_ON_RESOURCE = {
    "services": ["run.*"],
    "jobs": ["run.*"],
    "serviceAccounts": ["iam.serviceAccounts.*", "iam.serviceAccountKeys.*"],
    "secrets": ["secretmanager.*"],
    "buckets": ["storage.*"],
    "objects": ["storage.objects.*"],
}


def valid_on(permission: str, resource: str) -> bool:
    """Say whether a permission can be tested on a resource (otherwise Google answers 400)."""
    if permission not in PERMISSIONS:
        return False
    parts = resource.split("/")
    if len(parts) <= 2:  # noqa: PLR2004 - a project: "projects/P"
        return not any(fnmatchcase(permission, p) for p in _NOT_ON_A_PROJECT)
    return any(fnmatchcase(permission, p) for p in _ON_RESOURCE.get(parts[-2], ["*"]))
