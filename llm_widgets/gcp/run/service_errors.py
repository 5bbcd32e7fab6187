"""What a deployed service, or Cloud Run in front of it, says when it does not answer a call."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import json_text, links
from llm_widgets.domain.units import duration_text
from llm_widgets.errors import (
    DeniedError,
    Fix,
    InvalidInputError,
    ManagerError,
    NoInstanceError,
    NotFoundError,
    UnavailableError,
)
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.client import lazy, messages
from llm_widgets.gcp.iam import policy, propagation
from llm_widgets.gcp.iam.invokers import INVOKER
from llm_widgets.gcp.run import service_keys, services

if TYPE_CHECKING:
    from llm_widgets.gcp.client.clients import Clients

_SHUT_OUT = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
"""What Cloud Run answers to requests that the ingress of a service does not let in."""

_LONGEST_FALLBACK = 500  # characters
_NOT_TAKEN = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)

_INSIDE = {
    "INGRESS_TRAFFIC_INTERNAL_ONLY": "from the project's networks",
    "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER": "from the project's networks and a load balancer",
    "INGRESS_TRAFFIC_NONE": "from no network",
}

SEE_LOG = "See the service's log for details."

LET_IN = "let-in"
"""Action of a fix: the caller is added to those who may call the service."""


def refusal(status: int, body: bytes, clients: Clients, service: str = "") -> ManagerError:
    """Return the error that an answer describes.

    Parameters
    ----------
    body
        Its beginning, as it came.
    service
        Resource name of the service; without it the fix names no command.
    """
    answer = _parsed(body)
    cause = f"The service answers {status}: {_text(status, body, answer)}"
    if status in _SHUT_OUT and answer is None and (kept := _kept_inside(clients, service)):
        return _from_outside(cause, service, kept)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        # Who is not known to Cloud Run (401) is not helped by a role.
        action = LET_IN if status == HTTPStatus.FORBIDDEN else ""
        is_locked = service_keys.is_asked_for(status, body)
        return (
            service_keys.unknown(cause) if is_locked else _denied(cause, clients, service, action)
        )
    if status == HTTPStatus.NOT_FOUND:
        return NotFoundError(
            "The service does not know this model, or does not exist any more.", cause=cause
        )
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return NoInstanceError(
            "The service has no instance free for this request.",
            cause=cause,
            fix=Fix(
                text="It may be starting: try again in a minute, or allow it more instances.",
                url=links.service(service) if service else "",
            ),
        )
    # An engine that serves a model for another task has no implementation (llama.cpp).
    is_other = status == HTTPStatus.NOT_IMPLEMENTED and answer is not None
    if status in _NOT_TAKEN or is_other:
        return InvalidInputError("The engine does not take this request.", cause=cause)
    return ManagerError(
        "The service failed.",
        cause=cause,
        fix=Fix(
            text=SEE_LOG,
            url=links.service(service, "logs") if service else "",
        ),
    )


def _parsed(body: bytes) -> Any:
    """Return the JSON that an engine answers; ``None`` for what is none.

    Cloud Run in front of it writes pages.
    """
    try:
        return json_text.loads(body)
    except ValueError:
        return None


def _kept_inside(clients: Clients, service: str) -> str:
    """Return the ingress of a service that is not open to all networks; empty if it is."""
    if not service:
        return ""
    try:
        ingress = services.get(clients, service).ingress.name
    except ManagerError:
        return ""
    return ingress if ingress in _INSIDE else ""


def _from_outside(cause: str, service: str, ingress: str) -> DeniedError:
    return DeniedError(
        f"The service takes requests {_INSIDE[ingress]} only, and this one may come from outside.",
        cause=cause,
        fix=Fix(
            text="Call it from there, or change where its requests may come from.",
            url=links.service(service, "networking"),
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
    if isinstance(error, lazy.streams.EndlessError):
        return UnavailableError(
            "The service did not end its answer.",
            cause=cause,
            fix=Fix(text="Ask for less, or limit the tokens of an answer."),
        )
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
    return messages.readable(str(message) if message else fallback[:_LONGEST_FALLBACK])


def _text(status: int, body: bytes, answer: Any) -> str:
    text = body.decode("utf-8", "replace")
    if answer is None:
        return messages.readable(text) or _phrase(status)
    return error_text(answer, fallback=text)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # one that nobody has registered
        return "no text"


def _denied(cause: str, clients: Clients, service: str, action: str) -> DeniedError:
    try:
        who = identity.current(clients)
    except ManagerError:
        return DeniedError("You don't have permission to call this service.", cause=cause)
    text = f"Ask an administrator to grant {INVOKER} on the service to {who.label}."
    if not service or not who.member:
        return DeniedError(f"{who.label} can't call this service.", cause=cause, fix=Fix(text))
    _, project, _, region, _, service_id = service.split("/")
    message = f"{who.label} can't call the service {service_id}."
    age = propagation.of(clients).age(policy.of_cloud_run(service).path, who.member)
    if age is not None:
        fix = Fix(
            f"Access was granted {propagation.ago(age)}. Check the callers of the "
            "service, then try again."
        )
        return DeniedError(message, cause=cause, fix=fix)
    command = (
        f"gcloud run services add-iam-policy-binding {service_id} --region={region} "
        f"--project={project} --member={who.member} --role={INVOKER}"
    )
    fix = Fix(text=text, command=command, url=links.service(service, "security"), action=action)
    return DeniedError(message, cause=cause, fix=fix)
