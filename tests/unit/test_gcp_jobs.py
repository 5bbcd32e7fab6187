from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from google.cloud import run_v2

from llm_widgets.gcp.run.jobs import ExecutionState, status

State = run_v2.Condition.State
END = datetime(2026, 1, 1, tzinfo=UTC)


def execution(state: int | None, **fields: Any) -> run_v2.Execution:
    reason = fields.pop("reason", None)
    condition = {"type_": "Completed", "state": state, "message": "told"}
    if reason:
        condition["execution_reason"] = reason
    return run_v2.Execution({"conditions": [condition] if state else [], **fields})


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (execution(None), ExecutionState.PENDING),
        (execution(State.CONDITION_PENDING), ExecutionState.PENDING),
        (execution(State.CONDITION_RECONCILING, running_count=2), ExecutionState.RUNNING),
        (
            execution(State.CONDITION_SUCCEEDED, succeeded_count=2, completion_time=END),
            ExecutionState.SUCCEEDED,
        ),
        (
            execution(State.CONDITION_FAILED, failed_count=1, completion_time=END),
            ExecutionState.FAILED,
        ),
        (execution(None, completion_time=END), ExecutionState.FAILED),
        (
            execution(
                State.CONDITION_FAILED,
                completion_time=END,
                reason=run_v2.Condition.ExecutionReason.CANCELLED,
            ),
            ExecutionState.CANCELLED,
        ),
        (
            execution(State.CONDITION_FAILED, completion_time=END, cancelled_count=1),
            ExecutionState.CANCELLED,
        ),
    ],
)
def test_state(found: run_v2.Execution, state: ExecutionState) -> None:
    assert status(found).state is state


def test_counts_and_message() -> None:
    found = status(
        execution(State.CONDITION_FAILED, running_count=1, succeeded_count=2, failed_count=3)
    )
    assert (found.message, found.running, found.succeeded, found.failed) == ("told", 1, 2, 3)


def test_only_the_first_two_go_on() -> None:
    going = [state for state in ExecutionState if not state.is_final]
    assert going == [ExecutionState.PENDING, ExecutionState.RUNNING]
