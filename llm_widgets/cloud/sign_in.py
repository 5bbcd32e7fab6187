"""Credentials: found, missing or no longer good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.cloud import packages
from llm_widgets.errors import Fix, SignInError

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
SIGN_IN_COMMAND = "gcloud auth application-default login"


def default_credentials() -> Credentials:
    """Find Application Default Credentials.

    Raises
    ------
    SignInError
        There are none, or they can't be read.
    """
    try:
        credentials, _ = packages.auth.default(scopes=[SCOPE])
    except (packages.auth_exceptions.GoogleAuthError, ValueError, OSError) as error:
        raise SignInError(
            "There are no usable Google Cloud credentials on this machine.",
            cause=str(error),
            fix=Fix(text="Sign in, then try again:", command=SIGN_IN_COMMAND),
        ) from error
    return credentials


def refused(cause: str) -> SignInError:
    """Word the failure of credentials that were found and are not accepted."""
    return SignInError(
        "Google Cloud does not accept the credentials, or no longer does.",
        cause=cause,
        fix=Fix(text="Sign in again, then try again:", command=SIGN_IN_COMMAND),
    )
