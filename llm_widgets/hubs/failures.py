"""Refusals that all hubs make alike, and what to do about each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.errors import Fix, HubError, ManagerError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

UNAUTHORIZED = 401
FORBIDDEN = 403
NOT_FOUND = 404

_TOO_MANY = 429
_SERVER_ERROR = 500


def general(status: int, headers: Mapping[str, str], *, hub: str, said: str = "") -> ManagerError:
    """Say what a refusal means that has nothing to do with a certain model.

    Parameters
    ----------
    said
        The hub's own message, or empty.
    """
    if status == _TOO_MANY:
        wait = headers.get("Retry-After", "")
        when = f"in {wait} seconds" if wait.isdigit() else "in a few minutes"
        return UnavailableError(
            f"{hub} takes no more requests from here for now.",
            cause="HTTP 429: too many requests.",
            fix=Fix(text=f"Try again {when}."),
        )
    if status >= _SERVER_ERROR:
        return UnavailableError(
            f"{hub} failed.", cause=f"HTTP {status}.", fix=Fix(text="Try again in a minute.")
        )
    return HubError(f"{hub} refused the request.", cause=said or f"HTTP {status}.")
