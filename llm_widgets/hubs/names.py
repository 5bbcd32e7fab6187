"""What a person types for a model, as far as all hubs read it alike."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from llm_widgets.domain.names import shown
from llm_widgets.errors import Fix, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Collection

FIELD = "model_id"


def one_word(text: str, example: str) -> str:
    """Return what was typed without the white space around it.

    Parameters
    ----------
    example
        The sentence that says what is asked for.

    Raises
    ------
    InvalidInputError
        It is empty, or several words.
    """
    typed = text.strip()
    if not typed:
        raise invalid(example)
    if any(letter.isspace() for letter in typed):
        raise invalid(f"{shown(typed)} contains a space or a line break.", example)
    return typed


def address(typed: str, hosts: Collection[str]) -> tuple[str, list[str]]:
    """Split an address into its host and the parts of its path; no host for what is none.

    Parameters
    ----------
    hosts
        Names by which an address is known that begins without ``https://``.

    Raises
    ------
    InvalidInputError
        It begins like an address and is none.
    """
    if "://" not in typed and typed.partition("/")[0].lower() not in hosts:
        return "", []
    try:
        parts = urlsplit(typed if "://" in typed else f"https://{typed}")
    except ValueError as error:
        raise invalid(f"{shown(typed)} is not an address.") from error
    return (parts.hostname or "?"), [unquote(part) for part in parts.path.split("/") if part]


def host(typed: str) -> str:
    """Return what would be the host if an address was typed; empty where it can't be one."""
    return place(typed)[0]


def place(typed: str) -> tuple[str, int | None]:
    """Return what would be the host and the port if an address was typed."""
    try:
        parts = urlsplit(typed if "://" in typed else f"https://{typed}")
        port = parts.port
    except ValueError:
        return "", None
    return parts.hostname or "", port


def query(typed: str, key: str) -> str:
    """Return a value of the query of an address; empty where it has none."""
    return parse_qs(urlsplit(typed if "://" in typed else f"https://{typed}").query).get(key, [""])[
        -1
    ]


def invalid(message: str, fix: str = "") -> InvalidInputError:
    """Make the error of a text that is no model's id."""
    return InvalidInputError(message, field=FIELD, fix=Fix(text=fix) if fix else None)
