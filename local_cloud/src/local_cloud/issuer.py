"""Keys and signed tokens: who a token stands for.

An access token is a signed JWT here, so that it needs no table and survives a restart. The clients
also send JWTs that they signed themselves with the key of their service account (AIP-4111); both
are accepted.
"""

from __future__ import annotations

import base64
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import crypt, jwt
from google.auth.exceptions import GoogleAuthError

from local_cloud.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Collection

    from local_cloud.store import Store

LIFETIME = 3600
"""Seconds that a token is valid, as Google's."""

CLOCK_SKEW = 10
"""Seconds that two clocks may differ."""

ISSUER_KEY = "issuer"
"""Owner of the key that signs the tokens themselves."""

_LARGEST_TOKEN = 16 << 10  # characters
_GOOGLE_APIS = ".googleapis.com"
# What a token raises that anybody made: it may hold values of any type and depth.
_MALFORMED = (
    GoogleAuthError,
    ValueError,
    TypeError,
    LookupError,
    OverflowError,
    RecursionError,
)
_ISSUER = "https://accounts.google.com"
_KEYS = "key"


@dataclass(frozen=True)
class Caller:
    """Who makes a request.

    Parameters
    ----------
    member
        As in an IAM policy: ``serviceAccount:a@p.iam.gserviceaccount.com``, ``user:a@b.c``,
        ``allUsers``.
    email
        Empty for an anonymous caller.
    quota_project
        Id or number of the project that the call names to count against; or empty.

    """

    member: str
    email: str
    quota_project: str = ""


ANONYMOUS = Caller("allUsers", "")


def caller_for(email: str) -> Caller:
    """Return the caller who has this address."""
    kind = "serviceAccount" if email.endswith(".gserviceaccount.com") else "user"
    return Caller(f"{kind}:{email}", email)


class Issuer:
    """Keeps the keys, signs tokens, verifies them.

    Parameters
    ----------
    store
        Where the keys are kept.

    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def key(self, email: str) -> dict[str, str]:
        """Return the key of a service account (or of the issuer), made at first use.

        Returns
        -------
        dict
            ``email``, ``id``, ``private`` and ``public`` (PEM).

        """
        found = self._store.get(_KEYS, email)
        if found is None:
            made = _new_key(email)
            with self._store.transaction():
                found = self._store.get(_KEYS, email)
                if found is None:
                    self._store.put(_KEYS, email, made)
                    found = made
        return found

    def forget(self, email: str) -> None:
        """Remove the key of an account, so that what it signed is worth nothing."""
        self._store.erase(_KEYS, email)

    def public_key(self, email: str) -> str | None:
        """Return the PEM public key of a service account, or None if it never had a key."""
        found = self._store.get(_KEYS, email)
        return found["public"] if found else None

    def access_token(self, email: str, scope: str = "") -> str:
        """Return a new access token for this identity."""
        return self._sign({"sub": email, "email": email, "scope": scope, "use": "access"})

    def id_token(self, email: str, audience: str) -> str:
        """Return a new OpenID Connect token for this identity, meant for one audience."""
        claims = {"aud": audience, "azp": email, "sub": numeric_id(email), "email": email}
        return self._sign({**claims, "email_verified": True, "use": "id"})

    def signature(self, email: str, payload: bytes) -> tuple[str, bytes]:
        """Return the id of an account's key, and what it makes of some bytes (RSA-SHA256)."""
        key = self.key(email)
        return key["id"], crypt.RSASigner.from_string(key["private"], key["id"]).sign(payload)

    def access_caller(self, token: str) -> Caller | None:
        """Return who an access token, or a self-signed JWT, stands for; None if it is not valid."""
        claims, key_owner = self._verified(token)
        if claims is None:
            return None
        if key_owner == ISSUER_KEY:
            return self._existing(claims["email"]) if claims.get("use") == "access" else None
        is_own = claims.get("iss") == claims.get("sub", key_owner) == key_owner
        return self._existing(key_owner) if is_own and self._is_for_apis(claims) else None

    def id_token_caller(self, token: str, audience: str | Collection[str]) -> Caller | None:
        """Return who an ID token stands for; None if it is not valid for this audience."""
        claims = self.id_claims(token)
        wanted = [audience] if isinstance(audience, str) else audience
        if claims is None or str(claims["aud"]).rstrip("/") not in {a.rstrip("/") for a in wanted}:
            return None
        return self._existing(claims["email"])

    def id_claims(self, token: str) -> dict[str, Any] | None:
        """Return the claims of an ID token, or None if it is not one."""
        claims, key_owner = self._verified(token)
        if claims is None or key_owner != ISSUER_KEY or claims.get("use") != "id":
            return None
        return claims

    def assertion(self, token: str) -> dict[str, Any] | None:
        """Return the claims of an assertion signed by a service account; None if not valid."""
        claims, key_owner = self._verified(token)
        if claims is None or claims.get("iss") != key_owner or not self._existing(key_owner):
            return None
        return claims

    def _sign(self, claims: dict[str, Any]) -> str:
        key = self.key(ISSUER_KEY)
        signer = crypt.RSASigner.from_string(key["private"], key["id"])
        now = int(time.time())
        payload = {"iss": _ISSUER, "iat": now, "exp": now + LIFETIME, **claims}
        token: bytes = jwt.encode(signer, payload)
        return token.decode()

    def _verified(self, token: str) -> tuple[dict[str, Any] | None, str]:
        """Return the claims of a token and the owner of the key that signed it."""
        if len(token) > _LARGEST_TOKEN:
            return None, ""
        try:
            owner = _key_owner(jwt.decode_header(token)["kid"])
            public = self.public_key(owner)
            if public is None:
                return None, ""
            claims = dict(jwt.decode(token, certs=public, clock_skew_in_seconds=CLOCK_SKEW))
            _check_times(claims["iat"], claims["exp"])
        except _MALFORMED:
            return None, ""
        return claims, owner

    def _existing(self, email: str) -> Caller | None:
        """Return who has this address; None for a service account that is gone or disabled."""
        caller = caller_for(email)
        if caller.member.startswith("serviceAccount:"):
            record = self._store.get("service_account", email)
            if record is None or record.get("disabled"):
                return None
        return caller

    def _is_for_apis(self, claims: dict[str, Any]) -> bool:
        """Check that a self-signed token is meant for an API: one of Google's, or of ours.

        One without an audience names scopes instead (https://google.aip.dev/auth/4111).
        """
        if "aud" not in claims:
            return isinstance(claims.get("scope"), str) and bool(claims["scope"])
        if not isinstance(claims["aud"], str):
            return False
        audience = urlsplit(claims["aud"])
        if audience.path.strip("/") or audience.query:
            return False
        if audience.scheme == "https" and (audience.hostname or "").endswith(_GOOGLE_APIS):
            return True
        kept = (self._store.get("local", f"port-{name}") for name in ("http", "grpc"))
        ports = {record["port"] for record in kept if record}
        return audience.hostname in {"127.0.0.1", "localhost"} and audience.port in ports


def _check_times(issued: Any, expiry: Any) -> None:
    """Raise ``ValueError`` unless a token lives an hour at most."""
    for moment in (issued, expiry):
        if isinstance(moment, bool) or not isinstance(moment, (int, float)):
            raise ValueError("a time is a number")  # noqa: TRY004 - whoever sent it is wrong, not this program
        if not math.isfinite(moment):
            raise ValueError("a time is finite")
    if not 0 < expiry - issued <= LIFETIME + CLOCK_SKEW:
        raise ValueError("a token lives an hour at most")


def unauthenticated(*, missing: bool) -> ApiError:
    """Return Google's answer to a request without a token, or with a bad one."""
    start = (
        "Request is missing required authentication credential."
        if missing
        else "Request had invalid authentication credentials."
    )
    return ApiError(
        "UNAUTHENTICATED",
        f"{start} Expected OAuth 2 access token, login cookie or other valid authentication "
        "credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
        [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "CREDENTIALS_MISSING" if missing else "ACCESS_TOKEN_TYPE_UNSUPPORTED",
                "domain": "googleapis.com",
            }
        ],
    )


def _new_key(email: str) -> dict[str, str]:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    # The id names its owner, so that a token alone says whose key verifies it.
    key_id = base64.urlsafe_b64encode(email.encode()).decode().rstrip("=")
    return {"email": email, "id": key_id, "private": pem.decode(), "public": public.decode()}


def _key_owner(key_id: str) -> str:
    padded = key_id + "=" * (-len(key_id) % 4)
    return base64.urlsafe_b64decode(padded).decode()


def numeric_id(email: str) -> str:
    """Return the number that Google knows an account by: here made from its address."""
    return str(10**20 + int.from_bytes(email.encode()) % 10**19)
