"""Cloud Run Admin v2: jobs, and the start of their executions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.cloud import run_v2

from local_cloud.errors import ApiError
from local_cloud.google.records import copied, page_of
from local_cloud.google.run_base import RunResources, new_etag
from local_cloud.google.run_conditions import (
    FAILED,
    RECONCILING,
    SUCCEEDED,
    condition,
    now,
)
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
    output_only = (
        "uid",
        "generation",
        "create_time",
        "update_time",
        "delete_time",
        "expire_time",
        "creator",
        "last_modifier",
        "observed_generation",
        "terminal_condition",
        "conditions",
        "execution_count",
        "latest_created_execution",
        "reconciling",
        "etag",
    )

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
        parent = self._parent(request.parent)
        found = [self._counted(job) for job in self._records.list(f"{parent}/jobs/")]
        page, token = page_of(found, request)
        return run_v2.ListJobsResponse(jobs=page, next_page_token=token)

    def create_job(self, request: Any, caller: Caller) -> operations_pb2.Operation:
        """Make a job; nothing is run."""
        job = self._new(request.parent, request.job_id, request.job, caller)
        self._prepare(job, caller)
        with self._store.transaction():
            if self._records.get(job.name):
                raise ApiError("ALREADY_EXISTS", f"Resource '{request.job_id}' already exists.")
            return self._begin(job, 0, caller, dry=request.validate_only)

    def update_job(self, request: Any, caller: Caller) -> operations_pb2.Operation:
        """Replace a job's template, labels and annotations."""
        name = self._access.canonical(request.job.name)
        if request.allow_missing and self._records.get(name) is None:
            parent, short = self._may_make_missing(name, caller)
            wanted = copied(request.job)
            wanted.name = ""
            make = run_v2.CreateJobRequest(
                parent=parent, job_id=short, job=wanted, validate_only=request.validate_only
            )
            return self.create_job(make, caller)
        with self._store.transaction():
            old = self._get(name)
            self._check_etag(old, request.job.etag)
            job = copied(request.job)
            self._take_output(job, old)
            job.name = name
            self._prepare(job, caller)
            return self._begin(job, old.generation, caller, dry=request.validate_only)

    def delete_job(self, request: Any, caller: Caller) -> operations_pb2.Operation:
        """Delete a job with its executions; those that run are cancelled."""
        with self._store.transaction():
            job = self._get(request.name)
            self._check_etag(job, request.etag)
            if request.validate_only:
                return self._operations.finished(job)
            job.delete_time, job.last_modifier, job.reconciling = now(), caller.email, True
            self._records.put(job.name, job)
            return self._operations.start("run.jobs.delete", job)

    def run_job(self, request: Any, caller: Caller) -> operations_pb2.Operation:
        """Start an execution."""
        job = self._get(request.name)
        self._check_etag(job, request.etag)
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

    def _prepare(self, job: run_v2.Job, caller: Caller) -> None:
        _, project, _, region, _, _ = job.name.split("/")
        check_job(job, region)
        fill_job(job, self._dependencies.default_account(project))
        task = job.template.template
        self._limits.check(task, project, region, job.template.parallelism or 1)
        self._dependencies.require_act_as(caller, task.service_account, project)

    def _begin(
        self, job: run_v2.Job, generation: int, caller: Caller, *, dry: bool
    ) -> operations_pb2.Operation:
        job.generation, job.update_time, job.last_modifier = generation + 1, now(), caller.email
        job.etag = new_etag()
        job.reconciling = True
        job.terminal_condition = condition("Ready", RECONCILING)
        if dry:
            return self._operations.finished(job)
        self._records.put(job.name, job)
        return self._operations.start("run.jobs.settle", job)

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
