"""Cloud Scheduler through the official client: jobs that call Cloud Run at their time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from google.api_core import exceptions
from google.cloud import iam_admin_v1, run_v2, scheduler_v1
from google.iam.v1 import policy_pb2
from google.protobuf import duration_pb2

from local_cloud.testing.waiting import until
from tests.contract.control_plane import PARENT, PROJECT, SOON, ControlPlane, control_plane, service

if TYPE_CHECKING:
    from collections.abc import Iterator

Mode: Any = run_v2.ServiceScaling.ScalingMode
Method: Any = scheduler_v1.HttpMethod
NAME = f"{PARENT}/services/rests"
JOB = f"{PARENT}/jobs/pauses"
PAUSER = "pauser@local-project.iam.gserviceaccount.com"
STOPPED = {"scaling": {"scalingMode": "MANUAL", "manualInstanceCount": 0}}
HOUR = 3600
DENIED = 7  # google.rpc.Code


@pytest.fixture(scope="module")
def module_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    yield from control_plane(tmp_path_factory.mktemp("plane"))


@pytest.fixture
def plane(module_plane: ControlPlane) -> Iterator[ControlPlane]:
    yield module_plane
    module_plane.cloud.faults.reset()
    scheduler = module_plane.rest(scheduler_v1.CloudSchedulerClient)
    for each in scheduler.list_jobs(parent=PARENT):
        scheduler.delete_job(name=each.name)


@pytest.fixture(params=["rest", "grpc"])
def client(request: pytest.FixtureRequest, plane: ControlPlane) -> Any:
    return plane.client(request.param, scheduler_v1.CloudSchedulerClient)


@pytest.fixture
def scheduler(plane: ControlPlane, pauser: str) -> Any:  # noqa: ARG001 - there before a job is
    return plane.rest(scheduler_v1.CloudSchedulerClient)


@pytest.fixture(scope="module")
def pauser(module_plane: ControlPlane) -> str:
    """Make the account of jobs: it may act as that of services, and so far change none."""
    accounts = module_plane.grpc(iam_admin_v1.IAMClient)
    accounts.create_service_account({"name": PROJECT, "account_id": "pauser"})
    services = {"resource": f"{PROJECT}/serviceAccounts/{_runs_as(module_plane)}"}
    accounts.set_iam_policy({**services, "policy": _policy("roles/iam.serviceAccountUser")})
    return PAUSER


@pytest.fixture(scope="module")
def services(module_plane: ControlPlane, pauser: str) -> Any:  # noqa: ARG001 - as above
    found = module_plane.rest(run_v2.ServicesClient)
    made = found.create_service(parent=PARENT, service_id="rests", service=service())
    made.result(timeout=60, polling=SOON)
    return found


def _runs_as(plane: ControlPlane) -> str:
    projects = plane.session().get(f"{plane.url}/v3/{PROJECT}").json()
    return f"{projects['name'].split('/')[1]}-compute@developer.gserviceaccount.com"


def _policy(role: str) -> policy_pb2.Policy:
    binding = policy_pb2.Binding(role=role, members=[f"serviceAccount:{PAUSER}"])
    return policy_pb2.Policy(bindings=[binding])


def cron(ahead: timedelta) -> str:
    return f"{datetime.now(UTC) + ahead:%M %H %d %m} *"


def job(name: str = JOB, **fields: Any) -> scheduler_v1.Job:
    target = scheduler_v1.HttpTarget(
        uri=f"https://run.googleapis.com/v2/{NAME}?updateMask=scaling",
        http_method=Method.PATCH,
        body=json.dumps(STOPPED).encode(),
        headers={"Content-Type": "application/json"},
        oauth_token=scheduler_v1.OAuthToken(service_account_email=PAUSER),
    )
    fields.setdefault("schedule", cron(timedelta(hours=1)))
    return scheduler_v1.Job(name=name, http_target=fields.pop("http_target", target), **fields)


def attempted(scheduler: Any, after: scheduler_v1.Job | None = None) -> scheduler_v1.Job:
    """Return the job once it was tried, or tried again."""

    def found() -> scheduler_v1.Job | None:
        made: scheduler_v1.Job = scheduler.get_job(name=JOB)
        before = after.last_attempt_time if after else None
        return made if made.last_attempt_time != before else None

    return until(found)


def test_a_job_as_it_is_made_and_changed(client: Any, pauser: str) -> None:
    made = client.create_job(
        parent=PARENT, job=job(time_zone="Europe/Berlin", schedule="0 18 3 12 *")
    )
    assert made == client.get_job(name=JOB)
    assert (made.state.name, made.attempt_deadline) == ("ENABLED", timedelta(minutes=3))
    assert (made.schedule_time.hour, made.schedule_time.minute) == (17, 0)
    assert made.http_target.oauth_token.service_account_email == pauser
    changed = scheduler_v1.Job(name=JOB, schedule="30 6 * * *", time_zone="UTC")
    mask = {"paths": ["schedule", "time_zone"]}
    client.update_job({"job": changed, "update_mask": mask})
    found = client.get_job(name=JOB)
    assert (found.schedule, found.schedule_time.hour) == ("30 6 * * *", 6)
    assert found.http_target == made.http_target
    assert [each.name for each in client.list_jobs(parent=PARENT)] == [JOB]
    client.delete_job(name=JOB)
    with pytest.raises(exceptions.NotFound, match="Job not found"):
        client.get_job(name=JOB)


def test_a_paused_job_has_no_next_time(scheduler: Any) -> None:
    scheduler.create_job(parent=PARENT, job=job())
    paused = scheduler.pause_job(name=JOB)
    assert (paused.state.name, paused.schedule_time) == ("PAUSED", None)
    with pytest.raises(exceptions.BadRequest, match="must be ENABLED"):
        scheduler.pause_job(name=JOB)
    assert scheduler.resume_job(name=JOB).schedule_time


def test_it_pauses_a_service_at_its_time(
    plane: ControlPlane, services: Any, scheduler: Any
) -> None:
    services.set_iam_policy({"resource": NAME, "policy": _policy("roles/run.developer")})
    made = scheduler.create_job(parent=PARENT, job=job())
    plane.cloud.faults.update(schedule_ahead=HOUR / 2)
    assert services.get_service(name=NAME).scaling.scaling_mode != Mode.MANUAL
    plane.cloud.faults.update(schedule_ahead=HOUR + 60)
    ran = attempted(scheduler)
    assert ran.status.code == 0
    stopped = services.get_service(name=NAME)
    assert (stopped.scaling.scaling_mode, stopped.scaling.manual_instance_count) == (Mode.MANUAL, 0)
    assert stopped.last_modifier == PAUSER
    # A schedule has no year.
    assert ran.schedule_time.year == made.schedule_time.year + 1
    assert ran.schedule_time.strftime("%m%d%H%M") == made.schedule_time.strftime("%m%d%H%M")


def test_an_account_without_the_permission_changes_nothing(services: Any, scheduler: Any) -> None:
    back = run_v2.Service(name=NAME, scaling=run_v2.ServiceScaling(max_instance_count=1))
    back.scaling.scaling_mode = Mode.AUTOMATIC
    services.update_service(service=back, update_mask={"paths": ["scaling"]}).result(polling=SOON)
    services.set_iam_policy({"resource": NAME, "policy": policy_pb2.Policy()})
    scheduler.create_job(parent=PARENT, job=job())
    scheduler.run_job(name=JOB)
    assert attempted(scheduler).status.code == DENIED
    assert services.get_service(name=NAME).scaling.scaling_mode == Mode.AUTOMATIC


def test_what_fails_is_tried_again(plane: ControlPlane, scheduler: Any) -> None:
    retry = scheduler_v1.RetryConfig(
        retry_count=2, min_backoff_duration=duration_pb2.Duration(seconds=600)
    )
    target = job().http_target
    target.uri = f"https://run.googleapis.com/v2/{PARENT}/services/gone"
    made = scheduler.create_job(parent=PARENT, job=job(http_target=target, retry_config=retry))
    scheduler.run_job(name=JOB)
    first = attempted(scheduler)
    assert first.status.code == DENIED
    assert first.schedule_time - first.last_attempt_time < timedelta(seconds=630)
    plane.cloud.faults.update(schedule_ahead=660)
    second = attempted(scheduler, after=first)
    assert second.schedule_time - second.last_attempt_time > timedelta(seconds=1100)
    plane.cloud.faults.update(schedule_ahead=660 + 1260)
    third = attempted(scheduler, after=second)
    assert third.schedule_time == made.schedule_time  # no more than twice again


def test_a_job_that_was_due_while_nothing_ran(tmp_path: Any) -> None:
    first = ControlPlane(tmp_path)
    target = scheduler_v1.HttpTarget(uri="https://run.googleapis.com/v2/x", http_method=Method.GET)
    made = first.rest(scheduler_v1.CloudSchedulerClient).create_job(
        parent=PARENT, job=job(http_target=target)
    )
    first.cloud.stop()
    second = ControlPlane(tmp_path)
    second.cloud.faults.update(schedule_ahead=HOUR + 60)
    found = attempted(second.rest(scheduler_v1.CloudSchedulerClient))
    assert found.schedule_time > made.schedule_time
    second.cloud.stop()


def test_what_is_refused(plane: ControlPlane, client: Any, pauser: str) -> None:
    def refused(match: str, **fields: Any) -> None:
        with pytest.raises(exceptions.BadRequest, match=match):
            client.create_job(parent=PARENT, job=job(**fields))

    refused("Schedule or time zone is invalid", schedule="at noon")
    refused("Schedule or time zone is invalid", time_zone="Nowhere")
    refused("retry_count", retry_config={"retry_count": 6})
    refused("attempt_deadline", attempt_deadline=duration_pb2.Duration(seconds=5))
    refused("Job name must be formatted", name=f"{PARENT}/jobs/a job")
    target = job().http_target
    target.http_method = Method.GET
    refused("body", http_target=target)
    client.create_job(parent=PARENT, job=job())
    with pytest.raises((exceptions.AlreadyExists, exceptions.Conflict), match="already exists"):
        client.create_job(parent=PARENT, job=job())
    with pytest.raises(exceptions.NotFound):
        client.update_job(job=job(f"{PARENT}/jobs/other"))
    plane.cloud.faults.update(disabled_apis=["cloudscheduler.googleapis.com"])
    with pytest.raises(exceptions.Forbidden) as caught:
        client.get_job(name=JOB)
    assert caught.value.reason == "SERVICE_DISABLED"
    plane.cloud.faults.reset()
    unknown = job(f"{PARENT}/jobs/unknown")
    unknown.http_target.oauth_token.service_account_email = f"no-{pauser}"
    with pytest.raises(exceptions.Forbidden, match=r'lacks IAM permission "iam\.serviceAccounts'):
        client.create_job(parent=PARENT, job=unknown)
    plane.cloud.faults.update(denied_permissions=["cloudscheduler.jobs.create"])
    with pytest.raises(exceptions.Forbidden, match=r'lacks IAM permission "cloudscheduler\.jobs'):
        client.create_job(parent=PARENT, job=job(f"{PARENT}/jobs/denied"))


def test_a_region_without_it(plane: ControlPlane, scheduler: Any) -> None:
    plane.cloud.faults.update(regions_without_scheduler=["europe-west1"])
    with pytest.raises(exceptions.Forbidden, match=r"cloudscheduler\.jobs\.create.*may not exist"):
        scheduler.create_job(parent=PARENT, job=job())
    with pytest.raises(exceptions.NotFound):
        scheduler.get_location({"name": PARENT})
    plane.cloud.faults.reset()
    assert scheduler.get_location({"name": PARENT}).location_id == "europe-west1"
