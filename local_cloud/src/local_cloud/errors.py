"""What goes wrong in the local cloud: an API's refusal, or a start that fails."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

# google.rpc.Code, by name: the HTTP status that Google's front ends answer with.
HTTP_STATUS = {
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "UNAUTHENTICATED": 401,
}
# The same names: the numbers that gRPC and google.rpc.Status use.
RPC_CODE = {
    "CANCELLED": 1,
    "UNKNOWN": 2,
    "INVALID_ARGUMENT": 3,
    "DEADLINE_EXCEEDED": 4,
    "NOT_FOUND": 5,
    "ALREADY_EXISTS": 6,
    "PERMISSION_DENIED": 7,
    "RESOURCE_EXHAUSTED": 8,
    "FAILED_PRECONDITION": 9,
    "ABORTED": 10,
    "OUT_OF_RANGE": 11,
    "UNIMPLEMENTED": 12,
    "INTERNAL": 13,
    "UNAVAILABLE": 14,
    "UNAUTHENTICATED": 16,
}


class Form(StrEnum):
    """How an API writes its refusals over HTTP."""

    NEW = "new"
    """With ``status`` and ``details``."""
    BOTH = "both"
    """With the list ``errors`` of older APIs beside them."""
    OLD = "old"
    """With ``errors`` alone, but for what is refused before the API is reached."""


# The word that the older APIs have for each code, in the list ``errors`` of a refusal.
OLDER_REASON = {
    "INVALID_ARGUMENT": "badRequest",
    "FAILED_PRECONDITION": "failedPrecondition",
    "UNAUTHENTICATED": "authError",
    "PERMISSION_DENIED": "forbidden",
    "NOT_FOUND": "notFound",
    "ALREADY_EXISTS": "alreadyExists",
    "ABORTED": "aborted",
    "RESOURCE_EXHAUSTED": "rateLimitExceeded",
}
DENIAL = "Permission '{permission}' denied on resource '{resource}' (or resource may not exist)."
"""What most APIs say of a permission that the caller lacks."""


class ApiError(Exception):
    """A refusal by one of the local cloud's APIs.

    Parameters
    ----------
    reason
        Name of the ``google.rpc.Code``, such as ``"NOT_FOUND"``.
    message
        The text that the real API gives.
    details
        ``google.rpc`` detail messages as JSON objects with ``"@type"``.

    """

    def __init__(
        self, reason: str, message: str, details: list[dict[str, Any]] | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.details = details or []

    @property
    def status(self) -> int:
        """HTTP status code."""
        return HTTP_STATUS[self.reason]

    @property
    def code(self) -> int:
        """Number of the ``google.rpc.Code``."""
        return RPC_CODE[self.reason]


def disk_full() -> ApiError:
    """Return the answer to a request that takes space where there is none."""
    return ApiError("RESOURCE_EXHAUSTED", "The disk that holds the local cloud's data is full.")


def error_info(reason: str, domain: str, **metadata: str) -> dict[str, Any]:
    """Return a ``google.rpc.ErrorInfo`` as JSON."""
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": domain,
        "metadata": metadata,
    }


def help_link(description: str, url: str) -> dict[str, Any]:
    """Return a ``google.rpc.Help`` with one link as JSON."""
    return {
        "@type": "type.googleapis.com/google.rpc.Help",
        "links": [{"description": description, "url": url}],
    }


def localized(message: str) -> dict[str, Any]:
    """Return a ``google.rpc.LocalizedMessage`` as JSON."""
    return {
        "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
        "locale": "en-US",
        "message": message,
    }


def bad_request(field: str, description: str) -> dict[str, Any]:
    """Return a ``google.rpc.BadRequest`` with one violation as JSON."""
    return {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{"field": field, "description": description}],
    }


class LocalCloudError(Exception):
    """The local cloud cannot start or go on.

    Parameters
    ----------
    message
        One sentence: what is wrong.
    fix
        One sentence: what to do.
    cause
        Why, where the message does not say it.

    """

    def __init__(self, message: str, fix: str, *, cause: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.cause = cause

    def __str__(self) -> str:
        """Return the message, the cause and the fix as they are printed on a terminal."""
        because = [f"Cause: {self.cause}"] if self.cause else []
        return "\n".join([self.message, *because, f"Fix: {self.fix}"])
