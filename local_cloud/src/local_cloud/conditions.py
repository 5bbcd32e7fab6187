"""Conditions of IAM bindings, judged as expressions of the Common Expression Language."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import cel

from local_cloud.errors import ApiError

_STORAGE = "storage.googleapis.com"
_WORDS_OF_A_BUCKET = 4  # projects/_/buckets/B


def holds(binding: dict[str, Any], resource: str) -> bool:
    """Return whether a binding counts for a resource now; one without a condition does.

    What can't be evaluated grants nothing, as at Google.
    """
    condition = binding.get("condition")
    if not condition:
        return True
    try:
        return cel.evaluate(condition.get("expression", ""), _attributes(resource)) is True
    except (LookupError, RuntimeError, TypeError, ValueError):
        return False


def check(binding: dict[str, Any]) -> None:
    """Raise `ApiError` for a binding whose condition is no expression."""
    condition = binding.get("condition")
    if not condition:
        return
    try:
        cel.compile(condition.get("expression", ""))
    except (RuntimeError, ValueError) as error:
        raise ApiError(
            "INVALID_ARGUMENT", f"Condition expression compilation failed. {error}"
        ) from error


def _attributes(resource: str) -> cel.Context:
    words = resource.split("/")
    attributes = {"name": resource, "type": "", "service": ""}
    if words[:3] == ["projects", "_", "buckets"]:
        kind = "Object" if len(words) > _WORDS_OF_A_BUCKET else "Bucket"
        attributes |= {"type": f"{_STORAGE}/{kind}", "service": _STORAGE}
    context = cel.Context()
    context.add_variable("resource", attributes)
    context.add_variable("request", {"time": datetime.now(UTC)})
    return context
