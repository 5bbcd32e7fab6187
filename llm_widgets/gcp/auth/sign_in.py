"""Credentials: found, missing or no longer good."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from llm_widgets.errors import Fix, SignInError
from llm_widgets.gcp.client import lazy

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
ANYWHERE = "0x0"
"""How google-auth writes that no location is closed to an account."""

NEVER = datetime(9999, 1, 1)  # noqa: DTZ001 - google-auth compares it with times without a zone

SIGN_IN_COMMAND = "gcloud auth application-default login"
_SIGN_IN_AGAIN = Fix(text="Sign in again, then try again:", command=SIGN_IN_COMMAND)


# What Google's token endpoint says: https://support.google.com/a/answer/9368756 for the first.
_REAUTHENTICATE = re.compile(r"invalid_rapt|rapt_required|reauth", re.IGNORECASE)
_BAD_KEY = re.compile(r"Invalid JWT Signature|account not found", re.IGNORECASE)
_WRONG_CLOCK = re.compile(r"reasonable timeframe|Token used too early", re.IGNORECASE)


def default_credentials(*, is_local: bool = False) -> Credentials:
    """Find Application Default Credentials.

    Parameters
    ----------
    is_local
        Whether they are for a local cloud: Google is told nothing of them.

    Raises
    ------
    SignInError
        There are none, or they can't be read.
    """
    try:
        credentials, _ = lazy.auth.default(scopes=[SCOPE])
    except (lazy.auth_exceptions.GoogleAuthError, ValueError, OSError) as error:
        raise SignInError(
            "There are no usable Google Cloud credentials on this machine.",
            cause=str(error),
            fix=Fix(text="Sign in, then try again:", command=SIGN_IN_COMMAND),
        ) from error
    if is_local:
        _keep_from_google(credentials)
    return credentials


def _keep_from_google(credentials: Credentials) -> None:
    """Answer for Google where the package asks it, in a thread, which locations are allowed."""
    set_boundary = getattr(credentials, "_set_regional_access_boundary", None)
    if set_boundary is not None:
        set_boundary({"encodedLocations": ANYWHERE, "expiry": NEVER})


def token_request() -> lazy.auth_requests.Request:
    """Return what google-auth fetches tokens with: with limits, and without ``.netrc``."""
    session = lazy.requests.Session()
    lazy.limits.secured(session)
    return lazy.auth_requests.Request(session)


def refused(cause: str) -> SignInError:
    """Word the failure of credentials that were found and are not accepted."""
    if _REAUTHENTICATE.search(cause):
        return SignInError(
            "The organization wants you to sign in to Google Cloud again.",
            cause=cause,
            fix=_SIGN_IN_AGAIN,
        )
    if _BAD_KEY.search(cause):
        return SignInError(
            "Google Cloud does not accept the key of the service account.",
            cause=cause,
            fix=Fix(
                text="The key was deleted or disabled, or the account was. Use another key, or "
                "sign in:",
                command=SIGN_IN_COMMAND,
            ),
        )
    if _WRONG_CLOCK.search(cause):
        return SignInError(
            "Google Cloud does not accept the credentials: the clock of this machine is wrong.",
            cause=cause,
            fix=Fix(text="Set the clock of this machine, then try again."),
        )
    return SignInError(
        "Google Cloud does not accept the credentials, or no longer does.",
        cause=cause,
        fix=_SIGN_IN_AGAIN,
    )
