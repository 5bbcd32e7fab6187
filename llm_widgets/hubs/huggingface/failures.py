"""What refusals of the Hugging Face Hub mean, and what to do about each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.errors import (
    Fix,
    GatedModelError,
    HubError,
    InvalidInputError,
    ManagerError,
    NotFoundError,
    UnavailableError,
)
from llm_widgets.hubs.failures import FORBIDDEN, GONE, NOT_FOUND, UNAUTHORIZED, general

if TYPE_CHECKING:
    from llm_widgets.hubs.failures import Refusal

HUB = "Hugging Face"

# What the hub always says; a cause that is worth showing says more.
_PLAIN = frozenset({"", "Repository not found", "Invalid username or password."})
_DISABLED = re.compile(
    r"\bdisabled\b|taken down|\bDMCA\b|has been (?:removed|blocked)", re.IGNORECASE
)
_EXPIRED = re.compile(r"\bexpired?\b|\bexpiry\b", re.IGNORECASE)
_REVOKED = re.compile(
    r"revoked|invalidated|rotated|deactivated|no longer (?:valid|active|exists)|"
    r"token (?:is |was |has been )?(?:disabled|deleted)",
    re.IGNORECASE,
)
_WRONG_KIND = re.compile(
    r"(?:organi[sz]ation|org|oauth|session|jwt|service|inference|app|api_org|hf_jwt) "
    r"(?:api )?tokens?\b|token type|(?:type|kind) of token|api_org",
    re.IGNORECASE,
)
_SUSPENDED = re.compile(
    r"(?:account|user) (?:is |was |has been )?(?:suspended|banned|blocked|disabled)", re.IGNORECASE
)
_SIGN_ON = re.compile(r"\bSSO\b|\bSAML\b|single sign-?on|re-?authenticate", re.IGNORECASE)
_APPROVAL = re.compile(r"\bapprov|\bpolic(?:y|ies)\b", re.IGNORECASE)
_NEEDS_FINE = re.compile(r"(?:use|needs?|requires?) a fine.?grained", re.IGNORECASE)
_GATED = re.compile(
    r"\bgated\b|authorized list|awaiting a review|access to (?:this )?model .{1,200} is restricted",
    re.IGNORECASE,
)
_FINE_GRAINED = re.compile(
    r"fine.?grained|required (?:permission|scope)s?|\bscopes?\b", re.IGNORECASE
)
_WAITING = re.compile(r"await|pending|not (?:yet )?(?:been )?reviewed", re.IGNORECASE)
_REJECTED = re.compile(r"reject|denied by|declined|request .{0,200}\bdenied", re.IGNORECASE)
_NO_REVISION = re.compile(r"invalid rev(?:ision)?\b", re.IGNORECASE)
_BAD_REQUEST = 400
_BAD_TOKEN = 498  # of some proxies


@dataclass(frozen=True, slots=True)
class Asked:
    """What a token was used to ask for.

    Attributes
    ----------
    endpoint
        Base URL of the hub.
    revision
        As it was asked for.
    """

    endpoint: str
    model_id: str
    revision: str = ""
    has_token: bool = False

    @property
    def page(self) -> str:
        """The model's page."""
        return f"{self.endpoint}/{self.model_id}"

    @property
    def tokens(self) -> str:
        """The page of a person's tokens."""
        return f"{self.endpoint}/settings/tokens"


def explained(refusal: Refusal, asked: Asked) -> ManagerError:
    """Return what a refusal means: by its code, its header fields, and its words."""
    status, said = refusal.status, refusal.said
    is_page = refusal.is_page and not refusal.code and status == FORBIDDEN
    if status == _BAD_REQUEST and _NO_REVISION.search(said):
        return _missing_revision(asked)
    if is_page or status not in {UNAUTHORIZED, _BAD_TOKEN, FORBIDDEN, NOT_FOUND, GONE}:
        return general(refusal, hub=HUB)
    return (
        _elsewhere_or_later(refusal)
        or _closed(refusal, asked)
        or _absent(refusal, asked)
        or (_forbidden(said, asked) if status == FORBIDDEN else _unknown(said, asked))
    )


def _elsewhere_or_later(refusal: Refusal) -> ManagerError | None:
    """Word what is refused because of where, or how often, it is asked for."""
    if refusal.status != FORBIDDEN:
        return None
    found = general(refusal, hub=HUB)
    return found if isinstance(found, GatedModelError | UnavailableError) else None


def _closed(refusal: Refusal, asked: Asked) -> ManagerError | None:
    """Word what this token, or none, does not open."""
    status, said = refusal.status, refusal.said
    if found := _no_good(status, said, asked):
        return found
    is_closed = status in {UNAUTHORIZED, FORBIDDEN} and _GATED.search(said)
    if refusal.code == "GatedRepo" or is_closed:
        return _gated(status, said, asked)
    if status == UNAUTHORIZED and asked.has_token:
        return _token(said, asked)
    return _forbidden(said, asked) if status == UNAUTHORIZED and said not in _PLAIN else None


def _absent(refusal: Refusal, asked: Asked) -> ManagerError | None:
    """Word what is known to be gone, or was never there."""
    if refusal.status == GONE and not _DISABLED.search(refusal.said):
        return NotFoundError(
            f"{asked.model_id} is not at Hugging Face any more.",
            cause=refusal.said,
            fix=Fix(text="Choose another model."),
        )
    if _DISABLED.search(refusal.said):
        return HubError(
            f"Hugging Face has disabled {asked.model_id}.",
            cause=refusal.said,
            fix=Fix(text="Choose another model."),
        )
    if refusal.code in {"RevisionNotFound", "EntryNotFound"}:
        return _missing(refusal, asked)
    return None


def _no_good(status: int, said: str, asked: Asked) -> ManagerError | None:
    """Word a token that is none for this hub any more, by what the hub says of it."""
    patterns = (_EXPIRED, _REVOKED, _WRONG_KIND, _SUSPENDED)
    is_told = any(pattern.search(said) for pattern in patterns)
    is_about_it = status in {UNAUTHORIZED, FORBIDDEN} and asked.has_token
    return _token(said, asked) if status == _BAD_TOKEN or (is_told and is_about_it) else None


def _unknown(said: str, asked: Asked) -> NotFoundError:
    """Word a model that is not there, or that this token may not know of."""
    private = (
        "If the model is private, this token's account has no access."
        if asked.has_token
        else "If the model is private, enter a token."
    )
    return NotFoundError(
        f"There is no model {asked.model_id} at Hugging Face.",
        cause=private if said in _PLAIN else said,
        fix=Fix(text="Check the spelling, and whether the model was renamed or removed."),
    )


def _missing(refusal: Refusal, asked: Asked) -> NotFoundError:
    """Word a revision or a file that is not there."""
    if refusal.code == "EntryNotFound":
        return NotFoundError(
            f"{asked.model_id} lost a file while it was looked at.", cause=refusal.said
        )
    return _missing_revision(asked)


def _missing_revision(asked: Asked) -> NotFoundError:
    return NotFoundError(
        f"{asked.model_id} has no revision “{asked.revision}”.",
        field="revision",
        fix=Fix(
            text="Leave the revision empty for the newest, or copy one from the model's page.",
            url=f"{asked.page}/commits/main",
        ),
    )


def _token(said: str, asked: Asked) -> InvalidInputError:
    """Word a token that the hub does not take."""
    fix = Fix(text="Create or copy a valid token in your settings.", url=asked.tokens)
    if _SUSPENDED.search(said):
        message, cause = "Hugging Face has suspended the account of this token.", said
        fix = Fix(text="Enter a token of another account.", url=asked.tokens)
    elif _EXPIRED.search(said):
        message, cause = "This token of Hugging Face has expired.", said
    elif _REVOKED.search(said):
        message, cause = "This token of Hugging Face was revoked.", said
    elif _WRONG_KIND.search(said):
        message, cause = "Hugging Face takes no token of this kind for models.", said
    else:
        message = "Hugging Face does not accept this token."
        is_more = said not in _PLAIN and "Invalid credentials" not in said
        cause = said if is_more else "The token was mistyped, has expired, or was revoked."
    return InvalidInputError(message, field="token", cause=cause, fix=fix)


def _forbidden(said: str, asked: Asked) -> ManagerError:
    """Word a token that is good, and not good for this."""
    if not asked.has_token:
        return GatedModelError(
            f"{asked.model_id} can't be read without a token.",
            cause=said,
            field="token",
            fix=Fix(text="Enter a token of an account with access.", url=asked.tokens),
        )
    return GatedModelError(
        f"This token can't read {asked.model_id}.",
        cause=said,
        field="token",
        fix=Fix(text=_permission(said), url=asked.tokens),
    )


def _permission(said: str) -> str:
    """Advise what a good token lacks."""
    if _SIGN_ON.search(said):
        return "Sign in to the organization with single sign-on in your browser, then try again."
    if _NEEDS_FINE.search(said):
        return "Enter a fine-grained token that may read this repository."
    if _APPROVAL.search(said):
        return "Have an administrator of the organization approve the token."
    return "Let the token read this repository: edit its permissions."


def _gated(status: int, said: str, asked: Asked) -> GatedModelError:
    model_id = asked.model_id
    if _FINE_GRAINED.search(said):
        return GatedModelError(
            f"This token can't read gated models such as {model_id}.",
            cause=said,
            field="token",
            fix=Fix(text="Let the token read public gated repositories.", url=asked.tokens),
        )
    if _REJECTED.search(said):
        return GatedModelError(
            f"The authors of {model_id} have rejected the request for access.",
            cause=said,
            fix=Fix(text="Ask them on the model's page, or choose another model.", url=asked.page),
        )
    if _WAITING.search(said):
        return GatedModelError(
            f"Access to {model_id} has been requested, but not granted yet.",
            cause=said,
            fix=Fix(text="Wait for the authors to grant access, then try again.", url=asked.page),
        )
    if status == UNAUTHORIZED or not asked.has_token:
        return GatedModelError(
            f"{model_id} is gated.",
            cause=said if asked.has_token else "No token was given.",
            field="token",
            fix=Fix(
                text="Accept its licence on Hugging Face, then enter your token.",
                url=asked.page,
            ),
        )
    return GatedModelError(
        f"The account of this token has not accepted the licence of {model_id}.",
        cause=said,
        fix=Fix(text="Accept the licence on the model's page, then try again.", url=asked.page),
    )
