"""What refusals of the Hugging Face Hub mean, and what to do about each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.errors import (
    Fix,
    GatedModelError,
    HubError,
    InvalidInputError,
    ManagerError,
    NotFoundError,
)
from llm_widgets.hubs.failures import FORBIDDEN, NOT_FOUND, UNAUTHORIZED, general

if TYPE_CHECKING:
    from collections.abc import Mapping

# What the hub always says; a cause that is worth showing says more.
_PLAIN = frozenset({"", "Repository not found", "Invalid username or password."})


def explained(  # noqa: PLR0911 - one return for each meaning
    status: int,
    headers: Mapping[str, str],
    *,
    endpoint: str,
    model_id: str,
    revision: str,
    has_token: bool,
) -> ManagerError:
    """Return what a refusal means.

    Parameters
    ----------
    headers
        Those of the answer; the hub tells its reasons in ``X-Error-Code`` and
        ``X-Error-Message``.
    """
    code = headers.get("X-Error-Code", "")
    said = headers.get("X-Error-Message", "")
    page = f"{endpoint}/{model_id}"
    tokens = f"{endpoint}/settings/tokens"
    if said == "Invalid credentials in Authorization header":
        return InvalidInputError(
            "Hugging Face does not accept this token.",
            field="token",
            cause="It was mistyped, has expired, or was revoked.",
            fix=Fix(text="Copy a valid token from your settings.", url=tokens),
        )
    if code == "GatedRepo":
        return _gated(status, said, model_id=model_id, page=page, tokens=tokens)
    if said == "Access to this resource is disabled.":
        return HubError(f"Hugging Face has disabled {model_id}.", cause=said)
    if status == FORBIDDEN:
        return GatedModelError(
            f"This token may not read {model_id}.",
            cause=said,
            fix=Fix(text="Give the token the permission to read this model.", url=tokens),
        )
    if code == "RevisionNotFound":
        return NotFoundError(
            f"{model_id} has no revision “{revision}”.",
            field="revision",
            fix=Fix(
                text="Leave it empty for the newest one, or take one from the model's page.",
                url=f"{page}/commits/main",
            ),
        )
    if code == "EntryNotFound":
        return NotFoundError(f"{model_id} lost a file while it was looked at.", cause=said)
    if code == "RepoNotFound" or status in {UNAUTHORIZED, NOT_FOUND}:
        private = (
            "If it is private, this token's account may not read it."
            if has_token
            else "If it is private, a token is needed."
        )
        return NotFoundError(
            f"There is no model {model_id} at Hugging Face.",
            cause=private if said in _PLAIN else said,
            fix=Fix(text="Check the spelling; capitals count."),
        )
    return general(status, headers, hub="Hugging Face")


def _gated(status: int, said: str, *, model_id: str, page: str, tokens: str) -> GatedModelError:
    if status == UNAUTHORIZED:
        return GatedModelError(
            f"{model_id} is gated: it takes an accepted licence and a token.",
            cause="No token was given.",
            fix=Fix(
                text="Accept the licence on the model's page, then enter a token of that account.",
                url=page,
            ),
        )
    if "awaiting" in said:
        return GatedModelError(
            f"Access to {model_id} has been asked for, and is not granted yet.",
            cause=said,
            fix=Fix(text="Wait until the authors have granted it, then try again.", url=page),
        )
    if "fine-grained" in said:
        return GatedModelError(
            f"This token may not read gated models such as {model_id}.",
            cause=said,
            fix=Fix(text="Let the token read public gated repositories.", url=tokens),
        )
    return GatedModelError(
        f"The account of this token has not accepted the licence of {model_id}.",
        cause=said,
        fix=Fix(text="Accept the licence on the model's page, then try again.", url=page),
    )
