"""A refusal as a checked value, whatever form it came in: JSON, gRPC, an operation, text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import json_text
from llm_widgets.exchanges.pauses import retry_after
from llm_widgets.gcp.client import lazy, messages
from llm_widgets.gcp.refusals import details as parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from google.api_core.exceptions import GoogleAPICallError

# What becomes a part of a command or of a link has one of these forms, or is left out.
_NAME = re.compile(r"[\w.:-]{1,100}")
_SERVICE = re.compile(r"[a-z0-9-]{1,60}(?:\.[a-z0-9-]{1,60}){1,4}")
_PERMISSION = re.compile(r"[a-zA-Z]{1,40}(?:\.[A-Za-z0-9]{1,60}){1,4}")
_CONSTRAINT = re.compile(r"\b((?:constraints|customConstraints)/[\w.-]{0,150}\w)")
_UID = re.compile(r"vpcServiceControlsUniqueIdentifier: ?([\w-]{1,200})")
# Cloud Run's older API calls projects namespaces.
_PROJECT = re.compile(r"\b(?:projects|namespaces)/([\w.:-]{1,100})")
_RESOURCE = re.compile(r"\b(?:on|for) (?:the )?(?:resource )?['\"]([\w/.:@-]{1,500})['\"]")
_OF_SERVICE = re.compile(r"of service '([a-z0-9-]{1,60}\.googleapis\.com)'")
_DELAY = re.compile(r"(\d{1,6}(?:\.\d{1,9})?)s")
_ANY_PROJECT = frozenset({"_", "-"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an API says when it refuses.

    Attributes
    ----------
    status, code
        The HTTP status, and the name of the ``google.rpc.Code`` where there is one.
    message
        What it says, readable.
    reason, domain
        Of its ``ErrorInfo``, for example ``SERVICE_DISABLED`` and ``googleapis.com``.
    legacy
        The reasons of its older form, for example ``conditionNotMet``.
    service, consumer
        The API, and the project that the call counts against: an id or a number.
    permission, resource
        What is lacking, and on what.
    constraint
        Of a policy of the organization, for example ``constraints/gcp.resourceLocations``.
    violations
        Preconditions that do not hold.
    uid
        By which administrators find a refusal of VPC Service Controls.
    quotas
        Quotas that do not allow it.
    metadata
        All of the ``ErrorInfo``, as text.
    retry_after
        Seconds after which to ask again, ``None`` where that is not told.
    """

    status: int
    message: str
    code: str = ""
    reason: str = ""
    domain: str = ""
    legacy: frozenset[str] = frozenset()
    service: str = ""
    consumer: str = ""
    permission: str = ""
    resource: str = ""
    constraint: str = ""
    violations: tuple[parts.Violation, ...] = ()
    uid: str = ""
    quotas: tuple[parts.QuotaViolation, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    retry_after: float | None = None

    @property
    def project(self) -> str:
        """The project that it names: of the consumer, else of the resource; or empty."""
        places = (self.resource, *(each.subject for each in self.violations), self.message)
        named = (project_in(place) for place in places)
        return self.consumer or next(filter(None, named), "")

    @property
    def resource_project(self) -> str:
        """The project of the resource that it names, else of what its text names; or empty."""
        return project_in(self.resource) or messages.project(self.message)


def of_error(error: GoogleAPICallError) -> Refusal:
    """Read an exception of Google's packages."""
    body = _body(error)
    operation = [each for each in error.errors if isinstance(each, lazy.protobuf_message.Message)]
    packed = [detail for each in operation for detail in getattr(each, "details", ())]
    code = str(body.get("status") or getattr(error.grpc_status_code, "name", ""))
    headers = getattr(error.response, "headers", None) or {}
    return _refusal(
        int(error.code or 0),
        messages.readable(error.message or str(error)),
        code,
        body.get("details") or [*error.details, *packed],
        body.get("errors") or error.errors,
        str(headers.get("Retry-After", "")),
    )


def of_body(body: Any) -> Refusal | None:
    """Read the JSON of an answer, ``None`` where it is not one of Google's errors."""
    error = _error_in(body)
    message = error.get("message")
    if not isinstance(message, str):
        return None
    code = error.get("code")
    return _refusal(
        code if isinstance(code, int) else 0,
        messages.readable(message),
        str(error.get("status") or ""),
        error.get("details"),
        error.get("errors"),
        "",
    )


def of_xml(status: int, code: str, message: str) -> Refusal:
    """Read an answer of Cloud Storage's XML API: its code is a word such as ``AccessDenied``."""
    return _refusal(status, messages.readable(message), "", [], [{"reason": code}], "")


def of_text(message: str, reason: str = "") -> Refusal:
    """Read what is known by its text alone, or by a text and a reason that is told beside it."""
    return replace(_refusal(0, message, "", [], [], ""), reason=reason)


def project_in(resource: str) -> str:
    """Return the project in the name of a resource, empty where it names none."""
    found = _PROJECT.search(resource)
    return found[1].rstrip(".:") if found and found[1] not in _ANY_PROJECT else ""


def _refusal(  # noqa: PLR0917 - the parts of an answer
    status: int, message: str, code: str, details: Any, errors: Any, waits: str
) -> Refusal:
    found = parts.checked(details if isinstance(details, list) else [])
    older = parts.legacy(errors if isinstance(errors, list) else [])
    info = next((each for each in found if isinstance(each, parts.ErrorInfo)), parts.ErrorInfo())
    said = {key: value for key, value in info.metadata.items() if isinstance(value, str)}
    violations = tuple(
        violation
        for each in found
        if isinstance(each, parts.PreconditionFailure)
        for violation in each.violations
    )
    return Refusal(
        status=status,
        message=message,
        code=code,
        reason=info.reason,
        domain=info.domain,
        legacy=frozenset(each.reason for each in older if each.reason),
        service=_matching(_SERVICE, said.get("service", "")) or _service_in(message),
        consumer=_consumer(said, message),
        permission=_matching(_PERMISSION, said.get("permission", ""))
        or messages.permission(message),
        resource=_resource(said, found, message),
        constraint=_constraint(violations, said, message),
        violations=violations,
        uid=_matching(_NAME, said.get("uid", "")) or _first(_UID, message),
        quotas=tuple(
            violation
            for each in found
            if isinstance(each, parts.QuotaFailure)
            for violation in each.violations
        ),
        metadata=said,
        retry_after=_wait(found, waits),
    )


def _body(error: GoogleAPICallError) -> Mapping[str, Any]:
    """Return the JSON of an answer over HTTP; empty for anything else."""
    if not isinstance(error.response, lazy.requests.Response):
        return {}
    try:
        return _error_in(json_text.loads(error.response.content))
    except ValueError:
        return {}


def _error_in(body: Any) -> Mapping[str, Any]:
    if isinstance(body, str):
        try:
            body = json_text.loads(body)
        except ValueError:
            return {}
    if isinstance(body, list) and body:  # the answer of a stream
        body = body[0]
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _consumer(said: Mapping[str, str], message: str) -> str:
    """Return the project that a call counts against; its id where number and id are told."""
    named = _project_name(said.get("consumer", "") or said.get("project", ""))
    contained = _project_name(said.get("containerInfo", ""))
    if named.isdigit() and not contained.isdigit():
        named = contained or named
    return named or messages.consumer(message)


def _project_name(text: str) -> str:
    """Return the name of a project; a consumer may be an API key as well."""
    name = _matching(_NAME, text.removeprefix("projects/").strip("[]"))
    return "" if name.startswith("api_key") else name


def _service_in(message: str) -> str:
    api = messages.disabled_api(message)
    if "." in api:
        return api
    return messages.quota_project_api(message) or _first(_OF_SERVICE, message)


def _resource(said: Mapping[str, str], found: Iterable[parts.Detail], message: str) -> str:
    named = (each.resource_name for each in found if isinstance(each, parts.ResourceInfo))
    return said.get("resource") or next(filter(None, named), "") or _first(_RESOURCE, message)


def _constraint(
    violations: Iterable[parts.Violation], said: Mapping[str, str], message: str
) -> str:
    places = (
        *(each.type for each in violations),
        said.get("customConstraints", ""),
        said.get("constraint", ""),
        message,
    )
    return next(filter(None, (_first(_CONSTRAINT, place) for place in places)), "")


def _wait(found: Iterable[parts.Detail], header: str) -> float | None:
    delays = [each.retry_delay for each in found if isinstance(each, parts.RetryInfo)]
    for delay in delays:
        if told := _DELAY.fullmatch(delay):
            return float(told[1])
    return retry_after({"retry-after": header})


def _matching(pattern: re.Pattern[str], text: str) -> str:
    return text if pattern.fullmatch(text) else ""


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
