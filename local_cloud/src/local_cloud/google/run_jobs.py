"""Cloud Run Admin v2: jobs, and the start of their executions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.cloud import run_v2

from local_cloud.errors import ApiError
from local_cloud.google.run_base import RunResources, check_etag, mark_changed
from local_cloud.google.run_conditions import FAILED, SUCCEEDED, condition
from local_cloud.google.run_overrides import overridden
from local_cloud.google.run_templates import check_job, fill_job
from local_cloud.runner.failures import RevisionFailed

if TYPE_CHECKING:
    from google.longrunning import operations_pb2

    from local_cloud.access import Access
    from local_cloud.google.operations import Operations
    from local_cloud.google.run_dependencies import Dependencies
    from local_cloud.google.run_executions import Executions
    from local_cloud.google.run_quotas import Limits
    from local_cloud.issuer import Caller
    from local_cloud.runner.runner import Runner
    from local_cloud.store import Store


class Jobs(RunResources[run_v2.Job]):
    """Answers JobsClient.

    Parameters
    ----------
    store
        Holds the jobs (kind ``run-job``).
    access
        Keeps their policies.
    operations
        Shows what is under way.
    executions
        Runs them.
    dependencies, limits
        Say whether a template can be run.
    runner
        Knows the images.

    """

    kind = "job"
    longest_id = 63
    outputs = ("execution_count", "latest_created_execution")

    def __init__(
        self,
        store: Store,
        access: Access,
        operations: Operations,
        *,
        executions: Executions,
        dependencies: Dependencies,
        limits: Limits,
        runner: Runner,
    ) -> None:
        super().__init__(store, access, operations, run_v2.Job)
        self._executions = executions
        self._dependencies = dependencies
        self._limits = limits
        self._runner = runner
        operations.define("run.jobs.settle", self._settle, self._records.get)
        operations.define("run.jobs.delete", self._delete, self._records.get)

    def get_job(self, request: Any, caller: Caller) -> run_v2.Job:  # noqa: ARG002 - a handler
        """Return one job."""
        return self._get(request.name)

    def list_jobs(self, request: Any, caller: Caller) -> run_v2.ListJobsResponse:  # noqa: ARG002 - a handler
        """Return the jobs of a region."""
        page, token = self._page(request)
        jobs = [self._counted(job) for job in page]
        return run_v2.ListJobsResponse(jobs=jobs, next_page_token=token)

    def create_job(self, request: Any, caller: Caller) -> operations_pb2.Operation:
        """Make a job; nothing is run."""
        return self._create(request, caller)

    def update_job(self, request: Any, caller: Caller) -> operations_pb2.Operation:
        """Replace a job's template, labels and annotations."""
        return self._update(request, caller)

    def delete_job(self, request: Any, caller: Caller) -> operations_pb2.Operation:
        """Delete a job with its executions; those that run are cancelled."""
        return self._delete_later(request, caller)

    def run_job(self, request: Any, caller: Caller) -> operations_pb2.Operation:
        """Start an execution."""
        job = self._get(request.name)
        check_etag(job, request.etag)
        if job.delete_time:
            raise ApiError("FAILED_PRECONDITION", f"Job '{job.name}' is being deleted.")
        template = job.template
        if "overrides" in request:
            self._access.require(caller, "run.jobs.runWithOverrides", job.name)
            template = overridden(job.template, request.overrides)
        execution = self._executions.new(job, template, caller.email)
        if request.validate_only:
            return self._operations.finished(execution)
        with self._store.transaction():
            self._executions.start(execution)
            job = self._get(request.name)
            job.latest_created_execution = self._executions.reference(execution)
            self._records.put(job.name, job)
            return self._operations.start("run.jobs.run", execution)

    # -- inside ----------------------------------------------------------------------------------

    def _get(self, asked: str) -> run_v2.Job:
        return self._counted(super()._get(asked))

    def _counted(self, job: run_v2.Job) -> run_v2.Job:
        """Return a job with what its executions say about themselves now."""
        executions = self._executions.of_job(job.name)
        job.execution_count = len(executions)
        if executions:
            job.latest_created_execution = self._executions.reference(executions[0])
        return job

    def _prepare(self, wanted: run_v2.Job, caller: Caller) -> None:
        _, project, _, region, _, _ = wanted.name.split("/")
        check_job(wanted, region)
        fill_job(wanted, self._dependencies.default_account(project))
        task = wanted.template.template
        self._limits.check(task, project, region, wanted.template.parallelism or 1)
        self._dependencies.require_act_as(caller, task.service_account, project)

    def _begin(
        self, wanted: run_v2.Job, old: run_v2.Job | None, caller: Caller, *, dry: bool
    ) -> operations_pb2.Operation:
        mark_changed(wanted, old, caller)
        if dry:
            return self._operations.finished(wanted)
        self._records.put(wanted.name, wanted)
        return self._operations.start("run.jobs.settle", wanted)

    def _settle(self, name: str) -> run_v2.Job:
        """Look whether a job can be run at all, and say so in its condition."""
        job = self._records.get(name)
        if job is None:
            raise ApiError("NOT_FOUND", f"'{name}' was deleted.")
        failure = None
        try:
            self._runner.check(job.template.template)
        except RevisionFailed as error:
            failure = error
        with self._store.transaction():
            job = self._records.get(name) or job
            job.reconciling, job.observed_generation = False, job.generation
            job.terminal_condition = (
                condition("Ready", FAILED, failure.message, failure.reason)
                if failure
                else condition("Ready", SUCCEEDED)
            )
            self._records.put(name, job)
        if failure:
            raise ApiError("FAILED_PRECONDITION", failure.message)
        return job

    def _delete(self, name: str) -> run_v2.Job:
        job = self._records.get(name)
        if job is None:  # taken up after a crash at the very end
            raise ApiError("NOT_FOUND", f"'{name}' is deleted already.")
        for execution in self._executions.of_job(name):
            self._executions.end(execution.name)
            self._executions.forget(execution.name)
        with self._store.transaction():
            self._records.delete(name)
            self._access.delete_policy(name)
        job.reconciling = False
        return job
