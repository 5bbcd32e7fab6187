"""Who the product is to Google Cloud."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import members
from llm_widgets.errors import UnavailableError
from llm_widgets.gcp.auth import sign_in
from llm_widgets.gcp.client import lazy

if TYPE_CHECKING:
    from llm_widgets.gcp.client.clients import Clients

_TIMEOUT = 10  # seconds
_SERVER_ERROR = 500  # the lowest status of a failure that is not the caller's
_JSON_WEB_TOKENS = frozenset(
    {"urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"}
)


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
        As IAM policies write it, for example ``serviceAccount:x@p.iam.gserviceaccount.com`` or
        ``principal://…/subject/x``; empty where nothing tells.
    email
        Its e-mail address; empty where it has none or nothing tells.
    label
        What the page shows for it.
    cloud
        Which cloud it speaks to: ``"Google Cloud"`` or ``"the local cloud"``.
    form
        What a command says for it: the member, or what is known of it with a word in capitals to
        replace.
    """

    kind: IdentityKind
    member: str
    email: str
    label: str
    cloud: str
    form: str = ""

    def __post_init__(self) -> None:
        """Fill in the form."""
        if not self.form:
            object.__setattr__(self, "form", self.member)


@dataclass
class _Kept:
    """An answer that is asked for once; who else wants it meanwhile waits."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    found: Identity | None = None


def is_person(clients: Clients) -> bool:
    """Return whether a person calls, whose calls count against a quota project.

    Those of service accounts count against their own project.
    """
    people = (
        lazy.user_credentials.Credentials,
        lazy.external_account_authorized_user.Credentials,
    )
    return isinstance(clients.credentials, people)


def current(clients: Clients) -> Identity:
    """Find out who calls; the answer is kept in ``clients``.

    Raises
    ------
    SignInError
        There are no credentials, or they are not accepted.
    UnavailableError
        Whoever knows the identity does not answer.
    """
    kept = clients.kept("identity", _Kept)
    with kept.lock:
        if kept.found is None:
            kept.found = _asked(clients)
        return kept.found


def _asked(clients: Clients) -> Identity:
    try:
        return _identity(clients)
    except lazy.auth_exceptions.RefreshError as error:
        raise sign_in.refused(str(error)) from error
    except (
        lazy.auth_exceptions.TransportError,
        lazy.requests.RequestException,
    ) as error:
        raise UnavailableError("Can't find out who is signed in.", cause=str(error)) from error


def _identity(clients: Clients) -> Identity:
    credentials: Any = clients.credentials
    cloud = clients.settings.cloud
    if isinstance(credentials, lazy.service_account.Credentials):
        kind, email = IdentityKind.SERVICE_ACCOUNT, credentials.service_account_email
    elif isinstance(credentials, lazy.impersonated_credentials.Credentials):
        kind, email = IdentityKind.IMPERSONATED, credentials.service_account_email
    elif isinstance(credentials, lazy.compute_engine.Credentials):
        kind, email = _on_this_machine(credentials)
    elif isinstance(credentials, lazy.external_account.Credentials):
        kind, email = IdentityKind.FEDERATED, credentials.service_account_email or ""
        if not email:
            return _federated(credentials, cloud)
    elif isinstance(credentials, lazy.external_account_authorized_user.Credentials):
        return _federated(credentials, cloud)
    elif isinstance(credentials, lazy.user_credentials.Credentials):
        kind, email = IdentityKind.USER, credentials.account or _user_email(clients)
        label = email or "a user account without an e-mail address"
        return Identity(kind, members.user(email) if email else "", email, label, cloud)
    else:
        kind, email = IdentityKind.UNKNOWN, getattr(credentials, "service_account_email", "")
    member = members.service_account(email) if email else ""
    return Identity(kind, member, email, email or kind.value, cloud)


def _on_this_machine(credentials: lazy.compute_engine.Credentials) -> tuple[IdentityKind, str]:
    """Ask the metadata server: the address is known only after the first token."""
    if "@" not in credentials.service_account_email:
        credentials.refresh(sign_in.token_request())
    kind = IdentityKind.CLOUD_RUN if "K_SERVICE" in os.environ else IdentityKind.METADATA
    return kind, credentials.service_account_email


def _federated(credentials: Any, cloud: str) -> Identity:
    """Name the subject in its pool, where a token tells it; never the whole pool."""
    audience = str(credentials.info.get("audience", ""))
    pool = audience.removeprefix("//").partition("/providers/")[0]
    subject = _subject(credentials)
    if not pool:
        return Identity(IdentityKind.FEDERATED, "", "", "a federated identity", cloud)
    of_the_pool = f"the pool {pool.rsplit('/', 1)[-1]}"
    if not subject:
        form = members.principal(pool, "SUBJECT")
        return Identity(
            IdentityKind.FEDERATED, "", "", f"an identity of {of_the_pool}", cloud, form
        )
    member = members.principal(pool, subject)
    return Identity(IdentityKind.FEDERATED, member, "", f"{subject} of {of_the_pool}", cloud)


def _subject(credentials: Any) -> str:
    """Read ``sub`` of the token that the pool takes: what pools map to their subject by default.

    Empty for tokens of another kind.
    """
    if not isinstance(credentials, lazy.identity_pool.Credentials):
        return ""
    if credentials.info.get("subject_token_type") not in _JSON_WEB_TOKENS:
        return ""
    token = credentials.retrieve_subject_token(sign_in.token_request())
    try:
        claims = lazy.jwt.decode(token, verify=False)
    except (ValueError, lazy.auth_exceptions.MalformedError):
        return ""
    return str(claims.get("sub") or "")


def _user_email(clients: Clients) -> str:
    """Ask Google who the token belongs to; empty when the token may not tell."""
    answer = clients.session.get(
        f"{clients.url('www.googleapis.com')}/oauth2/v3/userinfo", timeout=_TIMEOUT
    )
    if answer.status_code >= _SERVER_ERROR:
        answer.raise_for_status()
    return str(answer.json().get("email", "")) if answer.ok else ""
