"""Conditions of Cloud Run resources."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from google.cloud import run_v2

# Any: the members are numbers to the type checker.
_Severity: Any = run_v2.Condition.Severity
ERROR = _Severity.ERROR
INFO = _Severity.INFO
State = run_v2.Condition.State
PENDING = State.CONDITION_PENDING
RECONCILING = State.CONDITION_RECONCILING
SUCCEEDED = State.CONDITION_SUCCEEDED
FAILED = State.CONDITION_FAILED


def now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


def condition(kind: str, state: Any, message: str = "", reason: str = "") -> run_v2.Condition:
    """Return a condition that has just come about.

    Parameters
    ----------
    kind
        ``Ready``, ``RoutesReady``, ``Completed``, …
    state
        A ``Condition.State``.
    message
        For a person.
    reason
        Name of a common, revision or execution reason; empty for none.

    """
    made = run_v2.Condition(type_=kind, state=state, message=message, last_transition_time=now())
    if state == FAILED:
        made.severity = ERROR
    kinds: tuple[tuple[str, Any], ...] = (
        ("revision_reason", run_v2.Condition.RevisionReason),
        ("reason", run_v2.Condition.CommonReason),
        ("execution_reason", run_v2.Condition.ExecutionReason),
    )
    for field, reasons in kinds:
        if reason in reasons.__members__:
            setattr(made, field, reasons[reason])
            break
    return made
