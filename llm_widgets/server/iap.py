"""Who is visiting, as Identity-Aware Proxy vouches for it."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests
from google.auth import jwt
from traitlets import Unicode

from llm_widgets.exchanges import limits
from llm_widgets.server.visitors import BrowserIdentityProvider

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.server.visitors import Asked

HEADER = "X-Goog-IAP-JWT-Assertion"
# https://cloud.google.com/iap/docs/signed-headers-howto (keys, issuer, algorithm, skew)
CERTS_URL = "https://www.gstatic.com/iap/verify/public_key"
ISSUER = "https://cloud.google.com/iap"
ALGORITHM = "ES256"
SKEW = 30
"""Seconds that the proxy's clock may be off."""

_LONGEST = 16 << 10  # characters of an assertion; they have about 800
_LONGEST_ID = 256
_LONGEST_EMAIL = 320  # https://www.rfc-editor.org/rfc/rfc3696#section-3
_MOST_BYTES = 1 << 20  # of the published keys


class PublicKeys:
    """The proxy's public keys, fetched when needed and kept for an hour.

    A key that is not among them makes them fetched again, at most once a minute: one that was
    published just after a fetch is known at once. While they are fetched, and when that fails,
    the keys of before stay.

    Parameters
    ----------
    url
        Where they are: a JSON object of PEM texts by key id.
    """

    keep_seconds = 3600.0
    again_seconds = 60.0
    first_again_seconds = 5.0
    """Seconds between two tries while there is no key at all."""
    timeout_seconds = 10.0
    """Seconds that it may take in all to fetch them."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: Mapping[str, str] = {}
        self._expires = 0.0
        self._next_try = 0.0
        self._next_search = 0.0
        self._fetching: asyncio.Task[str] | None = None

    async def get(self, key_id: str) -> tuple[str | None, str]:
        """Return a key, and what went wrong if it had to be fetched and could not be.

        Who asks for a key that is there does not wait.
        """
        known = key_id in self._keys
        if self._fetching is None and self._is_due(known=known):
            self._fetching = asyncio.create_task(self._fetch())
        problem = ""
        if not known and self._fetching is not None:
            # The others wait for the same fetch when one of them goes away.
            problem = await asyncio.shield(self._fetching)
        return self._keys.get(key_id), problem

    def _is_due(self, *, known: bool) -> bool:
        """Return whether to fetch the keys now, and note that it is done."""
        now = time.monotonic()
        if now >= self._expires:
            if now < self._next_try:
                return False
            self._next_try = now + (self.again_seconds if self._keys else self.first_again_seconds)
            return True
        if known or now < self._next_search:
            return False
        self._next_search = now + self.again_seconds
        return True

    async def _fetch(self) -> str:
        """Fetch the keys, and return what went wrong."""
        try:
            # Not on the loop that serves everybody.
            keys = await asyncio.to_thread(self._read)
        except (requests.RequestException, ValueError, RecursionError) as error:
            return str(error)
        else:
            self._keys = keys
            self._expires = time.monotonic() + self.keep_seconds
            self._next_try = 0.0
            return ""
        finally:
            self._fetching = None

    def _read(self) -> Mapping[str, str]:
        with requests.Session() as session:
            limits.secured(session, seconds=self.timeout_seconds)
            answer = limits.get(session, self._url, limit=_MOST_BYTES, seconds=self.timeout_seconds)
        if answer.status != HTTPStatus.OK:
            raise ValueError(f"HTTP {answer.status} from {self._url}")
        keys = json.loads(answer.body)
        if not isinstance(keys, dict) or not all(isinstance(key, str) for key in keys.values()):
            raise ValueError("They are not keys by their ids.")
        return keys


def key_of(assertion: str) -> str | None:
    """Return the id of the key that an assertion says it is signed with.

    ``None`` for what is no assertion of Identity-Aware Proxy.
    """
    if len(assertion) > _LONGEST or assertion.count(".") != 2:  # noqa: PLR2004 - three parts
        return None
    text = assertion.partition(".")[0]
    try:
        header = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
    except (ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or header.get("alg") != ALGORITHM:
        return None
    key_id = header.get("kid")
    return key_id if isinstance(key_id, str) and 0 < len(key_id) <= _LONGEST_ID else None


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
    key_id = key_of(assertion)
    if key_id is None or key_id not in keys or not audience:
        return None
    try:
        claims: Any = jwt.decode(
            assertion,
            certs={key_id: keys[key_id]},
            audience=audience,
            clock_skew_in_seconds=SKEW,
        )
    except Exception:  # noqa: BLE001 - whatever a forged one makes of the libraries, it is refused
        return None
    email = claims.get("email")
    # The library takes one of several audiences too; the proxy names one.
    if claims.get("iss") != ISSUER or claims.get("aud") != audience or not isinstance(email, str):
        return None
    is_address = 0 < len(email) <= _LONGEST_EMAIL and email.isprintable()
    return email if is_address else None


class IapIdentityProvider(BrowserIdentityProvider):
    """Lets in who comes through Identity-Aware Proxy, and nobody else."""

    audience = Unicode(config=True, help="The audience that an assertion must have.")
    certs_url = Unicode(CERTS_URL, config=True, help="Where the public keys are.")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._keys = PublicKeys(self.certs_url)

    async def person(self, handler: Asked) -> str | None:
        """Return the visitor's address, or ``None`` if the proxy does not vouch for it."""
        assertion = handler.request.headers.get(HEADER, "")
        key_id = key_of(assertion)
        if key_id is None:
            return None
        key, problem = await self._keys.get(key_id)
        if problem:
            self.log.warning("The keys of Identity-Aware Proxy can't be read: %s", problem)
        return None if key is None else verify_assertion(assertion, self.audience, {key_id: key})
