"""The details of a refusal as ``google.rpc`` defines them, of which only checked values are read.

Reference: ``google/rpc/error_details.proto``, and https://google.aip.dev/193.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from llm_widgets.gcp.client import lazy

if TYPE_CHECKING:
    from collections.abc import Iterable

_TYPE = "type.googleapis.com/google.rpc."


class _Detail(msgspec.Struct, tag_field="@type", rename="camel"):
    """What all details have in common: their type is told by ``@type``."""


class ErrorInfo(_Detail, tag=f"{_TYPE}ErrorInfo"):
    """Why, in words for programs."""

    reason: str = ""
    domain: str = ""
    metadata: dict[str, Any] = {}


class Violation(msgspec.Struct, frozen=True):
    """A precondition that does not hold: for example a constraint of the organization."""

    type: str = ""
    subject: str = ""
    description: str = ""


class PreconditionFailure(_Detail, tag=f"{_TYPE}PreconditionFailure"):
    """Preconditions that do not hold."""

    violations: list[Violation] = []


class QuotaViolation(msgspec.Struct, rename="camel", frozen=True):
    """A quota that does not allow it; newer answers name metric, id and value."""

    subject: str = ""
    description: str = ""
    quota_metric: str = ""
    quota_id: str = ""
    quota_value: int | str = ""


class QuotaFailure(_Detail, tag=f"{_TYPE}QuotaFailure"):
    """Quotas that do not allow it."""

    violations: list[QuotaViolation] = []


class ResourceInfo(_Detail, tag=f"{_TYPE}ResourceInfo"):
    """What was accessed."""

    resource_name: str = ""
    description: str = ""


class RetryInfo(_Detail, tag=f"{_TYPE}RetryInfo"):
    """How long to wait, for example ``"30s"``."""

    retry_delay: str = ""


class Legacy(msgspec.Struct, frozen=True):
    """An entry of ``errors``, the older form of details."""

    reason: str = ""
    domain: str = ""
    message: str = ""


Detail = ErrorInfo | PreconditionFailure | QuotaFailure | ResourceInfo | RetryInfo


def checked(details: Iterable[Any]) -> tuple[Detail, ...]:
    """Return the details that are known and well formed, from JSON or from messages of gRPC."""
    found = (_converted(_as_json(detail), Detail) for detail in details)
    return tuple(detail for detail in found if detail is not None)


def legacy(errors: Iterable[Any]) -> tuple[Legacy, ...]:
    """Return the well-formed entries of ``errors``."""
    found = (_converted(entry, Legacy) for entry in errors)
    return tuple(entry for entry in found if entry is not None)


def _converted(value: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return None


def _as_json(detail: Any) -> Any:
    """Return a detail as its JSON form; messages of gRPC come bare or packed into an ``Any``."""
    if not isinstance(detail, lazy.protobuf_message.Message):
        return detail
    # Packed messages are found by their type, once the module that has it is imported.
    known = lazy.error_details.DESCRIPTOR.message_types_by_name
    try:
        fields: dict[str, Any] = lazy.json_format.MessageToDict(detail)
    except (TypeError, ValueError):  # of a type that is not known
        return None
    name = detail.DESCRIPTOR.name
    return {"@type": f"{_TYPE}{name}", **fields} if name in known else fields
