"""Cloud Scheduler: jobs that stop a service at their time."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import google_apis, pausing
from llm_widgets.errors import AlreadyExistsError, NotFoundError
from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.client.failures import explained

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from llm_widgets.gcp.client.clients import Clients

_STOPPED = {"scaling": {"scalingMode": pausing.MANUAL, "manualInstanceCount": 0}}
_DEADLINE = timedelta(minutes=1)
"""Of one attempt: Cloud Run answers within seconds, and goes on by itself."""

_RETRIES = 5  # the most that Cloud Scheduler takes
_FIRST_WAIT = timedelta(seconds=30)


def job_of(service: str) -> str:
    """Return the resource name of the job that pauses a service, given the service's."""
    region, _, short = service.partition("/services/")
    return f"{region}/jobs/llm-manager-pause-{short}"


def put(clients: Clients, service: str, schedule: str, account: str) -> None:
    """Have a service stopped by an account; a job that is there already is changed.

    Nothing but its scaling is sent: what others change until then stays.

    Parameters
    ----------
    service
        Its resource name.
    schedule
        In the notation of cron, in UTC.
    account
        Address of the service account that the job acts as.

    Raises
    ------
    ManagerError
        The job may not be made, or Cloud Scheduler is not there.
    """
    name = job_of(service)
    job = lazy.scheduler_v1.Job(
        name=name,
        description="Pauses a service of LLM Manager once. Delete it when it has run.",
        schedule=schedule,
        time_zone="Etc/UTC",
        attempt_deadline=_DEADLINE,
        retry_config={"retry_count": _RETRIES, "min_backoff_duration": _FIRST_WAIT},
        http_target={
            "uri": f"https://{google_apis.RUN}/v2/{service}?updateMask=scaling",
            "http_method": lazy.scheduler_v1.HttpMethod.PATCH,
            "headers": {"Content-Type": "application/json"},
            "body": json.dumps(_STOPPED).encode(),
            "oauth_token": {"service_account_email": account},
        },
    )
    try:
        with _explained(clients, service, "schedule the pause of", "create"):
            clients.scheduler.create_job(parent=name.partition("/jobs/")[0], job=job)
    except AlreadyExistsError:
        with _explained(clients, service, "schedule the pause of", "update"):
            clients.scheduler.update_job(job=job)


def delete(clients: Clients, service: str) -> None:
    """Delete the job of a service; that it is gone already is well.

    Raises
    ------
    ManagerError
        It may not be deleted.
    """
    request: Any = {"name": job_of(service)}
    try:
        with _explained(clients, service, "take back the scheduled pause of", "delete"):
            clients.scheduler.delete_job(request)
    except NotFoundError:
        return


def is_in(clients: Clients, project: str, region: str) -> bool:
    """Return whether Cloud Scheduler is in a region.

    Raises
    ------
    ManagerError
        It is not to be told.
    """
    request: Any = {"name": f"projects/{project}/locations/{region}"}
    try:
        with explained(
            f"look whether Cloud Scheduler is in {region}",
            clients=clients,
            project=project,
            permission="cloudscheduler.locations.get",
        ):
            clients.scheduler.get_location(request)
    except NotFoundError:
        return False
    return True


def _explained(
    clients: Clients, service: str, doing: str, verb: str
) -> AbstractContextManager[None]:
    _, project, _, _, _, short = service.split("/")
    return explained(
        f"{doing} {short}",
        clients=clients,
        project=project,
        permission=f"cloudscheduler.jobs.{verb}",
    )
