"""The token endpoint and the key files that point at it, as Google's OAuth 2 server."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from werkzeug.wrappers import Request, Response

from local_cloud.issuer import ISSUER_KEY, LIFETIME, Caller, Issuer, numeric_id

if TYPE_CHECKING:
    from collections.abc import Collection

    from local_cloud.store import Store

GOOGLE_TOKEN_ENDPOINT = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
"""Audience of the assertions that google-auth makes, whatever the key file's ``token_uri`` is."""

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Tokens:
    """The token endpoint, and the key files that point at it.

    Parameters
    ----------
    store
        Where the keys are kept.
    url
        The local cloud's own address, without a slash at the end.

    """

    def __init__(self, store: Store, url: str) -> None:
        self.issuer = Issuer(store)
        self._url = url

    def credentials_for(self, email: str) -> dict[str, str]:
        """Return the contents of a key file of a service account."""
        key = self.issuer.key(email)
        return {
            "type": "service_account",
            "project_id": email.partition("@")[2].partition(".")[0],
            "private_key_id": key["id"],
            "private_key": key["private"],
            "client_email": email,
            "client_id": numeric_id(email),
            "auth_uri": f"{self._url}/auth",
            "token_uri": f"{self._url}/token",
            "auth_provider_x509_cert_url": f"{self._url}/oauth2/v1/certs",
        }

    def id_token_caller(self, token: str, audience: str | Collection[str]) -> Caller | None:
        """Return who an ID token stands for; None if it is not valid for this audience."""
        return self.issuer.id_token_caller(token, audience)

    def route(self, request: Request) -> Response | None:
        """Answer the OAuth endpoints."""
        handler = {
            ("POST", "/token"): self._token,
            ("POST", "/oauth2/v4/token"): self._token,
            ("GET", "/oauth2/v3/certs"): self._jwks,
            ("GET", "/oauth2/v1/certs"): self._certs,
            ("GET", "/oauth2/v3/userinfo"): self._userinfo,
            ("GET", "/oauth2/v3/tokeninfo"): self._tokeninfo,
            ("GET", "/tokeninfo"): self._tokeninfo,
        }.get((request.method, request.path))
        return handler(request) if handler else None

    def _token(self, request: Request) -> Response:
        if request.form.get("grant_type") != JWT_BEARER:
            return _oauth_error("unsupported_grant_type", f"Invalid grant_type: use {JWT_BEARER}")
        claims = self.issuer.assertion(request.form.get("assertion", ""))
        if claims is None:
            return _oauth_error("invalid_grant", "Invalid JWT Signature.")
        if claims.get("aud") not in [
            GOOGLE_TOKEN_ENDPOINT,
            f"{self._url}/token",
        ]:  # a list: it may be of any type
            return _oauth_error(
                "invalid_grant",
                f"Invalid JWT: Failed audience check. The right audience is {self._url}/token",
            )
        email = claims["iss"]
        audience, scope = claims.get("target_audience"), claims.get("scope")
        if audience and isinstance(audience, str):
            return _json({"id_token": self.issuer.id_token(email, audience)})
        if not (scope and isinstance(scope, str)):
            return _oauth_error(
                "invalid_scope", "Invalid OAuth scope or ID token audience provided."
            )
        token = self.issuer.access_token(email, scope)
        return _json({"access_token": token, "expires_in": LIFETIME - 1, "token_type": "Bearer"})

    def _jwks(self, _: Request) -> Response:
        key = self.issuer.key(ISSUER_KEY)
        public = serialization.load_pem_public_key(key["public"].encode())
        assert isinstance(public, rsa.RSAPublicKey)
        numbers = public.public_numbers()
        jwk = {"kid": key["id"], "kty": "RSA", "alg": "RS256", "use": "sig"}
        return _json({"keys": [{**jwk, "n": _b64(numbers.n), "e": _b64(numbers.e)}]})

    def _certs(self, _: Request) -> Response:
        key = self.issuer.key(ISSUER_KEY)
        return _json({key["id"]: key["public"]})

    def _userinfo(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        caller = self.issuer.access_caller(token) if scheme.lower() == "bearer" else None
        if caller is None:
            return _json(
                {"error": "invalid_request", "error_description": "Invalid Credentials"}, 401
            )
        sub = numeric_id(caller.email)
        return _json({"sub": sub, "email": caller.email, "email_verified": True})

    def _tokeninfo(self, request: Request) -> Response:
        if token := request.args.get("id_token"):
            claims = self.issuer.id_claims(token)
            if claims is not None:
                return _json({k: _text(v) for k, v in claims.items() if k != "use"})
        elif caller := self.issuer.access_caller(request.args.get("access_token", "")):
            sub = numeric_id(caller.email)
            found = {"azp": sub, "aud": sub, "email": caller.email, "email_verified": "true"}
            return _json({**found, "expires_in": str(LIFETIME - 1), "access_type": "online"})
        return _json({"error": "invalid_token", "error_description": "Invalid Value"}, 400)


def _b64(number: int) -> str:
    raw = number.to_bytes((number.bit_length() + 7) // 8)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json; charset=utf-8")


def _oauth_error(error: str, description: str) -> Response:
    return _json({"error": error, "error_description": description}, 400)
