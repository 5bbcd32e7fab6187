"""Long-running operations of APIs that are called without their clients."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.client.rest import call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.gcp.client.clients import Clients

_FIRST_PAUSE = 0.2  # seconds between two looks
_LONGEST_PAUSE = 5.0


def result(
    clients: Clients, host: str, version: str, operation: Mapping[str, Any], *, within: float
) -> dict[str, Any]:
    """Wait until an operation is over, and return its response.

    Parameters
    ----------
    host, version
        Of the API, for example ``iam.googleapis.com`` and ``v1``.
    operation
        As the API answered it.
    within
        Seconds after which nobody waits any longer.

    Raises
    ------
    google.api_core.exceptions.GoogleAPICallError
        It failed.
    TimeoutError
        It is not over in time; it goes on all the same.
    """
    until = time.monotonic() + within
    pause = _FIRST_PAUSE
    found = dict(operation)
    while not found.get("done"):
        if time.monotonic() > until:
            raise TimeoutError(f"{found['name']} is not over after {within:g} seconds.")
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
        found = call(clients, "GET", host, f"/{version}/{found['name']}")
    if error := found.get("error"):
        raise lazy.api_exceptions.from_grpc_status(error.get("code", 2), error.get("message", ""))
    response: dict[str, Any] = found.get("response", {})
    return response
