"""A task of an execution: how it begins, how it ends, how tasks are counted."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from google.cloud import run_v2
from google.rpc import status_pb2

from local_cloud.google.run_conditions import FAILED, PENDING, SUCCEEDED, condition, now
from local_cloud.runner.tasks import TIMED_OUT

if TYPE_CHECKING:
    from collections.abc import Iterable


def new_task(execution: run_v2.Execution, name: str, index: int) -> run_v2.Task:
    """Make a task that waits for its first attempt.

    Parameters
    ----------
    name
        Full resource name.
    index
        From 0.
    """
    template = execution.template
    return run_v2.Task(
        name=name,
        uid=str(uuid.uuid4()),
        generation=1,
        create_time=now(),
        scheduled_time=now(),
        job=execution.job,
        execution=execution.name.rsplit("/", 1)[1],
        index=index,
        containers=template.containers,
        volumes=template.volumes,
        max_retries=template.max_retries,
        timeout=template.timeout,
        service_account=template.service_account,
        execution_environment=template.execution_environment,
        conditions=[condition("Completed", PENDING)],
        log_uri=execution.log_uri,
    )


def count(execution: run_v2.Execution, tasks: Iterable[run_v2.Task]) -> None:
    """Write into an execution how many of its tasks are how far."""
    tasks = list(tasks)
    ended = [t for t in tasks if t.completion_time]
    cancelled = [t for t in ended if was_cancelled(t)]
    execution.running_count = sum(bool(t.start_time) and not t.completion_time for t in tasks)
    execution.succeeded_count = sum(completed(t).state == SUCCEEDED for t in ended)
    execution.cancelled_count = len(cancelled)
    execution.failed_count = len(ended) - len(cancelled) - execution.succeeded_count
    execution.retried_count = sum(t.retried for t in tasks)


def completed(resource: run_v2.Execution | run_v2.Task) -> run_v2.Condition:
    """Return the condition that tells how an execution or a task ended, or that it runs."""
    for found in resource.conditions:
        if found.type_ == "Completed":
            return found
    return condition("Completed", PENDING)


def was_cancelled(task: run_v2.Task) -> bool:
    """Return whether a task ended because somebody cancelled its execution."""
    return completed(task).execution_reason == run_v2.Condition.ExecutionReason.CANCELLED


def has_failed(task: run_v2.Task) -> bool:
    """Return whether a task failed by itself."""
    return completed(task).state == FAILED and not was_cancelled(task)


def complete(task: run_v2.Task, state: int, message: str, reason: str) -> None:
    """Let a task end now, in a state and for a reason."""
    task.completion_time = now()
    task.reconciling, task.observed_generation = False, 1
    task.conditions = [
        condition("Completed", state, message, reason),
        *(c for c in task.conditions if c.type_ != "Completed"),
    ]


def exit_message(code: int) -> str:
    """Return what an exit code means; nothing for 0."""
    if code == 0:
        return ""
    if code == TIMED_OUT:
        return "The configured timeout was reached."
    return f"The container exited with an error (exit code {code})."


def attempt_result(code: int, message: str) -> run_v2.TaskAttemptResult:
    """Make the record of an attempt that has ended."""
    # 4 is DEADLINE_EXCEEDED, 2 is UNKNOWN.
    number = 0 if code == 0 else 4 if code == TIMED_OUT else 2
    return run_v2.TaskAttemptResult(
        status=status_pb2.Status(code=number, message=message), exit_code=code
    )
