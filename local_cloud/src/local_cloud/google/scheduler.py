"""Cloud Scheduler v1: jobs that send an HTTP request at their time.

Texts of refusals: hashicorp/terraform-provider-google#7001 and #12069 (permissions; a region that
has no Cloud Scheduler answers the same), googleapis/nodejs-tasks#509.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from google.cloud import scheduler_v1
from google.cloud.location import locations_pb2
from google.protobuf import empty_pb2, field_mask_pb2

from local_cloud.access import Denied
from local_cloud.errors import ApiError
from local_cloud.google import cron
from local_cloud.google.gapic import as_message
from local_cloud.google.permissions import by_name
from local_cloud.google.records import Records, copied, page_of
from local_cloud.google.regions import REGIONS
from local_cloud.google.scheduler_times import Times

if TYPE_CHECKING:
    from local_cloud.access import Access
    from local_cloud.faults import Faults
    from local_cloud.google.scheduler_calls import Calls
    from local_cloud.issuer import Caller
    from local_cloud.store import Store

API = "cloudscheduler.googleapis.com"
rule = by_name("cloudscheduler", ResumeJob="jobs.enable")
DENIAL = (
    'The principal (user or service account) lacks IAM permission "{permission}" for the resource '
    '"{resource}" (or the resource may not exist).'
)

# Any: the members are numbers to the type checker.
_State: Any = scheduler_v1.Job.State
_Method: Any = scheduler_v1.HttpMethod
_WITH_BODY = {_Method.POST, _Method.PUT, _Method.PATCH}
# Source of the bounds: google-cloud-scheduler 2.21.0, docstrings of Job and RetryConfig.
_MOST_RETRIES = 5
_DEADLINES = (timedelta(seconds=15), timedelta(minutes=30))
_DEFAULT_DEADLINE = timedelta(minutes=3)
_FIRST_WAIT = timedelta(seconds=5)
_LONGEST_WAIT = timedelta(hours=1)
_OUTPUT_ONLY = ("user_update_time", "state", "status", "schedule_time", "last_attempt_time")


class CloudScheduler:
    """Answers CloudSchedulerClient, and sends what is due.

    Parameters
    ----------
    store
        Holds the jobs (kind ``scheduler-job``).
    access
        Decides whom a job may act as.
    faults
        Says which regions have no Cloud Scheduler, and how far its clock is ahead.
    calls
        Sends the requests.

    """

    def __init__(self, store: Store, access: Access, faults: Faults, calls: Calls) -> None:
        self._store = store
        self._access = access
        self._faults = faults
        self._jobs = Records(store, "scheduler-job", scheduler_v1.Job)
        self.times = Times(store, self._jobs, faults, calls)

    def get_location(self, request: Any, caller: Caller) -> locations_pb2.Location:  # noqa: ARG002 - a handler
        """Return a region that has Cloud Scheduler."""
        name = self._access.canonical(request.name)
        region = name.rsplit("/", 1)[1]
        if region in self._faults.regions_without_scheduler or region not in REGIONS:
            raise ApiError("NOT_FOUND", f"Location '{region}' was not found.")
        return locations_pb2.Location(name=name, location_id=region)

    def list_jobs(self, request: Any, caller: Caller) -> scheduler_v1.ListJobsResponse:  # noqa: ARG002 - a handler
        """Return the jobs of a region."""
        found = self._jobs.list(f"{self._access.canonical(request.parent)}/jobs/")
        page, token = page_of(found, request, default=500, most=500)
        return scheduler_v1.ListJobsResponse(jobs=page, next_page_token=token)

    def get_job(self, request: Any, caller: Caller) -> scheduler_v1.Job:  # noqa: ARG002 - a handler
        """Return one job."""
        return self._get(request.name)

    def create_job(self, request: Any, caller: Caller) -> scheduler_v1.Job:
        """Make a job; it runs when its time comes next."""
        parent = self._access.canonical(request.parent)
        region = parent.rsplit("/", 1)[1]
        if region in self._faults.regions_without_scheduler or region not in REGIONS:
            raise Denied(caller, "cloudscheduler.jobs.create", parent, DENIAL)
        made: scheduler_v1.Job = copied(request.job)
        made.name = self._access.canonical(made.name)
        if not re.fullmatch(rf"{re.escape(parent)}/jobs/[\w-]{{1,500}}", made.name, re.ASCII):
            raise ApiError(
                "INVALID_ARGUMENT",
                "Job name must be formatted: "
                '"projects/<PROJECT_ID>/locations/<LOCATION_ID>/jobs/<JOB_ID>".',
            )
        self._complete(made, caller)
        with self._store.transaction():
            if self._jobs.get(made.name):
                raise ApiError("ALREADY_EXISTS", f"Job {made.name} already exists.")
            return self._keep(made)

    def update_job(self, request: Any, caller: Caller) -> scheduler_v1.Job:
        """Change the fields that the mask names; all of them without one."""
        asked: scheduler_v1.Job = copied(request.job)
        asked.name = self._access.canonical(asked.name)
        with self._store.transaction():
            changed = self._get(asked.name)
            if request.update_mask.paths:
                mask = field_mask_pb2.FieldMask(paths=list(request.update_mask.paths))
                try:
                    mask.MergeMessage(
                        as_message(asked), as_message(changed), replace_message_field=True
                    )
                except ValueError as error:
                    raise ApiError("INVALID_ARGUMENT", f"update_mask: {error}") from error
            else:
                state, changed = changed.state, asked
                changed.state = state
            self._complete(changed, caller)
            return self._keep(changed)

    def delete_job(self, request: Any, caller: Caller) -> empty_pb2.Empty:  # noqa: ARG002 - a handler
        """Delete a job."""
        with self._store.transaction():
            self._jobs.delete(self._get(request.name).name)
        return empty_pb2.Empty()

    def pause_job(self, request: Any, caller: Caller) -> scheduler_v1.Job:  # noqa: ARG002 - a handler
        """Have a job not run until it is resumed."""
        return self._switch(request.name, _State.ENABLED, _State.PAUSED, "PauseJob")

    def resume_job(self, request: Any, caller: Caller) -> scheduler_v1.Job:  # noqa: ARG002 - a handler
        """Have a paused job run again, when its time comes next."""
        return self._switch(request.name, _State.PAUSED, _State.ENABLED, "ResumeJob")

    def run_job(self, request: Any, caller: Caller) -> scheduler_v1.Job:  # noqa: ARG002 - a handler
        """Run a job now, whatever its schedule says."""
        job = self._get(request.name)
        self.times.begin(job.name)
        return job

    # -- inside ----------------------------------------------------------------------------------

    def _get(self, name: str) -> scheduler_v1.Job:
        found = self._jobs.get(self._access.canonical(name))
        if found is None:
            raise ApiError("NOT_FOUND", "Job not found.")
        return found

    def _keep(self, job: scheduler_v1.Job) -> scheduler_v1.Job:
        job.user_update_time = self.times.now()
        self._jobs.put(job.name, job)
        self.times.look()
        return job

    def _switch(self, name: str, before: Any, after: Any, verb: str) -> scheduler_v1.Job:
        with self._store.transaction():
            job = self._get(name)
            if job.state != before:
                raise ApiError(
                    "FAILED_PRECONDITION", f"Job.state must be {before.name} for {verb}."
                )
            job.state = after
            self.times.plan(job)
            return self._keep(job)

    def _complete(self, job: scheduler_v1.Job, caller: Caller) -> None:
        """Check a job, and fill in what it leaves out."""
        state = job.state or _State.ENABLED
        for field in _OUTPUT_ONLY:
            as_message(job).ClearField(field)
        job.state = state
        if "http_target" not in job:
            raise ApiError("UNIMPLEMENTED", "Only HTTP targets are served here.")
        self._check_target(job, caller)
        retry = job.retry_config
        if not 0 <= retry.retry_count <= _MOST_RETRIES:
            raise ApiError("INVALID_ARGUMENT", "RetryConfig.retry_count must be in [0, 5].")
        retry.min_backoff_duration = retry.min_backoff_duration or _FIRST_WAIT
        retry.max_backoff_duration = retry.max_backoff_duration or _LONGEST_WAIT
        retry.max_doublings = retry.max_doublings or _MOST_RETRIES
        job.attempt_deadline = job.attempt_deadline or _DEFAULT_DEADLINE
        if not _DEADLINES[0] <= job.attempt_deadline <= _DEADLINES[1]:
            raise ApiError(
                "INVALID_ARGUMENT", "Job.attempt_deadline must be between 15s and 1800s."
            )
        job.time_zone = job.time_zone or "UTC"
        try:
            cron.read(job.schedule, job.time_zone)
        except ValueError as error:
            raise ApiError("INVALID_ARGUMENT", "Schedule or time zone is invalid.") from error
        self.times.plan(job)

    def _check_target(self, job: scheduler_v1.Job, caller: Caller) -> None:
        target = job.http_target
        target.http_method = target.http_method or _Method.POST
        if not re.match(r"https?://[^/\s]+", target.uri):
            raise ApiError("INVALID_ARGUMENT", "HttpTarget.uri must be a valid URL.")
        if target.body and target.http_method not in _WITH_BODY:
            raise ApiError(
                "INVALID_ARGUMENT",
                "HttpTarget.body is allowed only for the methods POST, PUT and PATCH.",
            )
        token = target.oauth_token or target.oidc_token
        email = token.service_account_email
        if not email:
            return
        project = job.name.split("/")[1]
        resource = f"projects/{project}/serviceAccounts/{email}"
        permission = "iam.serviceAccounts.actAs"
        known = self._access.account(email)
        if known is None or not self._access.granted(caller, [permission], resource):
            raise Denied(caller, permission, email, DENIAL)
