"""The permissions that the local cloud knows, and which role has which.

What Google's IAM API answers of a role is in ``facts/roles.json``. A few roles that are not in it
follow their documentation, as patterns: ``*`` stands for anything, a leading ``-`` takes away.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache

from local_cloud.facts import facts

_RECORDED: dict[str, list[str]] = facts("roles")["roles"]

PERMISSIONS = frozenset(permission for held in _RECORDED.values() for permission in held)
"""Every permission that can be granted or tested."""

_NOT_ON_A_PROJECT = frozenset({"resourcemanager.projects.list", "billing.accounts.*"})

# Source: https://docs.cloud.google.com/iam/docs/roles-permissions, November 2026.
_DOCUMENTED: dict[str, list[str]] = {
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
    "roles/iam.roleAdmin": [
        "iam.roles.*",
        "resourcemanager.projects.get",
        "resourcemanager.projects.getIamPolicy",
    ],
    "roles/iam.securityAdmin": ["*.list", "*.getIamPolicy", "*.setIamPolicy"],
    "roles/iam.securityReviewer": ["*.list", "*.getIamPolicy"],
    "roles/secretmanager.secretVersionManager": [
        "secretmanager.versions.*",
        "-secretmanager.versions.access",
    ],
    "roles/logging.privateLogViewer": ["logging.logEntries.list", "logging.logs.list"],
    "roles/logging.logWriter": ["logging.logEntries.create"],
    "roles/logging.admin": ["logging.*"],
    "roles/monitoring.admin": ["monitoring.*"],
    "roles/compute.viewer": ["compute.*.get", "compute.*.list"],
    "roles/compute.admin": ["compute.*"],
    "roles/artifactregistry.reader": [
        "artifactregistry.*.get",
        "artifactregistry.*.list",
        "artifactregistry.repositories.downloadArtifacts",
    ],
    "roles/artifactregistry.admin": ["artifactregistry.*"],
    "roles/run.builder": [
        "artifactregistry.repositories.deleteArtifacts",
        "artifactregistry.repositories.downloadArtifacts",
        "artifactregistry.repositories.uploadArtifacts",
        "logging.logEntries.create",
        "storage.objects.get",
    ],
    "roles/cloudbuild.builds.editor": ["cloudbuild.builds.*", "cloudbuild.operations.*"],
    "roles/iap.admin": ["iap.*.getIamPolicy", "iap.*.setIamPolicy"],
    "roles/iap.settingsAdmin": ["iap.*.getSettings", "iap.*.updateSettings"],
    "roles/resourcemanager.projectDeleter": ["resourcemanager.projects.delete"],
    "roles/billing.projectManager": ["billing.resourceAssociations.*"],
    "roles/billing.user": [
        "billing.accounts.get",
        "billing.accounts.list",
        "billing.resourceAssociations.create",
    ],
    "roles/billing.admin": ["billing.*"],
}

ROLES = frozenset({*_RECORDED, *_DOCUMENTED})
"""Every predefined role that can be granted."""


@cache
def role_permissions(role: str) -> frozenset[str]:
    """Return the permissions of a role; none for a role that does not exist."""
    given = set(_RECORDED.get(role, []))
    for pattern in _DOCUMENTED.get(role, []):
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
    """Return whether a permission can be tested on a resource (otherwise Google answers 400)."""
    if permission not in PERMISSIONS:
        return False
    parts = resource.split("/")
    if len(parts) <= 2:  # noqa: PLR2004 - a project: "projects/P"
        return not any(fnmatchcase(permission, p) for p in _NOT_ON_A_PROJECT)
    return any(fnmatchcase(permission, p) for p in _ON_RESOURCE.get(parts[-2], ["*"]))
