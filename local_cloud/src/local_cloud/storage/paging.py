"""Pages of lists, and the tokens that lead from one to the next."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from local_cloud.storage.failures import invalid

if TYPE_CHECKING:
    from local_cloud.storage.backend import Call

#: The most that a page holds, and what it holds when the client does not say.
PAGE = 1000


def page_size(call: Call) -> int:
    """Read how many items the client wants on a page."""
    size = call.number("maxResults", PAGE)
    return min(size, PAGE) or PAGE


def encode_token(name: str) -> str:
    """Make the token of the page after a name."""
    return base64.urlsafe_b64encode(name.encode()).decode()


def decode_token(call: Call) -> str:
    """Read the name after which the wanted page begins; empty for the first page."""
    try:
        return base64.urlsafe_b64decode(call.args.get("pageToken", "")).decode()
    except ValueError as error:
        raise invalid("Invalid argument.") from error


def page_of(items: list[tuple[str, Any]], call: Call) -> tuple[list[tuple[str, Any]], str]:
    """Cut the wanted page out of a list that is ordered by name.

    Returns
    -------
    tuple
        The items of the page, and the token of the next one or an empty string.
    """
    after, size = decode_token(call), page_size(call)
    rest = [item for item in items if item[0] > after]
    page = rest[:size]
    return page, encode_token(page[-1][0]) if len(rest) > size else ""
