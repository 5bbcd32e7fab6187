"""What a deployed service, or Cloud Run in front of it, says when it does not answer a call."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import links
from llm_widgets.domain.units import duration_text
from llm_widgets.errors import (
    DeniedError,
    Fix,
    InvalidInputError,
    ManagerError,
    NotFoundError,
    UnavailableError,
)
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.client import lazy, messages
from llm_widgets.gcp.iam.invokers import INVOKER

if TYPE_CHECKING:
    from httpx2 import Response

    from llm_widgets.gcp.client.clients import Clients

LET_IN = "let-in"
"""Action of a fix: the caller is added to those who may call the service."""


def refusal(response: Response, clients: Clients, service: str = "") -> ManagerError:
    """Return the error that a response describes.

    Parameters
    ----------
    response
        Read to its end.
    service
        Resource name of the service; without it the fix names no command.
    """
    status = response.status_code
    cause = f"It answers {status}: {_text(response)}"
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        # Who is not known to Cloud Run (401) is not helped by a role.
        action = LET_IN if status == HTTPStatus.FORBIDDEN else ""
        return _denied(cause, clients, service, action)
    if status == HTTPStatus.NOT_FOUND:
        return NotFoundError(
            "The service does not know this model, or does not exist any more.", cause=cause
        )
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return UnavailableError(
            "The service has no instance free for this request.",
            cause=cause,
            fix=Fix(
                text="It may be starting: try again in a minute, or allow it more instances.",
                url=links.service(service) if service else "",
            ),
        )
    if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY):
        return InvalidInputError("The engine does not take this request.", cause=cause)
    return ManagerError(
        "The service failed.",
        cause=cause,
        fix=Fix(
            text="Its log has the details.", url=links.service(service, "logs") if service else ""
        ),
    )


def silence(url: str, error: Exception, seconds: float) -> UnavailableError:
    """Return the error for a call that got no response, or half of one.

    Parameters
    ----------
    seconds
        How long a service may be silent.
    """
    cause = str(error) or type(error).__name__
    if isinstance(error, lazy.httpx2.ReadTimeout):
        return UnavailableError(
            f"The service was silent for {duration_text(seconds)}.",
            cause=cause,
            fix=Fix(text="Its log tells whether it still starts or is stuck."),
        )
    return UnavailableError(
        f"The service at {url} does not answer, or broke off.",
        cause=cause,
        fix=Fix(text="Look whether it is still there and ready, then try again."),
    )


def error_text(body: Any, fallback: str) -> str:
    """Return the message in the JSON body of an error; engines put it in different places."""
    error = body.get("error", body) if isinstance(body, dict) else body
    message = error.get("message") if isinstance(error, dict) else error
    return str(message) if message else fallback


def _text(response: Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return messages.readable(response.text) or response.reason_phrase
    return error_text(body, fallback=response.text[:500])


def _denied(cause: str, clients: Clients, service: str, action: str) -> DeniedError:
    try:
        who = identity.current(clients)
    except ManagerError:
        return DeniedError("You may not call this service.", cause=cause)
    text = f"Ask an administrator to grant {INVOKER} on the service to {who.label}."
    if not service or not who.member:
        return DeniedError(f"{who.label} may not call this service.", cause=cause, fix=Fix(text))
    _, project, _, region, _, service_id = service.split("/")
    command = (
        f"gcloud run services add-iam-policy-binding {service_id} --region={region} "
        f"--project={project} --member={who.member} --role={INVOKER}"
    )
    fix = Fix(text=text, command=command, url=links.service(service, "security"), action=action)
    return DeniedError(f"{who.label} may not call the service {service_id}.", cause=cause, fix=fix)
