"""The four accounts of the product, and the roles that each of them needs: the one place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class On(StrEnum):
    """What a role is granted on, in words of the documentation."""

    PROJECT = "the project"
    ACCOUNTS = "the accounts of import jobs, of services and of pauses"
    RUNTIME = "the account of services"
    PAUSED = "a service, until its pause is over"
    BUCKET = "each bucket that imports go to"
    TOKEN = "the secret of one import, while it runs"  # noqa: S105 - no secret
    MODELS = "the bucket of the model"


@dataclass(frozen=True, slots=True)
class CustomRole:
    """A role that a project defines itself.

    Attributes
    ----------
    id
        Its last word: ``projects/P/roles/ID`` is its name.
    """

    id: str
    title: str
    permissions: tuple[str, ...]

    def name(self, project: str) -> str:
        """Return its resource name."""
        return f"projects/{project}/roles/{self.id}"


@dataclass(frozen=True, slots=True)
class NeededRole:
    """A role that an account needs.

    Attributes
    ----------
    role
        A predefined role, or the id of a custom one.
    purpose
        What it is for, as it goes on after "to".
    is_given
        Whether the product grants it by itself, so that nobody has to.
    """

    role: str
    on: On
    purpose: str
    is_given: bool = False


TOKENS = CustomRole(
    "llmManagerTokens",
    "LLM Manager: tokens of imports",
    (
        "secretmanager.secrets.create",
        "secretmanager.secrets.delete",
        "secretmanager.secrets.get",
        "secretmanager.secrets.getIamPolicy",
        "secretmanager.secrets.setIamPolicy",
        "secretmanager.versions.add",
    ),
)
"""Keeps tokens and hands them to import jobs, and reads none.

Each predefined role that may create and delete secrets may read them too.
"""

CUSTOM_ROLES = {TOKENS.id: TOKENS}

ACT_AS = "roles/iam.serviceAccountUser"
REVIEWER = "roles/iam.securityReviewer"
"""Reads the IAM policy of what it is granted on."""

BUCKET_READER = "roles/storage.objectViewer"
BUCKET_WRITER = "roles/storage.objectUser"
TOKEN_READER = "roles/secretmanager.secretAccessor"  # noqa: S105 - the name of a role
TOKEN_ENDER = "roles/secretmanager.secretVersionManager"  # noqa: S105 - the name of a role
"""Destroys the token at the end of its import, also when no page is open to do so.

It reads no token. To delete the secret itself takes a role that may also hand it to others.
"""

PAUSER = "roles/run.developer"
"""Changes the one service that it is granted on, until its lease is over.

Only ``run.services.update`` is used. A role of its own would have to be defined first, which few
may do; and who may change a service may do nearly all with it that this role can.
"""

VISITOR = "roles/iap.httpsResourceAccessor"
"""Opens a service behind Identity-Aware Proxy."""

BUILDER = "roles/run.builder"
"""Reads an archive and pushes the image that is built from it.

Source: https://docs.cloud.google.com/run/docs/configuring/services/build-service-account,
December 2026.
"""

DEPLOYER = (
    NeededRole("roles/serviceusage.serviceUsageAdmin", On.PROJECT, "enable the APIs"),
    NeededRole(
        "roles/iam.serviceAccountAdmin",
        On.PROJECT,
        "create the accounts, let the page act as the others",
    ),
    NeededRole(ACT_AS, On.PROJECT, "deploy as the accounts"),
    NeededRole("roles/iam.roleAdmin", On.PROJECT, "define the role of tokens"),
    NeededRole("roles/resourcemanager.projectIamAdmin", On.PROJECT, "grant roles on the project"),
    NeededRole("roles/artifactregistry.admin", On.PROJECT, "create the repository"),
    NeededRole("roles/storage.admin", On.PROJECT, "keep the archive of the source"),
    NeededRole("roles/cloudbuild.builds.editor", On.PROJECT, "build the image"),
    NeededRole("roles/run.admin", On.PROJECT, "deploy the service"),
    NeededRole("roles/iap.admin", On.PROJECT, "let visitors in"),
    NeededRole("roles/iap.settingsAdmin", On.PROJECT, "look at the OAuth client, and set it"),
)
"""What it takes to deploy the page for colleagues, and to remove it."""

PAGE = (
    NeededRole("roles/run.admin", On.PROJECT, "deploy services, let callers in, run import jobs"),
    NeededRole("roles/storage.admin", On.PROJECT, "make buckets, open them to the other accounts"),
    NeededRole(TOKENS.id, On.PROJECT, "keep tokens of hubs and let import jobs read them"),
    NeededRole("roles/browser", On.PROJECT, "see the project"),
    NeededRole(
        "roles/iam.serviceAccountCreator", On.PROJECT, "make the accounts that are not there yet"
    ),
    NeededRole(ACT_AS, On.ACCOUNTS, "start jobs and services as these accounts"),
    NeededRole("roles/logging.viewer", On.PROJECT, "show logs"),
    NeededRole("roles/monitoring.viewer", On.PROJECT, "show metrics and costs"),
    NeededRole("roles/serviceusage.serviceUsageViewer", On.PROJECT, "tell which APIs are enabled"),
    NeededRole("roles/cloudquotas.viewer", On.PROJECT, "tell the GPU quota"),
    NeededRole("roles/compute.networkViewer", On.PROJECT, "offer networks and subnets"),
    NeededRole("roles/vpcaccess.viewer", On.PROJECT, "offer connectors"),
    NeededRole("roles/cloudscheduler.admin", On.PROJECT, "pause services at a time"),
    NeededRole(REVIEWER, On.RUNTIME, "see whether pauses may act as it"),
)
"""What the account of the page needs."""

IMPORT_JOBS = (
    NeededRole(BUCKET_WRITER, On.BUCKET, "write models, and its own notes", is_given=True),
    NeededRole(TOKEN_READER, On.TOKEN, "read the token of a gated model", is_given=True),
    NeededRole(TOKEN_ENDER, On.TOKEN, "destroy that token at the end", is_given=True),
)
"""What the account of import jobs needs: nothing of the project."""

SERVICES = (NeededRole(BUCKET_READER, On.MODELS, "read the model", is_given=True),)
"""What the account of services needs."""

PAUSES = (
    NeededRole(PAUSER, On.PAUSED, "pause it", is_given=True),
    NeededRole(ACT_AS, On.RUNTIME, "change services that run as it"),
)
"""What the account of pauses needs: nothing of the project.

Who may say who acts as the account of services need not grant the second: it is lent with a lease.
"""

JOB_ON_TOKEN = tuple(each.role for each in IMPORT_JOBS if each.on is On.TOKEN)
"""What an import's job is granted on the secret of its token."""
