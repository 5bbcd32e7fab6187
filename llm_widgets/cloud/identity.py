"""Who the product is to Google Cloud."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from llm_widgets.cloud import packages, sign_in
from llm_widgets.errors import UnavailableError

if TYPE_CHECKING:
    from llm_widgets.cloud.clients import Clients

_TIMEOUT = 10  # seconds


class IdentityKind(StrEnum):
    """Where an identity comes from, in words that the page shows."""

    SERVICE_ACCOUNT = "Service account key"
    USER = "User account"
    IMPERSONATED = "Impersonated service account"
    FEDERATED = "Federated identity"
    METADATA = "Service account of this machine"
    CLOUD_RUN = "Service account of this Cloud Run service"
    UNKNOWN = "Unknown kind of credentials"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls.

    Attributes
    ----------
    member
        As IAM policies write it, for example ``serviceAccount:x@p.iam.gserviceaccount.com``;
        empty where nothing tells.
    email
        Its e-mail address; empty where it has none or nothing tells.
    label
        What the page shows for it.
    cloud
        Which cloud it speaks to: ``"Google Cloud"`` or ``"the local cloud"``.
    """

    kind: IdentityKind
    member: str
    email: str
    label: str
    cloud: str


def current(clients: Clients) -> Identity:
    """Find out who calls; the answer is kept in ``clients``.

    Raises
    ------
    SignInError
        There are no credentials, or they are not accepted.
    UnavailableError
        Whoever knows the identity does not answer.
    """
    try:
        found = _identity(clients)
    except packages.auth_exceptions.RefreshError as error:
        raise sign_in.refused(str(error)) from error
    except (
        packages.auth_exceptions.TransportError,
        packages.requests.RequestException,
    ) as error:
        raise UnavailableError("Can't find out who is signed in.", cause=str(error)) from error
    return clients.kept("identity", lambda: found)


def _identity(clients: Clients) -> Identity:
    credentials: Any = clients.credentials
    cloud = "the local cloud" if clients.settings.is_local_cloud else "Google Cloud"
    if isinstance(credentials, packages.service_account.Credentials):
        kind, email = IdentityKind.SERVICE_ACCOUNT, credentials.service_account_email
    elif isinstance(credentials, packages.impersonated_credentials.Credentials):
        kind, email = IdentityKind.IMPERSONATED, credentials.service_account_email
    elif isinstance(credentials, packages.compute_engine.Credentials):
        kind, email = _on_this_machine(credentials)
    elif isinstance(credentials, packages.external_account.Credentials):
        kind, email = IdentityKind.FEDERATED, credentials.service_account_email or ""
        if not email:
            return _federated(credentials, cloud)
    elif isinstance(credentials, packages.external_account_authorized_user.Credentials):
        return _federated(credentials, cloud)
    elif isinstance(credentials, packages.user_credentials.Credentials):
        kind, email = IdentityKind.USER, credentials.account or _user_email(clients)
        label = email or "a user account that does not tell its e-mail address"
        return Identity(kind, f"user:{email}" if email else "", email, label, cloud)
    else:
        kind, email = IdentityKind.UNKNOWN, getattr(credentials, "service_account_email", "")
    member = f"serviceAccount:{email}" if email else ""
    return Identity(kind, member, email, email or kind.value, cloud)


def _on_this_machine(credentials: packages.compute_engine.Credentials) -> tuple[IdentityKind, str]:
    """Ask the metadata server: the address is known only after the first token."""
    if "@" not in credentials.service_account_email:
        credentials.refresh(packages.auth_requests.Request())  # type: ignore[no-untyped-call]
    kind = IdentityKind.CLOUD_RUN if "K_SERVICE" in os.environ else IdentityKind.METADATA
    return kind, credentials.service_account_email


def _federated(credentials: Any, cloud: str) -> Identity:
    """Name the pool: the subject inside it is in no credential file."""
    audience = str(credentials.info.get("audience", ""))
    pool = audience.removeprefix("//").partition("/providers/")[0]
    member = f"principalSet://{pool}/*" if pool else ""
    label = f"an identity of the pool {pool.rsplit('/', 1)[-1]}" if pool else "a federated identity"
    return Identity(IdentityKind.FEDERATED, member, "", label, cloud)


def _user_email(clients: Clients) -> str:
    """Ask Google who the token belongs to; empty when the token may not tell."""
    answer = clients.session.get(
        f"{clients.url('www.googleapis.com')}/oauth2/v3/userinfo", timeout=_TIMEOUT
    )
    return str(answer.json().get("email", "")) if answer.ok else ""
