"""Runs the tasks of executions: so many at a time, with retries, until done or cancelled."""

from __future__ import annotations

import sys
import threading
import traceback
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from google.cloud import run_v2
from google.rpc import status_pb2

from llm_widgets.local.google.records import Records
from llm_widgets.local.google.run_conditions import (
    FAILED,
    PENDING,
    RECONCILING,
    SUCCEEDED,
    condition,
    now,
)
from llm_widgets.local.runner.failures import RevisionFailed

if TYPE_CHECKING:
    from llm_widgets.local.google.run_dependencies import Dependencies
    from llm_widgets.local.runner.runner import Runner
    from llm_widgets.local.store import Store

TIMED_OUT = 124
"""Exit code of a task that took longer than its timeout."""

MAX_AT_ONCE = 8
"""Tasks at a time where the job does not say: this machine is smaller than Google's."""

_CANCELLED = "Execution was cancelled."


@dataclass
class _Loop:
    """An execution under way in this process."""

    cancelled: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)


class TaskLoops:
    """One loop for each execution under way.

    Parameters
    ----------
    store
        Holds executions and tasks.
    dependencies
        Checked before the first task.
    runner
        Runs a task's process.

    """

    def __init__(self, store: Store, dependencies: Dependencies, runner: Runner) -> None:
        self._store = store
        self._executions = Records(store, "run-execution", run_v2.Execution)
        self._tasks = Records(store, "run-task", run_v2.Task)
        self._dependencies = dependencies
        self._runner = runner
        self._loops: dict[str, _Loop] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def start(self, name: str) -> None:
        """Begin with the tasks of an execution, or go on with those that are not done."""
        loop = _Loop()
        with self._lock:
            self._loops[name] = loop
        threading.Thread(target=self._run, args=(name, loop), name="execution", daemon=True).start()

    def cancel(self, name: str) -> None:
        """Ask an execution to end; it is remembered over a crash."""
        with self._store.transaction():
            execution = self._executions.get(name)
            if execution is None or execution.completion_time:
                return
            ending = condition("Completed", RECONCILING, "Cancelling.", "CANCELLING")
            execution.conditions = [ending, *list(execution.conditions)[1:]]
            self._executions.put(name, execution)
        with self._lock:
            loop = self._loops.get(name)
        if loop:
            loop.cancelled.set()

    def wait(self, name: str) -> None:
        """Return when an execution has ended."""
        with self._lock:
            loop = self._loops.get(name)
        if loop:
            loop.done.wait()

    def stop(self) -> None:
        """End the processes of all tasks, and record nothing of it."""
        self._stopping.set()
        with self._lock:
            loops = list(self._loops.values())
        for loop in loops:
            loop.cancelled.set()
        for loop in loops:
            loop.done.wait(timeout=10)

    # -- inside ----------------------------------------------------------------------------------

    def _run(self, name: str, loop: _Loop) -> None:
        try:
            execution = self._executions.get(name)
            if execution:
                self._run_tasks(execution, loop)
        except Exception:
            # The store is closed under us when the local cloud stops: nothing to tell then.
            if not self._stopping.is_set():
                traceback.print_exc(file=sys.stderr)
                raise
        finally:
            with self._lock:
                self._loops.pop(name, None)
            loop.done.set()

    def _run_tasks(self, execution: run_v2.Execution, loop: _Loop) -> None:
        end = completed(execution)
        if end.execution_reason == run_v2.Condition.ExecutionReason.CANCELLING:
            loop.cancelled.set()
        _, project, _, region, *_ = execution.name.split("/")
        try:
            self._dependencies.check(execution.template, project, region)
            self._runner.check(execution.template)
        except RevisionFailed as failure:
            self._finish(execution.name, loop, failure.message, failure.reason)
            return
        tasks = [self._task(execution, index) for index in range(execution.task_count)]
        self._change(execution.name, tasks=tasks)
        at_once = min(execution.parallelism or MAX_AT_ONCE, execution.task_count)
        with ThreadPoolExecutor(at_once, thread_name_prefix="task") as pool:
            list(pool.map(lambda task: self._run_task(execution, task, loop), tasks))
        failed = [t for t in self._tasks.list(f"{execution.name}/tasks/") if _failed(t)]
        message = ""
        if failed:
            first = min(failed, key=lambda t: t.index)
            message = (
                f"Task {first.name.rsplit('/', 1)[1]} failed with message: "
                f"{first.last_attempt_result.status.message}"
            )
        self._finish(execution.name, loop, message, "NON_ZERO_EXIT_CODE")

    def _task(self, execution: run_v2.Execution, index: int) -> run_v2.Task:
        """Return a task: a new one, or as it was when the process ended."""
        short = execution.name.rsplit("/", 1)[1]
        name = f"{execution.name}/tasks/{short}-task{index}"
        task = self._tasks.get(name)
        if task is None:
            template = execution.template
            task = run_v2.Task(
                name=name,
                uid=str(uuid.uuid4()),
                generation=1,
                create_time=now(),
                scheduled_time=now(),
                job=execution.job,
                execution=short,
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
        elif task.start_time and not task.completion_time:
            # Its process died with the local cloud: that attempt is lost.
            task.last_attempt_result = _result(1, "The container was interrupted.")
            if task.retried < task.max_retries:
                task.retried += 1
            else:
                _complete(task, FAILED, "The container was interrupted.", "NON_ZERO_EXIT_CODE")
        self._tasks.put(name, task)
        return task

    def _run_task(self, execution: run_v2.Execution, task: run_v2.Task, loop: _Loop) -> None:
        while not task.completion_time:
            if loop.cancelled.is_set():
                _complete(task, FAILED, _CANCELLED, "CANCELLED")
                break
            task.start_time = task.start_time or now()
            task.reconciling = True
            task.conditions = [condition("Completed", RECONCILING), condition("Started", SUCCEEDED)]
            self._change(execution.name, tasks=[task])
            try:
                code = self._runner.run_task(execution, task.index, task.retried, loop.cancelled)
                message = _exit_message(code)
            except RevisionFailed as failure:
                # What cannot be started now cannot be started by trying again.
                task.last_attempt_result = _result(1, failure.message)
                _complete(task, FAILED, failure.message, failure.reason)
                break
            if loop.cancelled.is_set():
                continue
            task.last_attempt_result = _result(code, message)
            if code == 0:
                _complete(task, SUCCEEDED, "", "")
            elif task.retried < task.max_retries:
                task.retried += 1
            else:
                _complete(task, FAILED, message, "NON_ZERO_EXIT_CODE")
        if not self._stopping.is_set():
            self._change(execution.name, tasks=[task])

    def _change(self, name: str, *, tasks: list[run_v2.Task]) -> None:
        """Write tasks, and the counts of their execution."""
        with self._store.transaction():
            for task in tasks:
                task.update_time = now()
                self._tasks.put(task.name, task)
            execution = self._executions.get(name)
            if execution is None:
                return
            self._count(execution)
            if not execution.start_time and execution.running_count:
                execution.start_time = now()
                execution.conditions = [
                    completed(execution),
                    condition("ResourcesAvailable", SUCCEEDED),
                    condition("Started", SUCCEEDED),
                ]
            execution.update_time = now()
            self._executions.put(name, execution)

    def _count(self, execution: run_v2.Execution) -> None:
        tasks = self._tasks.list(f"{execution.name}/tasks/")
        ended = [t for t in tasks if t.completion_time]
        cancelled = [t for t in ended if _cancelled(t)]
        execution.running_count = sum(bool(t.start_time) and not t.completion_time for t in tasks)
        execution.succeeded_count = sum(completed(t).state == SUCCEEDED for t in ended)
        execution.cancelled_count = len(cancelled)
        execution.failed_count = len(ended) - len(cancelled) - execution.succeeded_count
        execution.retried_count = sum(t.retried for t in tasks)

    def _finish(self, name: str, loop: _Loop, failure: str, reason: str) -> None:
        if self._stopping.is_set():
            return
        with self._store.transaction():
            execution = self._executions.get(name)
            if execution is None:
                return
            self._count(execution)
            execution.completion_time = execution.update_time = now()
            execution.reconciling, execution.observed_generation = False, 1
            if failure:
                end = condition("Completed", FAILED, failure, reason)
            elif loop.cancelled.is_set() and execution.succeeded_count < execution.task_count:
                end = condition("Completed", FAILED, _CANCELLED, "CANCELLED")
            else:
                end = condition("Completed", SUCCEEDED, "Execution completed successfully.")
            execution.conditions = [end, *list(execution.conditions)[1:]]
            self._executions.put(name, execution)


def completed(resource: run_v2.Execution | run_v2.Task) -> run_v2.Condition:
    """Return the condition that tells how an execution or a task ended, or that it runs."""
    for found in resource.conditions:
        if found.type_ == "Completed":
            return found
    return condition("Completed", PENDING)


def _cancelled(task: run_v2.Task) -> bool:
    return completed(task).execution_reason == run_v2.Condition.ExecutionReason.CANCELLED


def _failed(task: run_v2.Task) -> bool:
    return completed(task).state == FAILED and not _cancelled(task)


def _complete(task: run_v2.Task, state: run_v2.Condition.State, message: str, reason: str) -> None:
    task.completion_time = now()
    task.reconciling, task.observed_generation = False, 1
    task.conditions = [
        condition("Completed", state, message, reason),
        *(c for c in task.conditions if c.type_ != "Completed"),
    ]


def _exit_message(code: int) -> str:
    if code == 0:
        return ""
    if code == TIMED_OUT:
        return "The configured timeout was reached."
    return f"The container exited with an error (exit code {code})."


def _result(code: int, message: str) -> run_v2.TaskAttemptResult:
    # 4 is DEADLINE_EXCEEDED, 2 is UNKNOWN.
    number = 0 if code == 0 else 4 if code == TIMED_OUT else 2
    return run_v2.TaskAttemptResult(
        status=status_pb2.Status(code=number, message=message), exit_code=code
    )
