"""ID tokens: what a service of Cloud Run asks of those who may call it."""

from __future__ import annotations

import base64
import json
import threading
import time
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import google_apis
from llm_widgets.errors import DeniedError, Fix, SignInError
from llm_widgets.gcp.auth.sign_in import SIGN_IN_COMMAND, token_request
from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.client.failures import explained

if TYPE_CHECKING:
    from llm_widgets.gcp.client.clients import Clients

_EARLY = 120  # seconds before its end in which a token is not used any more


class IdTokens:
    """Gets ID tokens for whoever is signed in, and keeps each until it is about to expire."""

    def __init__(self, clients: Clients) -> None:
        self.clients = clients
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[str, float]] = {}

    def token(self, audience: str) -> str:
        """Return a token for an audience: the URL of a service, without a path.

        Raises
        ------
        ManagerError
            Whoever is signed in can't have one.
        """
        with self._lock:
            token, expiry = self._kept.get(audience, ("", 0.0))
            if expiry - _EARLY < time.time():
                with explained("get an ID token", clients=self.clients):
                    token = _fetched(self.clients, audience)
                self._kept[audience] = (token, expiry_of(token))
            return token


def of(clients: Clients) -> IdTokens:
    """Return the ID tokens that belong to these clients."""
    return clients.kept("id_tokens", lambda: IdTokens(clients))


def expiry_of(token: str) -> float:
    """Read when a token ends, in seconds since 1970; 0 for what is no JSON Web Token."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"])
    except (IndexError, KeyError, TypeError, ValueError):
        return 0.0


def _fetched(clients: Clients, audience: str) -> str:
    credentials: Any = clients.credentials
    request = token_request()
    if isinstance(credentials, lazy.service_account.Credentials):
        source: Any = lazy.service_account.IDTokenCredentials(
            signer=credentials.signer,
            service_account_email=credentials.service_account_email,
            token_uri=credentials._token_uri,  # noqa: SLF001 - the key file is told nowhere else
            target_audience=audience,
        )
    elif isinstance(credentials, lazy.compute_engine.Credentials):
        source = lazy.compute_engine.IDTokenCredentials(
            request, audience, use_metadata_identity_endpoint=True
        )
    elif isinstance(credentials, lazy.impersonated_credentials.Credentials):
        source = lazy.impersonated_credentials.IDTokenCredentials(
            credentials, target_audience=audience, include_email=True
        )
    elif isinstance(credentials, lazy.user_credentials.Credentials):
        return _of_user(credentials, request)
    elif email := getattr(credentials, "service_account_email", ""):
        return _generated(clients, email, audience)
    else:
        raise SignInError(
            "Can't call the service: these credentials give no ID tokens.",
            cause=f"The credentials are of the type {type(credentials).__name__}.",
            fix=Fix(text="Use credentials that impersonate a service account."),
        )
    source.refresh(request)
    return str(source.token)


def _of_user(credentials: Any, request: Any) -> str:
    """Refresh a user's credentials: an ID token comes with each access token.

    Cloud Run takes it though its audience is gcloud's client, not the service.
    """
    if not credentials.id_token or expiry_of(credentials.id_token) - _EARLY < time.time():
        credentials.refresh(request)
    if not credentials.id_token:
        raise SignInError(
            "Can't call the service: the credentials give no ID token.",
            cause="The credentials lack the scopes “openid” and “email”.",
            fix=Fix(text="Sign in again:", command=SIGN_IN_COMMAND),
        )
    return str(credentials.id_token)


def _generated(clients: Clients, email: str, audience: str) -> str:
    """Ask the IAM Credentials API for a token of a service account that is impersonated."""
    account = f"projects/-/serviceAccounts/{email}"
    answer = clients.session.post(
        f"{clients.url(google_apis.IAM_CREDENTIALS)}/v1/{account}:generateIdToken",
        json={"audience": audience, "includeEmail": True},
        timeout=30,
    )
    if not answer.ok:
        raise DeniedError(
            f"Can't get an ID token of {email}.",
            cause=f"The IAM Credentials API answers {answer.status_code}: {answer.text[:500]}",
            fix=Fix(text=f"Ask for roles/iam.serviceAccountOpenIdTokenCreator on {email}."),
        )
    return str(answer.json()["token"])
