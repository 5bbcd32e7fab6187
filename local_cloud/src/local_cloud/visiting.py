"""Identity-Aware Proxy in front of a service: who is sent to sign in, who is let through.

A browser that has signed in is one with the cookie :data:`COOKIE`, an ID token for the service's
address. All else is as Google documents it: strangers are sent to ``accounts.google.com``, scripts
get a 401, an assertion goes with each request that passes.
"""

from __future__ import annotations

import base64
import json
import time
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.auth import crypt, jwt
from werkzeug.wrappers import Request, Response

from local_cloud.google.iap import VISIT, resource_name
from local_cloud.issuer import caller_for, numeric_id

if TYPE_CHECKING:
    from google.cloud import run_v2

    from local_cloud.access import Access
    from local_cloud.faults import Faults
    from local_cloud.google.iap import IdentityAwareProxy
    from local_cloud.store import Store
    from local_cloud.tokens import Tokens

GENERATED = "X-Goog-IAP-Generated-Response"
"""Header field of answers that the proxy gives itself."""

COOKIE = "GCP_IAAP_AUTH_TOKEN"
KEYS = "/iap/verify/public_key"
"""Where the public keys are, at Google below www.gstatic.com."""

_SIGN_IN = "https://accounts.google.com/o/oauth2/v2/auth"
_ISSUER = "https://cloud.google.com/iap"
_LIFETIME = 600
"""Seconds that an assertion is valid, as Google's."""
_NO_CLIENT = "Empty Google Account OAuth client ID(s)/secret(s)."
_NO_AGENT = (
    "The IAP service account is not provisioned. Please follow the instructions to create it."
)
_OWNER = ("iap-key", "iap")


class Visits:
    """Decides whether a request may pass the proxy, and vouches for who makes it.

    Parameters
    ----------
    store
        Keeps the key that vouches (kind ``iap-key``), and projects.
    access
        Decides who may visit.
    tokens
        Verifies who has signed in.
    faults
        Says which projects have no organization.
    proxy
        Knows the OAuth clients.

    """

    def __init__(
        self,
        store: Store,
        access: Access,
        tokens: Tokens,
        faults: Faults,
        proxy: IdentityAwareProxy,
    ) -> None:
        self._store = store
        self._access = access
        self._tokens = tokens
        self._faults = faults
        self._proxy = proxy

    def route(self, request: Request) -> Response | None:
        """Answer who asks for the public keys."""
        if (request.method, request.path) != ("GET", KEYS):
            return None
        key = self._key()
        return Response(json.dumps({key["id"]: key["public"]}), content_type="application/json")

    def refusal(self, request: Request, service: run_v2.Service) -> Response | None:
        """Return the answer to a request that does not pass; else add the assertion to it."""
        _without_forged(request)
        project = service.name.split("/")[1]
        if project in self._faults.without_organization and not self._proxy.has_client(
            service.name
        ):
            return _answer(HTTPStatus.BAD_GATEWAY, _NO_CLIENT)
        token = request.cookies.get(COOKIE, "")
        caller = self._tokens.id_token_caller(token, service.urls) if token else None
        if caller is None:
            return _sign_in(request)
        if not self._access.granted(caller, [VISIT], resource_name(service.name)):
            return _answer(HTTPStatus.FORBIDDEN, "You don't have access")
        number = (self._store.get("project", project) or {"number": project})["number"]
        agent = f"service-{number}@gcp-sa-iap.iam.gserviceaccount.com"
        if not service.invoker_iam_disabled and not self._access.granted(
            caller_for(agent), ["run.routes.invoke"], service.name
        ):
            return _answer(HTTPStatus.FORBIDDEN, _NO_AGENT)
        self._vouch(request, service.name, number, caller.email)
        return None

    def _vouch(self, request: Request, name: str, number: str, email: str) -> None:
        _, _, _, region, _, service_id = name.split("/")
        now = int(time.time())
        claims = {
            "iss": _ISSUER,
            "aud": f"/projects/{number}/locations/{region}/services/{service_id}",
            "email": email,
            "sub": f"accounts.google.com:{numeric_id(email)}",
            "iat": now,
            "exp": now + _LIFETIME,
        }
        key = self._key()
        signer = crypt.ES256Signer.from_string(key["private"], key["id"])
        signed: bytes = jwt.encode(signer, claims)
        request.environ["HTTP_X_GOOG_IAP_JWT_ASSERTION"] = signed.decode()
        user = f"accounts.google.com:{email}"
        request.environ["HTTP_X_GOOG_AUTHENTICATED_USER_EMAIL"] = user

    def _key(self) -> dict[str, str]:
        """Return the key that vouches, made at first use."""
        with self._store.transaction():
            found = self._store.get(*_OWNER)
            if found is None:
                found = _new_key()
                self._store.put(*_OWNER, found)
        return found


def _without_forged(request: Request) -> None:
    """Take from a request what only the proxy may say."""
    for name in [each for each in request.environ if each.startswith("HTTP_X_GOOG_")]:
        del request.environ[name]


def _sign_in(request: Request) -> Response:
    is_script = request.headers.get("X-Requested-With") == "XMLHttpRequest"
    if is_script or request.headers.get("Authorization"):
        return _answer(HTTPStatus.UNAUTHORIZED, "Invalid IAP credentials: empty token")
    asked = urlencode({"client_id": "iap", "response_type": "code", "state": request.url})
    answer = _answer(HTTPStatus.FOUND, "")
    answer.headers["Location"] = f"{_SIGN_IN}?{asked}"
    return answer


def _answer(status: HTTPStatus, text: str) -> Response:
    return Response(text, status, {GENERATED: "true"}, content_type="text/html; charset=UTF-8")


def _new_key() -> dict[str, str]:
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    key_id = base64.urlsafe_b64encode(public[-12:]).decode().rstrip("=")
    return {"id": key_id, "private": pem.decode(), "public": public.decode()}
