"""Keys that an engine asks its callers for, beside what Cloud Run asks for.

Services of AI Studio have one, and engines that are given one. Cloud Run then takes the caller's ID
token from a header of its own, and leaves the common one to the engine
(https://docs.cloud.google.com/run/docs/authenticating/service-to-service).
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from llm_widgets.domain import json_text
from llm_widgets.engines import registry
from llm_widgets.errors import DeniedError, Fix, ManagerError
from llm_widgets.gcp.run import services, summaries

if TYPE_CHECKING:
    from llm_widgets.gcp.client.clients import Clients

_NAMED = re.compile(rb"\bapi[ _-]?key\b", re.IGNORECASE)


def is_asked_for(status: int, body: bytes) -> bool:
    """Return whether a refusal is the engine's own, for want of its key.

    It names the key, or says "Unauthorized" in JSON, as vLLM and SGLang do; Cloud Run writes pages.
    """
    if status not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return False
    return bool(_NAMED.search(body)) or (status == HTTPStatus.UNAUTHORIZED and _is_json(body))


def configured(clients: Clients, service: str, url: str) -> str:
    """Return the key that a service's engine is told in plain text; empty where there is none.

    Parameters
    ----------
    service
        Resource name of the service; may be empty.
    url
        Where the key would be sent: an address of this very service, else there is none.
    """
    if not service:
        return ""
    try:
        found = services.get(clients, service)
    except ManagerError:
        return ""  # the refusal is told
    if url not in (found.uri, *found.urls):
        return ""
    return registry.key_of(summaries.containers(found.template))


def unknown(cause: str) -> DeniedError:
    """Return the error for a service whose key can't be read."""
    return DeniedError(
        "The service asks for an API key of its own.",
        cause=cause,
        fix=Fix(
            "Call it with the key that it was deployed with. This manager sends a key only where "
            "the service's configuration has it in plain text."
        ),
    )


def _is_json(body: bytes) -> bool:
    try:
        json_text.loads(body)
    except ValueError:
        return False
    return True
