"""Refusals by policies: of the organization, of a service perimeter, of images, of a bucket."""

from __future__ import annotations

import re
from shlex import quote
from typing import TYPE_CHECKING

from llm_widgets.domain import links
from llm_widgets.errors import Fix, InvalidInputError, ManagerError, PolicyError
from llm_widgets.gcp.client import messages

if TYPE_CHECKING:
    from llm_widgets.gcp.refusals.doing import Doing
    from llm_widgets.gcp.refusals.reading import Refusal

_MEMBERS = "constraints/iam.allowedPolicyMemberDomains"
_OUTSIDERS = re.compile(
    r"do(?:es)? not belong to a permitted customer|is not in permitted organization", re.IGNORECASE
)
_PERIMETER = re.compile(
    r"vpcServiceControlsUniqueIdentifier|VPC Service Controls|"
    r"request is prohibited by organization's policy",
    re.IGNORECASE,
)
_ORGANIZATION = re.compile(
    r"(?:violates?|denied by|disallowed by|prohibited by|blocked by|restricted by|due to|"
    r"not allowed by) (?:an? |the |your )?(?:custom )?(?:organization(?:'s|al)? |org ?)"
    r"(?:policy|policies|restriction)",
    re.IGNORECASE,
)
_IMAGE = re.compile(
    r"(?:un|not )authorized by policy|binary authorization|denied by \S{1,80} (?:admission rule|"
    r"attestor)|denied by attestor|always_deny|admission rule",
    re.IGNORECASE,
)
_UNAUTHORIZED = frozenset(
    {"CONTAINER_IMAGE_UNAUTHORIZED", "CONTAINER_IMAGE_AUTHORIZATION_CHECK_FAILED"}
)
"""Reasons of Cloud Run's conditions (``CommonReason``): the policy for images is meant."""

_RETENTION = re.compile(
    r"retention (?:policy|period|config|expiration)|retained until|object retention|"
    r"bucket lock\b",
    re.IGNORECASE,
)
_UNTIL = re.compile(r"until (\d{4}-\d{2}-\d{2})")
_HOLD = re.compile(
    r"(temporary|event-based)[ -]hold|under (?:an )?active (?:object )?hold|\bon hold\b",
    re.IGNORECASE,
)
_OBJECT = re.compile(r"[Oo]bject '?([\w./-]{3,63}/[^\s']{1,1024})'?")
_IP_FILTER = re.compile(r"\bIP[ _-]?filter", re.IGNORECASE)
_NAMESPACE = re.compile(r"hierarchical namespace|\bHNS\b", re.IGNORECASE)
_ENCRYPTION = re.compile(r"encryption enforcement", re.IGNORECASE)
_LOCATION = re.compile(r"location constraint is not valid|invalid location\b", re.IGNORECASE)
_PUBLIC = re.compile(r"public access prevention", re.IGNORECASE)
_SOFT = re.compile(r"soft[- ]?delet", re.IGNORECASE)

_EXISTING_ACCOUNT = "Choose a service account that exists already"
_NO_KEY = "Use no key: sign in, or impersonate the account"
_UNIFORM = "Use a bucket with uniform bucket-level access"
_CHOICES = {
    "gcp.resourceLocations": "Choose a region that the policy allows",
    "gcp.restrictServiceUsage": "Use a project in which the policy allows the API",
    "gcp.restrictNonCmekServices": "Use a bucket that is encrypted with a Cloud KMS key",
    "gcp.restrictCmekCryptoKeyProjects": "Use a Cloud KMS key of a project that the policy allows",
    "iam.allowedPolicyMemberDomains": "Choose members that belong to the organization",
    "iam.managed.allowedPolicyMembers": "Choose members that the policy allows",
    "iam.disableServiceAccountCreation": _EXISTING_ACCOUNT,
    "iam.managed.disableServiceAccountCreation": _EXISTING_ACCOUNT,
    "iam.disableCrossProjectServiceAccountUsage": "Choose a service account of this project",
    "iam.disableServiceAccountKeyCreation": _NO_KEY,
    "iam.managed.disableServiceAccountKeyCreation": _NO_KEY,
    "iam.disableServiceAccountKeyUpload": _NO_KEY,
    "run.allowedIngress": "Choose an ingress that the policy allows",
    "run.allowedVPCEgress": "Choose a network and which requests go through it, as the policy "
    "wants them",
    "run.allowedBinaryAuthorizationPolicies": "Turn Binary Authorization on for the service",
    "run.managed.requireInvokerIam": "Let Cloud Run check who calls, and grant callers "
    "roles/run.invoker",
    "storage.bucketPolicyOnly": _UNIFORM,
    "storage.uniformBucketLevelAccess": _UNIFORM,
    "storage.publicAccessPrevention": "Use a bucket that can't be made public",
    "storage.retentionPolicySeconds": "Use a bucket with a retention policy as the organization "
    "wants it",
    "storage.softDeletePolicySeconds": "Use a bucket with a soft delete policy as the organization "
    "wants it",
    "compute.restrictSharedVpcSubnetworks": "Choose a subnet that the policy allows",
    "compute.restrictSharedVpcHostProjects": "Choose a network of a host project that the policy "
    "allows",
}
"""What to choose here, by constraint.

Source: https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints
"""


def perimeter(refusal: Refusal, doing: Doing) -> PolicyError | None:
    """Word a refusal of VPC Service Controls: no role helps against it."""
    types = {violation.type for violation in refusal.violations}
    if (
        refusal.reason != "SECURITY_POLICY_VIOLATED"
        and "VPC_SERVICE_CONTROLS" not in types
        and not _PERIMETER.search(refusal.message)
    ):
        return None
    named = f" by its identifier {refusal.uid}" if refusal.uid else ""
    of_project = f" in the project {doing.shown(refusal.consumer)}" if refusal.consumer else ""
    return PolicyError(
        doing.cant(f"a service perimeter of VPC Service Controls prohibits it{of_project}"),
        cause=refusal.message,
        fix=Fix(
            text="No role helps against this. Work from a network and with an account that the "
            "service perimeter lets in, or ask an administrator of the organization, who finds "
            f"the refusal{named}.",
            url=links.service_perimeters(doing.named(refusal.consumer)),
        ),
    )


def organization(refusal: Refusal, doing: Doing) -> PolicyError | None:
    """Word a violated policy of the organization, by the constraint where it is named."""
    constraint = refusal.constraint
    if not constraint and _OUTSIDERS.search(refusal.message):
        constraint = _MEMBERS
    if not constraint:
        return _unnamed(refusal, doing)
    short = constraint.partition("/")[2]
    project = doing.named(refusal.project)
    choice = _CHOICES.get(short, "Choose what the policy allows")
    told = [each.description for each in refusal.violations if each.description]
    more = [text for text in dict.fromkeys(told) if text not in refusal.message]
    command = f"gcloud org-policies describe {short} --effective --project={quote(project)}"
    return PolicyError(
        doing.cant(f"the organization's policy {constraint} does not allow it"),
        cause="\n".join([refusal.message, *more]),
        fix=Fix(
            text=f"{choice}, or ask an administrator of the organization for an exception. "
            "What the policy allows:",
            command=command if project else "",
            url=links.organization_policy(short, project),
        ),
    )


def _unnamed(refusal: Refusal, doing: Doing) -> PolicyError | None:
    is_named = refusal.reason in {"LOCATION_ORG_POLICY_VIOLATED", "ORG_RESTRICTION_VIOLATION"}
    is_named = is_named or "OrgPolicyConstraintFailed" in refusal.legacy
    if not is_named and not _ORGANIZATION.search(refusal.message):
        return None
    return PolicyError(
        doing.cant("a policy of the organization does not allow it"),
        cause=refusal.message,
        fix=Fix(
            text="Ask an administrator of the organization which policy it is, and for an "
            "exception.",
            url=links.organization_policies(doing.named(refusal.project)),
        ),
    )


def image(refusal: Refusal, doing: Doing) -> PolicyError | None:
    """Word a container image that Binary Authorization does not let run."""
    if refusal.reason not in _UNAUTHORIZED and not _IMAGE.search(refusal.message):
        return None
    return PolicyError(
        doing.cant("Binary Authorization does not allow the image"),
        cause=refusal.message,
        fix=Fix(
            text="Use an image that the policy allows, by its digest, or ask an administrator to "
            "allow or attest this one.",
            url=links.binary_authorization(doing.project),
        ),
    )


def retention(refusal: Refusal, doing: Doing) -> PolicyError | None:
    """Word an object that a retention policy or a hold of its bucket keeps as it is."""
    if refusal.status not in {0, 403, 409, 412} and "retentionPolicyNotMet" not in refusal.legacy:
        return None
    held = _HOLD.search(refusal.message)
    if held or "objectUnderActiveHold" in refusal.legacy:
        return _held(refusal, doing, (held and held[1]) or "")
    if not _RETENTION.search(refusal.message) and "retentionPolicyNotMet" not in refusal.legacy:
        return None
    bucket, _ = _place(refusal, doing)
    until = _UNTIL.search(refusal.message)
    when = f" until {until[1]}" if until else ""
    return PolicyError(
        doing.cant(f"the bucket's retention policy keeps the object as it is{when}"),
        cause=refusal.message,
        fix=Fix(
            text="Wait, use a bucket without a retention policy, or have the policy removed if it "
            "is not locked:",
            command=f"gcloud storage buckets update {quote(f'gs://{bucket}')} "
            "--clear-retention-period"
            if bucket
            else "",
            url=links.bucket_protection(bucket, doing.project) if bucket else "",
        ),
    )


def _held(refusal: Refusal, doing: Doing, kind: str) -> PolicyError:
    bucket, name = _place(refusal, doing)
    flag = "--no-event-based-hold" if kind.lower().startswith("event") else "--no-temporary-hold"
    return PolicyError(
        doing.cant("the object is on hold"),
        cause=refusal.message,
        fix=Fix(
            text="Have the hold released:",
            command=f"gcloud storage objects update {quote(f'gs://{bucket}/{name}')} {flag}"
            if name
            else "",
            url=links.bucket(bucket, doing.project) if bucket else "",
        ),
    )


def ip_filter(refusal: Refusal, doing: Doing) -> PolicyError | None:
    """Word a bucket that takes requests of certain networks only."""
    if not _IP_FILTER.search(f"{refusal.message} {' '.join(refusal.legacy)}"):
        return None
    bucket, _ = _place(refusal, doing)
    return PolicyError(
        doing.cant("the bucket's IP filter lets no requests in from here"),
        cause=refusal.message,
        fix=Fix(
            text="No role helps against this. Work from a network that the IP filter allows, use "
            "another bucket, or have the filter changed.",
            url=links.bucket(bucket, doing.project) if bucket else "",
        ),
    )


def public_access(refusal: Refusal, doing: Doing) -> PolicyError | None:
    """Word what would make a bucket public whose public access prevention forbids that."""
    if not _PUBLIC.search(refusal.message):
        return None
    bucket, _ = _place(refusal, doing)
    return PolicyError(
        doing.cant("the bucket's public access prevention does not allow public access"),
        cause=refusal.message,
        fix=Fix(
            text="Choose members other than allUsers and allAuthenticatedUsers, or have the "
            "prevention turned off, unless the organization enforces it:",
            command=f"gcloud storage buckets update {quote(f'gs://{bucket}')} "
            "--no-public-access-prevention"
            if bucket
            else "",
            url=links.bucket(bucket, doing.project) if bucket else "",
        ),
    )


def soft_delete(refusal: Refusal, doing: Doing) -> PolicyError | None:
    """Word what the soft delete policy of a bucket is in the way of."""
    if not _SOFT.search(refusal.message):
        return None
    bucket, _ = _place(refusal, doing)
    return PolicyError(
        doing.cant("soft delete is in the way"),
        cause=refusal.message,
        fix=Fix(
            text="What is soft-deleted stays for the time that the bucket's soft delete policy "
            "says, can be restored until then, and keeps its name. Restore it, use another name, "
            "or change the policy.",
            url=links.bucket_protection(bucket, doing.project) if bucket else "",
        ),
    )


def kind_of_bucket(refusal: Refusal, doing: Doing) -> ManagerError | None:
    """Word what a bucket can't do for the way in which it was made: namespace, keys, location."""
    bucket, _ = _place(refusal, doing)
    url = links.bucket(bucket, doing.project) if bucket else ""
    if _NAMESPACE.search(refusal.message):
        why = "the bucket's namespace, hierarchical or flat, does not allow it"
        text = "A bucket's namespace is chosen when it is made: use another bucket."
    elif _ENCRYPTION.search(refusal.message):
        why = "the bucket takes objects that are encrypted in another way only"
        text = (
            "Have the bucket given a default Cloud KMS key as it asks for, or use another bucket."
        )
    elif _LOCATION.search(refusal.message):
        return InvalidInputError(
            doing.cant("Cloud Storage has no such location"),
            cause=refusal.message,
            fix=Fix(text="Choose a region or a multi-region of Cloud Storage."),
        )
    else:
        return None
    return ManagerError(doing.cant(why), cause=refusal.message, fix=Fix(text=text, url=url))


def _place(refusal: Refusal, doing: Doing) -> tuple[str, str]:
    """Return bucket and name of the object that a refusal names, else the bucket at hand."""
    found = _OBJECT.search(refusal.message)
    if found:
        bucket, _, name = found[1].partition("/")
        return bucket, name
    return messages.bucket(refusal.message) or doing.bucket, ""
