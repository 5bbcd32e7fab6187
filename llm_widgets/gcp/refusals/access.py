"""Refusals because of who asks: credentials, scopes, permissions, service agents, accounts."""

from __future__ import annotations

import re
from shlex import quote
from typing import TYPE_CHECKING

from llm_widgets.domain import google_apis, links, members
from llm_widgets.errors import (
    DeniedError,
    Fix,
    ManagerError,
    NotFoundError,
    PolicyError,
    SignInError,
)
from llm_widgets.gcp.auth import sign_in
from llm_widgets.gcp.client import messages
from llm_widgets.gcp.iam import role_catalogue
from llm_widgets.gcp.refusals import images
from llm_widgets.gcp.refusals.reading import Refusal, project_in

if TYPE_CHECKING:
    from llm_widgets.gcp.refusals.doing import Doing

_UNAUTHORIZED = 401
_FORBIDDEN = 403
_SCOPES = re.compile(r"insufficient (?:authentication|authorization|oauth) scopes", re.IGNORECASE)
_SCOPE_LEGACY = frozenset({"insufficientPermissions", "insufficientScopes"})
_AGENT = re.compile(
    r"\b(service-(\d{1,20})@([a-z0-9-]{1,60})\.iam\.gserviceaccount\.com|"
    r"(\d{1,20})@(cloudservices)\.gserviceaccount\.com)"
)
_LACKS = re.compile(
    r"must have|do(?:es)? not have|needs|lacks|missing|denied|not authorized|please (?:give|grant)",
    re.IGNORECASE,
)
_ROLE = re.compile(r"\b(roles/[a-z]{2,40}(?:\.[A-Za-z]{2,60})?)\b")
_NO_ACCOUNT = re.compile(
    r"(?:(service account|user|group)\s+)['\"]?([^\s'\"]{1,100}@[^\s'\"]{1,150}?)['\"]?\s+"
    r"(?:does not exist|is disabled|not found)|(unknown service account)"
    r"(?::? ?([^\s'\"]+@[^\s'\"]+))?",
    re.IGNORECASE,
)
_DENY_POLICY = re.compile(r"\bdeny polic(?:y|ies)\b|\bprincipal access boundary", re.IGNORECASE)
_CONTEXT = re.compile(r"context[- _]aware[- _]access|access level", re.IGNORECASE)
_UNIMPLEMENTED = re.compile(
    r"^operation is not (?:implemented|supported|enabled)|"
    r"\bis not (?:supported|available|implemented) in (?:the |this )?(?:region|location)\b",
    re.IGNORECASE,
)
_SAYS_NOTHING = re.compile(
    r"(?:the )?caller does not have permission\.?|permission denied\.?|forbidden\.?|"
    r"access denied\.?|insufficient permission\.?|",
    re.IGNORECASE,
)

_AGENTS = {
    "serverless-robot-prod": ("Cloud Run", google_apis.RUN),
    "gs-project-accounts": ("Cloud Storage", google_apis.STORAGE),
    "gcp-sa-vpcaccess": ("Serverless VPC Access", google_apis.VPC_ACCESS),
    "gcp-sa-secretmanager": ("Secret Manager", google_apis.SECRET_MANAGER),
    "compute-system": ("Compute Engine", google_apis.COMPUTE),
    "cloudservices": ("Google APIs", google_apis.COMPUTE),
    "gcp-sa-logging": ("Cloud Logging", google_apis.LOGGING),
}
"""Service agents by their domain. Source: https://cloud.google.com/iam/docs/service-agents"""

_AGENT_ROLES = (
    (re.compile(r"\bimage\b", re.IGNORECASE), "roles/artifactregistry.reader"),
    (
        re.compile(r"cloudkms|KMS|encryption key", re.IGNORECASE),
        "roles/cloudkms.cryptoKeyEncrypterDecrypter",
    ),
    (re.compile(r"subnet|compute\.|network", re.IGNORECASE), "roles/compute.networkUser"),
    (re.compile(r"vpcaccess|connector", re.IGNORECASE), "roles/vpcaccess.user"),
    (
        re.compile(r"getAccessToken|access tokens|run\.serviceAgent", re.IGNORECASE),
        "roles/run.serviceAgent",
    ),
    (re.compile(r"\beditor role\b", re.IGNORECASE), "roles/editor"),
    (re.compile(r"secret", re.IGNORECASE), "roles/secretmanager.secretAccessor"),
)
"""Roles that agents are granted for what a refusal speaks of; the first that fits counts."""


def scopes(refusal: Refusal, doing: Doing) -> SignInError | None:
    """Word a token that was made for less than is asked for: roles don't help."""
    if (
        refusal.reason != "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
        and not _SCOPES.search(refusal.message)
        and not (refusal.legacy & _SCOPE_LEGACY and refusal.status == _FORBIDDEN)
    ):
        return None
    return SignInError(
        doing.cant("the access token lacks the scope for it"),
        cause=refusal.message,
        fix=Fix(
            text=f"Sign in again with the scope {sign_in.SCOPE}. On a virtual machine, stop it and "
            "give it access to all Cloud APIs.",
            command=f"{sign_in.SIGN_IN_COMMAND} --scopes={sign_in.SCOPE}",
        ),
    )


def context(refusal: Refusal, doing: Doing) -> PolicyError | None:
    """Word Context-Aware Access: who asks is known, and from where is not good enough."""
    if not _CONTEXT.search(f"{refusal.message} {refusal.reason}"):
        return None
    return PolicyError(
        doing.cant("Context-Aware Access of the organization does not allow it from here"),
        cause=refusal.message,
        fix=Fix(
            text="No role helps against this. Work from a device and a network that the access "
            "level of the organization asks for, or ask an administrator."
        ),
    )


def deny_policy(refusal: Refusal, doing: Doing) -> PolicyError | None:
    """Word a policy that denies what a role allows."""
    if not _DENY_POLICY.search(refusal.message):
        return None
    permission = f" {refusal.permission}" if refusal.permission else " it"
    return PolicyError(
        doing.cant(f"an IAM policy denies{permission}, whatever roles allow"),
        cause=refusal.message,
        fix=Fix(
            text="No further role helps against this: ask an administrator of the organization for "
            "an exception in its deny policies, or in the principal access boundary.",
            url=links.iam(doing.project) if doing.project else "",
        ),
    )


def signed_out(refusal: Refusal, doing: Doing) -> SignInError | None:  # noqa: ARG001 - a rule
    """Word credentials that are missing or not accepted."""
    if refusal.status != _UNAUTHORIZED and refusal.code != "UNAUTHENTICATED":
        return None
    return sign_in.refused(refusal.message)


def agent(refusal: Refusal, doing: Doing) -> DeniedError | None:
    """Word a service agent of Google's that lacks a role: nothing is wrong with who asked."""
    found = _AGENT.search(refusal.message)
    if not found or refusal.status not in {0, 400, _FORBIDDEN}:
        return None
    if not _LACKS.search(refusal.message):
        return None
    email, number, domain = filter(None, found.groups())
    title = f"the service agent of {_AGENTS[domain][0]}" if domain in _AGENTS else "a service agent"
    role = _agent_role(refusal.message)
    project = _agent_project(refusal, doing, role, number)
    permission = f" ({refusal.permission})" if refusal.permission else ""
    lacks = role or refusal.permission or "a role"
    return DeniedError(
        doing.cant(f"{title}, {email}, lacks {lacks}{permission if role else ''}"),
        cause=refusal.message,
        fix=_grant(role, email, project),
    )


def _agent_role(message: str) -> str:
    """Return the role that a refusal names for an agent, or that fits what it speaks of."""
    if named := _ROLE.search(message):
        return named[1]
    return next((role for sign, role in _AGENT_ROLES if sign.search(message)), "")


def _agent_project(refusal: Refusal, doing: Doing, role: str, number: str) -> str:
    """Return where an agent lacks its role: the image's, the network's, or its own project."""
    registry = images.project_of(refusal.message)
    if role == "roles/artifactregistry.reader" and registry:
        return registry
    return doing.shown(project_in(refusal.resource) or messages.project(refusal.message) or number)


def _grant(role: str, email: str, project: str) -> Fix:
    if not role:
        return Fix(
            text=f"Ask an administrator to grant {email} what it lacks.", url=links.iam(project)
        )
    return role_catalogue.fix(
        role,
        members.service_account(email),
        project=project,
        text=f"Ask an administrator of {project} to grant {role} to the service agent.",
    )


def no_account(refusal: Refusal, doing: Doing) -> NotFoundError | None:
    """Word an account that there is not, or not yet."""
    found = _NO_ACCOUNT.search(refusal.message)
    if not found:
        return None
    kind = (found[1] or "service account").lower()
    email = (found[2] or found[4] or "").rstrip(".,")
    message = doing.cant(f"the {kind} {email} does not exist, or not yet".replace("  ", " "))
    is_agent = _AGENT.search(email)
    if is_agent and is_agent[3] in _AGENTS:
        title, api = _AGENTS[is_agent[3]]
        project = doing.shown(is_agent[2])
        fix = Fix(
            text=f"{title} makes its service agent when it is first used. Make it now:",
            command=f"gcloud beta services identity create --service={api} "
            f"--project={quote(project)}",
        )
    elif kind == "service account":
        project = _account_project(email) or doing.project
        fix = Fix(
            text="A new service account takes some minutes to become available: try again "
            "then. If the account does not exist, create it, or choose another one.",
            command=f"gcloud iam service-accounts describe {quote(email)}" if email else "",
            url=links.service_accounts(project) if project else "",
        )
    else:
        fix = Fix(text="Check the address for typing errors.")
    return NotFoundError(message, cause=refusal.message, fix=fix)


def _account_project(email: str) -> str:
    name, _, domain = email.partition("@")
    project, dot, _ = domain.partition(".iam.gserviceaccount.com")
    if dot or domain.endswith(".iam.gserviceaccount.com"):
        return project
    number = name.removesuffix("-compute")
    return number if number.isdigit() else ""


def not_there(refusal: Refusal, doing: Doing) -> ManagerError | None:
    """Word what an API does not do where it was asked: mostly for the name of a region."""
    if refusal.code != "UNIMPLEMENTED" and not _UNIMPLEMENTED.search(refusal.message):
        return None
    return ManagerError(
        doing.cant("Google does not offer this there, or there is no such region"),
        cause=refusal.message,
        fix=Fix(text="Check the region for typing errors, or choose another region."),
    )


def region(refusal: Refusal, doing: Doing) -> ManagerError | None:
    """Word a region that the project is not let into, or that there is not."""
    if not messages.is_a_closed_region(refusal.message):
        return None
    kind = DeniedError if refusal.status == _FORBIDDEN else NotFoundError
    return kind(
        doing.cant("the project has no access to this region, or there is no such region"),
        cause=refusal.message,
        fix=Fix(text="Choose another region, or ask Google for access to this one."),
    )


def denied(refusal: Refusal, doing: Doing) -> DeniedError | None:
    """Word a permission that is missing; one that nobody named is not named."""
    says_nothing = bool(refusal.message and _SAYS_NOTHING.fullmatch(refusal.message))
    if refusal.status != _FORBIDDEN and not (refusal.permission or says_nothing):
        return None
    if refusal.status not in {0, _FORBIDDEN, 404}:
        return None
    permission = refusal.permission
    if not permission and _SAYS_NOTHING.fullmatch(refusal.message):
        permission = doing.permission
    account = messages.account(refusal.message)
    account = account if permission.startswith("iam.serviceAccounts.") else ""
    project = doing.named(
        _account_project(account)
        or project_in(refusal.resource)
        or messages.project(refusal.message)
        or messages.consumer(refusal.message)
    )
    if not permission:
        return _unnamed(refusal, doing, project)
    on = f" on {account}" if account else ""
    elsewhere = f" on the project {project}" if doing.is_other(project) and not account else ""
    return DeniedError(
        doing.cant(f"{doing.who} lacks the permission {permission}{on}{elsewhere}"),
        cause=refusal.message,
        fix=role_catalogue.grant(
            permission,
            doing.member,
            project=project,
            bucket=doing.bucket or messages.bucket(refusal.message),
            account=account,
        ),
    )


def _unnamed(refusal: Refusal, doing: Doing, project: str) -> DeniedError:
    return DeniedError(
        doing.cant("access is denied"),
        cause=refusal.message,
        fix=Fix(
            text="Google names no permission that is missing. Show an administrator what it said.",
            url=links.iam(project) if project else "",
        ),
    )
