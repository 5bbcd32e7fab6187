"""Members of IAM policies: how they are written, and how a person writes and reads them."""

from __future__ import annotations

from llm_widgets.domain.names import shown
from llm_widgets.errors import InvalidInputError

PUBLIC = frozenset({"allUsers", "allAuthenticatedUsers"})
"""Members that mean everybody."""

KINDS = ("user", "group", "serviceAccount", "domain", "principal", "principalSet")
"""What stands in front of the colon of all other members."""

_ACCOUNT_DOMAIN = ".gserviceaccount.com"


def user(email: str) -> str:
    """Return the member that is a person with a Google account."""
    return f"user:{email}"


def service_account(email: str) -> str:
    """Return the member that is a service account."""
    return f"serviceAccount:{email}"


def is_service_account(member: str) -> bool:
    """Return whether a member is a service account."""
    return member.startswith("serviceAccount:")


def principal(pool: str, subject: str) -> str:
    """Return the member that is one subject of a pool of workload or workforce identities."""
    return f"principal://{pool}/subject/{subject}"


def default_account(project_number: str) -> str:
    """Return the e-mail address of the account that services run as when they name none."""
    return f"{project_number}-compute@developer{_ACCOUNT_DOMAIN}"


def run_agent(project_number: str) -> str:
    """Return the e-mail address with which Cloud Run itself acts in a project."""
    return f"service-{project_number}@serverless-robot-prod.iam{_ACCOUNT_DOMAIN}"


def iap_agent(project_number: str) -> str:
    """Return the e-mail address with which Identity-Aware Proxy calls services of a project."""
    return f"service-{project_number}@gcp-sa-iap.iam{_ACCOUNT_DOMAIN}"


def label(member: str) -> str:
    """Return what identifies a member without its kind: mostly an e-mail address."""
    return member.partition(":")[2]


def parsed(text: str) -> str:
    """Return the member that a person means; a bare e-mail address is a user or an account.

    Raises
    ------
    InvalidInputError
        It is no member.
    """
    text = text.strip()
    if text in PUBLIC:
        return text
    kind, colon, rest = text.partition(":")
    if colon and kind in KINDS and rest.strip():
        return text
    if not colon and "@" in text.strip("@"):
        return service_account(text) if text.endswith(_ACCOUNT_DOMAIN) else user(text)
    raise InvalidInputError(
        f"{shown(text)} is not a member. Enter user:, group:, serviceAccount: or domain:, then "
        "the address.",
        field="members",
    )
