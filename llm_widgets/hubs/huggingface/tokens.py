"""Tokens of Hugging Face that Python names instead of writing them down."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llm_widgets.errors import Fix, InvalidInputError

if TYPE_CHECKING:
    from llm_widgets.config import Settings

VARIABLE = "HF_TOKEN"
LOGIN = "hf auth login"


def named(token: str, settings: Settings) -> str:
    """Return a token, without white space around it; one that is named is looked up.

    No token is used that was not asked for: neither the variable nor the file is read unless it
    is named.

    Raises
    ------
    InvalidInputError
        The named place holds none.
    """
    token = token.strip()
    if token == VARIABLE:
        found, fix = settings.variables.get(VARIABLE, ""), f"Set {VARIABLE}, or give the token."
    elif token == LOGIN:
        found, fix = _of_login(), "Sign in, or give the token."
    else:
        return token
    if not found.strip():
        command = LOGIN if token == LOGIN else ""
        raise InvalidInputError(
            f"{token} holds no token of Hugging Face.",
            field="token",
            fix=Fix(text=fix, command=command),
        )
    return found.strip()


def _of_login() -> str:
    """Return the token that ``hf auth login`` has kept on this machine; empty for none."""
    from huggingface_hub.constants import HF_TOKEN_PATH  # noqa: PLC0415 - loaded when needed

    try:
        return Path(HF_TOKEN_PATH).read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        return ""
