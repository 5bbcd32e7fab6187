"""Values of the switches for faults, checked before they are taken."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from local_cloud.organization import CONSTRAINTS

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS = ("grant_seconds", "account_seconds", "schedule_ahead")
_NAMES = (
    "denied_permissions",
    "disabled_apis",
    "billing_disabled",
    "without_organization",
    "quota_project_apis",
    "regions_without_scheduler",
    "holds",
)


def check(changes: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    """Check switches, by their names.

    Parameters
    ----------
    changes
        What is to be set.
    defaults
        All switches there are.

    Raises
    ------
    ValueError
        A switch that does not exist, or a value that it cannot take; one sentence.

    """
    for name, value in changes.items():
        if name not in defaults:
            known = ", ".join(defaults)
            raise ValueError(f"There is no switch {name!r}; the switches are: {known}.")
        _check_shape(name, value, defaults[name])
    for pattern in (*changes.get("delays", {}), *changes.get("holds", [])):
        _check_pattern(pattern)
    for pattern, seconds in changes.get("delays", {}).items():
        if not _is_amount(seconds):
            raise ValueError(f"The delay of {pattern!r} must be a number of seconds.")
    for metric, most in changes.get("rates", {}).items():
        if not _is_amount(most):
            raise ValueError(f"The rate {metric!r} must be a number of calls a minute.")
    _check_constraints(changes.get("organization_policies", {}))
    _check_failures(changes.get("failures", []))


def _check_shape(name: str, value: Any, default: Any) -> None:
    if name == "bandwidth":
        if value is not None and not (_is_amount(value) and value >= 1):
            raise ValueError("'bandwidth' is a number of bytes per second, or null.")
    elif name in _SECONDS:
        if not _is_amount(value):
            raise ValueError(f"{name!r} must be a number of seconds.")
    elif not isinstance(value, type(default)):
        shape = {bool: "true or false", list: "a list"}.get(type(default), "an object")
        raise ValueError(f"{name!r} must be {shape}.")
    elif name in _NAMES and not all(isinstance(each, str) for each in value):
        raise ValueError(f"{name!r} must be a list of texts.")


def _check_constraints(policies: Mapping[str, Any]) -> None:
    for constraint, allowed in policies.items():
        if constraint not in CONSTRAINTS or not isinstance(allowed, list):
            known = ", ".join(CONSTRAINTS)
            raise ValueError(
                f"{constraint!r} must be one of {known}, with a list of what it allows."
            )


def _check_failures(failures: list[Any]) -> None:
    for failure in failures:
        match = failure.get("match") if isinstance(failure, dict) else None
        if match is None:
            raise ValueError("Each failure needs 'match', a regular expression.")
        _check_pattern(match)


def _check_pattern(pattern: Any) -> None:
    try:
        re.compile(pattern)
    except (re.error, TypeError) as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}.") from error


def _is_amount(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
