"""Who is visiting, as Identity-Aware Proxy vouches for it."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import requests
from google.auth import jwt
from google.auth.exceptions import GoogleAuthError
from jupyter_server.auth.identity import IdentityProvider, User
from traitlets import Unicode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tornado.web import RequestHandler

HEADER = "X-Goog-IAP-JWT-Assertion"
# https://cloud.google.com/iap/docs/signed-headers-howto (keys and issuer of the assertion)
CERTS_URL = "https://www.gstatic.com/iap/verify/public_key"
ISSUER = "https://cloud.google.com/iap"


class PublicKeys:
    """The proxy's public keys, fetched when needed and kept for an hour.

    Parameters
    ----------
    url
        Where they are: a JSON object of PEM texts by key id.
    """

    keep_seconds = 3600.0
    timeout_seconds = 10.0

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._keys: Mapping[str, str] = {}
        self._expires = 0.0

    def get(self) -> Mapping[str, str]:
        """Give the keys.

        Raises
        ------
        requests.RequestException
            If they can't be fetched.
        """
        with self._lock:
            if time.monotonic() >= self._expires:
                answer = requests.get(self._url, timeout=self.timeout_seconds)
                answer.raise_for_status()
                self._keys = answer.json()
                self._expires = time.monotonic() + self.keep_seconds
            return self._keys


def verify_assertion(assertion: str, audience: str, keys: Mapping[str, str]) -> str | None:
    """Check an assertion of Identity-Aware Proxy: signature, time, audience and issuer.

    Parameters
    ----------
    assertion
        The JWT of the request's header.
    audience
        Whom it must be for, for example
        ``/projects/NUMBER/locations/REGION/services/SERVICE``.
    keys
        PEM texts of the public keys, by key id.

    Returns
    -------
    str or None
        The visitor's e-mail address; ``None`` if the assertion is not valid.
    """
    try:
        claims: Mapping[str, Any] = jwt.decode(assertion, certs=keys, audience=audience)
    except (ValueError, GoogleAuthError):
        return None
    email = claims.get("email")
    if claims.get("iss") != ISSUER or not isinstance(email, str) or not email:
        return None
    return email


class IapIdentityProvider(IdentityProvider):
    """Lets in who comes through Identity-Aware Proxy, and nobody else."""

    audience = Unicode(config=True, help="The audience that an assertion must have.")
    certs_url = Unicode(CERTS_URL, config=True, help="Where the public keys are.")
    token = ""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._keys = PublicKeys(self.certs_url)

    @property
    def auth_enabled(self) -> bool:
        """There is no page without a visitor."""
        return True

    @property
    def login_available(self) -> bool:
        """There is no login form: the proxy stands in front."""
        return False

    def get_handlers(self) -> list[tuple[str, object]]:
        """No pages for login and logout."""
        return []

    async def get_user(self, handler: RequestHandler) -> User | None:
        """Give the visitor, or ``None`` for a request that did not come through the proxy."""
        assertion = handler.request.headers.get(HEADER)
        if not assertion or not self.audience:
            return None
        try:
            # Fetching may take a while: not on the loop that serves everybody.
            keys = await asyncio.to_thread(self._keys.get)
        except (requests.RequestException, ValueError) as error:
            self.log.warning("The keys of Identity-Aware Proxy can't be read: %s", error)
            return None
        email = verify_assertion(assertion, self.audience, keys)
        return None if email is None else User(username=email, name=email, display_name=email)
