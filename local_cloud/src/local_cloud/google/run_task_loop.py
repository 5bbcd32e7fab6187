"""Runs the tasks of executions: so many at a time, with retries, until done or cancelled."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from google.cloud import run_v2

from local_cloud.google.records import Records
from local_cloud.google.run_conditions import (
    FAILED,
    RECONCILING,
    SUCCEEDED,
    condition,
    now,
)
from local_cloud.google.run_tasks import (
    attempt_result,
    complete,
    completed,
    count,
    exit_message,
    has_failed,
    new_task,
)
from local_cloud.printing import report
from local_cloud.runner.failures import RevisionFailed

if TYPE_CHECKING:
    from local_cloud.google.run_dependencies import Dependencies
    from local_cloud.runner.runner import Runner
    from local_cloud.store import Store

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
        except Exception as error:
            # The store is closed under us when the local cloud stops: nothing to tell then.
            if not self._stopping.is_set():
                report(error)
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
        failed = [t for t in self._tasks.list(f"{execution.name}/tasks/") if has_failed(t)]
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
            task = new_task(execution, name, index)
        elif task.start_time and not task.completion_time:
            # Its process died with the local cloud: that attempt is lost.
            task.last_attempt_result = attempt_result(1, "The container was interrupted.")
            if task.retried < task.max_retries:
                task.retried += 1
            else:
                complete(task, FAILED, "The container was interrupted.", "NON_ZERO_EXIT_CODE")
        self._tasks.put(name, task)
        return task

    def _run_task(self, execution: run_v2.Execution, task: run_v2.Task, loop: _Loop) -> None:
        while not task.completion_time:
            if loop.cancelled.is_set():
                complete(task, FAILED, _CANCELLED, "CANCELLED")
                break
            task.start_time = task.start_time or now()
            task.reconciling = True
            task.conditions = [condition("Completed", RECONCILING), condition("Started", SUCCEEDED)]
            self._change(execution.name, tasks=[task])
            try:
                code = self._runner.run_task(execution, task.index, task.retried, loop.cancelled)
                message = exit_message(code)
            except RevisionFailed as failure:
                # What cannot be started now cannot be started by trying again.
                task.last_attempt_result = attempt_result(1, failure.message)
                complete(task, FAILED, failure.message, failure.reason)
                break
            if loop.cancelled.is_set():
                continue
            task.last_attempt_result = attempt_result(code, message)
            if code == 0:
                complete(task, SUCCEEDED, "", "")
            elif task.retried < task.max_retries:
                task.retried += 1
            else:
                complete(task, FAILED, message, "NON_ZERO_EXIT_CODE")
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
            count(execution, self._tasks.list(f"{execution.name}/tasks/"))
            if not execution.start_time and execution.running_count:
                execution.start_time = now()
                execution.conditions = [
                    completed(execution),
                    condition("ResourcesAvailable", SUCCEEDED),
                    condition("Started", SUCCEEDED),
                ]
            execution.update_time = now()
            self._executions.put(name, execution)

    def _finish(self, name: str, loop: _Loop, failure: str, reason: str) -> None:
        if self._stopping.is_set():
            return
        with self._store.transaction():
            execution = self._executions.get(name)
            if execution is None:
                return
            count(execution, self._tasks.list(f"{execution.name}/tasks/"))
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
