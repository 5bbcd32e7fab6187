"""Calls of APIs whose clients speak no REST, or would keep a page waiting to be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.gcp.client import lazy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.gcp.client.clients import Clients

_TIMEOUT = 30.0  # seconds


def call(
    clients: Clients,
    method: str,
    host: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    timeout: float = _TIMEOUT,
) -> dict[str, Any]:
    """Call a method and give its answer.

    Parameters
    ----------
    method
        ``GET``, ``POST``, …
    host
        Host of the API at Google, for example ``iam.googleapis.com``.
    path
        With the slash in front and its parts quoted.
    timeout
        Seconds without a byte after which nobody answers any more.

    Raises
    ------
    google.api_core.exceptions.GoogleAPICallError
        The API refuses.
    requests.RequestException
        It does not answer.
    """
    session: Any = clients.session
    response = session.request(method, f"{clients.url(host)}{path}", json=body, timeout=timeout)
    if not response.ok:
        raise lazy.api_exceptions.from_http_response(response)
    answer: dict[str, Any] = response.json()
    return answer
