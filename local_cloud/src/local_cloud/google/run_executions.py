"""Cloud Run Admin v2: executions of jobs and their tasks."""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING, Any

from google.cloud import run_v2

from local_cloud.errors import ApiError
from local_cloud.google.records import Records, copied, page_of
from local_cloud.google.run_base import RunOperations, new_etag, not_found
from local_cloud.google.run_conditions import (
    FAILED,
    PENDING,
    RECONCILING,
    condition,
    now,
)
from local_cloud.google.run_names import parse_parent
from local_cloud.google.run_task_loop import TaskLoops
from local_cloud.google.run_tasks import completed

if TYPE_CHECKING:
    from google.longrunning import operations_pb2

    from local_cloud.access import Access
    from local_cloud.google.operations import Operations
    from local_cloud.google.run_dependencies import Dependencies
    from local_cloud.issuer import Caller
    from local_cloud.runner.runner import Runner
    from local_cloud.store import Store

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
# Any: the members are numbers to the type checker.
_Status: Any = run_v2.ExecutionReference.CompletionStatus


class Executions:
    """Answers ExecutionsClient and TasksClient, and runs executions.

    Parameters
    ----------
    store
        Holds executions (kind ``run-execution``) and tasks (kind ``run-task``).
    access
        Knows projects by number.
    operations
        Shows what is under way.
    dependencies
        Says whether a template can be run.
    runner
        Runs the processes of tasks.

    """

    def __init__(
        self,
        store: Store,
        access: Access,
        operations: Operations,
        *,
        dependencies: Dependencies,
        runner: Runner,
    ) -> None:
        self._records = Records(store, "run-execution", run_v2.Execution)
        self._tasks = Records(store, "run-task", run_v2.Task)
        self._access = access
        self._operations = RunOperations(operations)
        self._loops = TaskLoops(store, dependencies, runner)
        operations.define("run.jobs.run", self._completed, self._records.get)
        operations.define("run.executions.cancel", self._cancelled, self._records.get)
        operations.define("run.executions.delete", self._deleted, self._records.get)

    # -- for jobs --------------------------------------------------------------------------------

    def new(
        self, job: run_v2.Job, template: run_v2.ExecutionTemplate, creator: str
    ) -> run_v2.Execution:
        """Return an execution of a job that is not started yet."""
        short = job.name.rsplit("/", 1)[1]
        suffix = "".join(secrets.choice(_LETTERS) for _ in range(5))
        name = f"{job.name}/executions/{short}-{suffix}"
        return run_v2.Execution(
            name=name,
            uid=str(uuid.uuid4()),
            creator=creator,
            generation=1,
            labels=template.labels,
            annotations=template.annotations,
            create_time=now(),
            update_time=now(),
            launch_stage=job.launch_stage,
            job=short,
            parallelism=template.parallelism,
            task_count=template.task_count,
            template=copied(template.template),
            reconciling=True,
            conditions=[
                condition("Completed", RECONCILING, "Waiting for execution to complete."),
                condition("ResourcesAvailable", PENDING),
                condition("Started", PENDING),
            ],
            log_uri=_log_uri(name),
            etag=new_etag(),
        )

    def start(self, execution: run_v2.Execution) -> None:
        """Record an execution and begin with its tasks."""
        self._records.put(execution.name, execution)
        self._loops.start(execution.name)

    def resume(self) -> int:
        """Go on with the executions that ran when the process ended; return how many."""
        running = [e.name for e in self._records.list() if not e.completion_time]
        for name in running:
            self._loops.start(name)
        return len(running)

    def stop(self) -> None:
        """Let go of what runs: the next start goes on with it."""
        self._loops.stop()

    def end(self, name: str) -> None:
        """Cancel an execution if it runs, and wait for its end."""
        self._loops.cancel(name)
        self._loops.wait(name)

    def forget(self, name: str) -> None:
        """Remove an execution and its tasks."""
        for task in self._tasks.list(f"{name}/tasks/"):
            self._tasks.delete(task.name)
        self._records.delete(name)

    def of_job(self, job: str) -> list[run_v2.Execution]:
        """Return the executions of a job, the newest first."""
        found = self._records.list(f"{job}/executions/")
        return sorted(found, key=lambda e: (e.create_time, e.name), reverse=True)

    def reference(self, execution: run_v2.Execution) -> run_v2.ExecutionReference:
        """Return how a job shows its latest execution."""
        made = run_v2.ExecutionReference(
            name=execution.name.rsplit("/", 1)[1],
            create_time=execution.create_time,
            completion_status=_Status.EXECUTION_RUNNING
            if execution.start_time
            else _Status.EXECUTION_PENDING,
        )
        if execution.completion_time:
            made.completion_time = execution.completion_time
            end = completed(execution)
            if end.execution_reason == run_v2.Condition.ExecutionReason.CANCELLED:
                made.completion_status = _Status.EXECUTION_CANCELLED
            elif end.state == FAILED:
                made.completion_status = _Status.EXECUTION_FAILED
            else:
                made.completion_status = _Status.EXECUTION_SUCCEEDED
        return made

    # -- the services ----------------------------------------------------------------------------

    def get_execution(self, request: Any, caller: Caller) -> run_v2.Execution:  # noqa: ARG002 - a handler
        """Return one execution."""
        return self._get(request.name)

    def list_executions(self, request: Any, caller: Caller) -> run_v2.ListExecutionsResponse:  # noqa: ARG002 - a handler
        """Return the executions of a job, or of all jobs (``jobs/-``), the newest first."""
        job = self._access.canonical(request.parent)
        parse_parent(job.partition("/jobs/")[0])
        if job.endswith("/jobs/-"):
            found = self._records.list(job.removesuffix("-"))
            found.sort(key=lambda e: (e.create_time, e.name), reverse=True)
        else:
            found = self.of_job(job)
        page, token = page_of(found, request)
        return run_v2.ListExecutionsResponse(executions=page, next_page_token=token)

    def cancel_execution(self, request: Any, caller: Caller) -> operations_pb2.Operation:  # noqa: ARG002 - a handler
        """End an execution that runs."""
        execution = self._get(request.name)
        if execution.completion_time:
            raise ApiError(
                "FAILED_PRECONDITION",
                f"Execution '{execution.name.rsplit('/', 1)[1]}' has completed and cannot be "
                "cancelled.",
            )
        return self._begin("run.executions.cancel", execution, dry=request.validate_only)

    def delete_execution(self, request: Any, caller: Caller) -> operations_pb2.Operation:  # noqa: ARG002 - a handler
        """Delete an execution; one that runs is cancelled."""
        execution = self._get(request.name)
        return self._begin("run.executions.delete", execution, dry=request.validate_only)

    def get_task(self, request: Any, caller: Caller) -> run_v2.Task:  # noqa: ARG002 - a handler
        """Return one task."""
        task = self._tasks.get(self._access.canonical(request.name))
        if task is None:
            raise not_found("TASK", request.name)
        return task

    def list_tasks(self, request: Any, caller: Caller) -> run_v2.ListTasksResponse:  # noqa: ARG002 - a handler
        """Return the tasks of an execution."""
        found = self._tasks.list(f"{self._get(request.parent).name}/tasks/")
        page, token = page_of(sorted(found, key=lambda t: t.index), request)
        return run_v2.ListTasksResponse(tasks=page, next_page_token=token)

    # -- inside ----------------------------------------------------------------------------------

    def _get(self, asked: str) -> run_v2.Execution:
        execution = self._records.get(self._access.canonical(asked))
        if execution is None:
            raise not_found("EXECUTION", asked)
        return execution

    def _begin(
        self, kind: str, execution: run_v2.Execution, *, dry: bool
    ) -> operations_pb2.Operation:
        if dry:
            return self._operations.finished(execution)
        self._loops.cancel(execution.name)
        return self._operations.start(kind, execution)

    def _completed(self, name: str) -> run_v2.Execution:
        """Wait for the end of an execution, and say how it ended."""
        self._loops.wait(name)
        execution = self._get(name)
        end = completed(execution)
        if end.execution_reason == run_v2.Condition.ExecutionReason.CANCELLED:
            raise ApiError("CANCELLED", end.message)
        if end.state == FAILED:
            raise ApiError("FAILED_PRECONDITION", end.message)
        return execution

    def _cancelled(self, name: str) -> run_v2.Execution:
        self.end(name)
        return self._get(name)

    def _deleted(self, name: str) -> run_v2.Execution:
        self.end(name)
        execution = self._get(name)
        execution.delete_time = now()
        self.forget(name)
        return execution


def _log_uri(name: str) -> str:
    _, project, _, region, _, job, _, execution = name.split("/")
    return (
        f"https://console.cloud.google.com/logs/viewer?project={project}&resource=cloud_run_job"
        f"/job_name/{job}/location/{region}"
        f"&advancedFilter=labels.%22run.googleapis.com%2Fexecution_name%22%3D%22{execution}%22"
    )
