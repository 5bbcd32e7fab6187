"""Refusals that only their status tells."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llm_widgets.errors import (
    AlreadyExistsError,
    ConflictError,
    Fix,
    InvalidInputError,
    ManagerError,
    NotFoundError,
    UnavailableError,
)
from llm_widgets.gcp.client import messages

if TYPE_CHECKING:
    from llm_widgets.gcp.refusals.doing import Doing
    from llm_widgets.gcp.refusals.reading import Refusal

_SERVER_ERROR = 500
_CONFLICTS = frozenset({409, 412})
_TRY_AGAIN = Fix(text="Try again in a minute.")
_RELOAD = Fix(text="Someone else made a change: reload, then try again.")
_CHANGED = re.compile(
    r"pre-?conditions?|\betag\b|concurrent|conflict|generation|fingerprint|contention|"
    r"did not match|(?:has|have|was|were|been) (?:changed|modified|updated)|"
    r"version .{0,60}(?:was specified|mismatch)",
    re.IGNORECASE,
)
_BUSY = re.compile(
    r"unable to queue the operation|(?:already|currently|still) in progress|"
    r"operation (?:is )?in progress|another operation|(?:ongoing|conflicting) .{0,20}operation",
    re.IGNORECASE,
)
_WAIT = Fix(text="Another change is still under way: wait until it has ended, then try again.")
_LATE = Fix(text="The change may have been made: check, then try again.")

_ANOTHER_NAME = Fix(text="Choose another name.")
_KINDS: dict[int, tuple[type[ManagerError], Fix | None]] = {
    400: (InvalidInputError, None),
    404: (NotFoundError, None),
    408: (UnavailableError, _LATE),
    409: (ConflictError, None),
    410: (NotFoundError, None),
    429: (UnavailableError, _TRY_AGAIN),
    501: (ManagerError, None),
    504: (UnavailableError, _LATE),
}


def is_conflict(refusal: Refusal) -> bool:
    """Return whether somebody else changed something meanwhile, which its status does not tell.

    Cloud Storage answers 412 to what a policy does not allow, and 409 to a bucket with objects.
    """
    if refusal.status not in _CONFLICTS:
        return False
    says_nothing = refusal.message.lower() in {"", "precondition failed", "conflict"}
    return (
        refusal.code == "ABORTED"
        or says_nothing
        or bool(_CHANGED.search(refusal.message) or _BUSY.search(refusal.message))
    )


def plain(refusal: Refusal, doing: Doing) -> ManagerError:
    """Word a refusal by its status alone, in Google's words."""
    message = f"Can't {doing.text}."
    if refusal.status == 409 and messages.is_about_a_taken_name(refusal.message):  # noqa: PLR2004 - Conflict
        return AlreadyExistsError(message, cause=refusal.message, fix=_ANOTHER_NAME)
    if refusal.code == "FAILED_PRECONDITION":
        return ManagerError(message, cause=refusal.message)
    if is_conflict(refusal):
        is_busy = bool(_BUSY.search(refusal.message))
        return ConflictError(message, cause=refusal.message, fix=_WAIT if is_busy else _RELOAD)
    kind, fix = _KINDS.get(refusal.status, (ManagerError, None))
    if refusal.status >= _SERVER_ERROR and refusal.status not in _KINDS:
        kind, fix = UnavailableError, _TRY_AGAIN
    if issubclass(kind, UnavailableError):
        return kind(message, cause=refusal.message, fix=fix, retry_after=refusal.retry_after)
    return kind(message, cause=refusal.message, fix=fix)
