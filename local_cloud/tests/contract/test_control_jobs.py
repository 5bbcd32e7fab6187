"""Cloud Run jobs, executions and tasks through the official clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from google.api_core import exceptions
from google.cloud import run_v2

from local_cloud.testing.waiting import until
from tests.contract.control_plane import PARENT, SOON, ControlPlane, control_plane, job

if TYPE_CHECKING:
    from collections.abc import Iterator

Status = run_v2.ExecutionReference.CompletionStatus
Reason = run_v2.Condition.ExecutionReason


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    yield from control_plane(tmp_path_factory.mktemp("plane"))


@pytest.fixture
def jobs(plane: ControlPlane) -> Iterator[run_v2.JobsClient]:
    client = plane.rest(run_v2.JobsClient)
    yield client
    plane.cloud.faults.reset()
    for made in client.list_jobs(parent=PARENT):
        client.delete_job(name=made.name).result(timeout=60, polling=SOON)


def create(jobs: run_v2.JobsClient, wanted: run_v2.Job, name: str = "work") -> run_v2.Job:
    operation = jobs.create_job(parent=PARENT, job_id=name, job=wanted)
    made: run_v2.Job = operation.result(timeout=60, polling=SOON)
    return made


@pytest.mark.parametrize("transport", ["rest", "grpc"])
@pytest.mark.usefixtures("jobs")
def test_a_job_runs_all_its_tasks(plane: ControlPlane, transport: str) -> None:
    client = plane.client(transport, run_v2.JobsClient)
    script = (
        "import os; i = os.environ['CLOUD_RUN_TASK_INDEX']; "
        "assert os.environ['CLOUD_RUN_TASK_COUNT'] == '3' and i in '012'"
    )
    made = create(client, job(script, task_count=3, parallelism=2))
    assert made.terminal_condition.state == run_v2.Condition.State.CONDITION_SUCCEEDED
    assert made.template.template.max_retries == 3
    assert made.template.template.timeout.total_seconds() == 600
    operation = client.run_job(name=made.name)
    assert operation.metadata.name.startswith(f"{made.name}/executions/work-")
    execution = operation.result(timeout=60, polling=SOON)
    assert (execution.succeeded_count, execution.failed_count) == (3, 0)
    assert (execution.running_count, execution.retried_count) == (0, 0)
    assert execution.completion_time
    assert execution.conditions[0].type_ == "Completed"
    tasks = plane.client(transport, run_v2.TasksClient)
    found = list(tasks.list_tasks(parent=execution.name))
    assert [task.index for task in found] == [0, 1, 2]
    assert all(task.last_attempt_result.exit_code == 0 for task in found)
    assert tasks.get_task(name=found[0].name).name == found[0].name
    shown = client.get_job(name=made.name)
    assert shown.execution_count == 1
    assert shown.latest_created_execution.completion_status == Status.EXECUTION_SUCCEEDED


def test_a_failing_task_is_tried_again(jobs: run_v2.JobsClient) -> None:
    script = "import os, sys; sys.exit(int(os.environ['CLOUD_RUN_TASK_ATTEMPT']) < 2)"
    made = create(jobs, job(script, max_retries=2))
    execution = jobs.run_job(name=made.name).result(timeout=60, polling=SOON)
    assert (execution.succeeded_count, execution.retried_count) == (1, 2)


def test_a_task_without_retries_left_fails_the_execution(
    plane: ControlPlane, jobs: run_v2.JobsClient
) -> None:
    script = "import os, sys; sys.exit(7 * (os.environ['CLOUD_RUN_TASK_INDEX'] == '1'))"
    made = create(jobs, job(script, max_retries=0, task_count=2))
    operation = jobs.run_job(name=made.name)
    with pytest.raises(exceptions.BadRequest, match=r"-task1 failed with message: The container"):
        operation.result(timeout=60, polling=SOON)
    execution = plane.rest(run_v2.ExecutionsClient).get_execution(name=operation.metadata.name)
    assert (execution.succeeded_count, execution.failed_count) == (1, 1)
    assert execution.conditions[0].execution_reason == Reason.NON_ZERO_EXIT_CODE
    tasks = list(plane.rest(run_v2.TasksClient).list_tasks(parent=execution.name))
    assert [task.last_attempt_result.exit_code for task in tasks] == [0, 7]
    latest = jobs.get_job(name=made.name).latest_created_execution
    assert latest.completion_status == Status.EXECUTION_FAILED


def test_a_task_that_takes_too_long_is_ended(jobs: run_v2.JobsClient) -> None:
    made = create(jobs, job("import time; time.sleep(60)", max_retries=0, timeout={"seconds": 1}))
    with pytest.raises(exceptions.BadRequest, match="configured timeout was reached"):
        jobs.run_job(name=made.name).result(timeout=60, polling=SOON)


def test_an_execution_is_cancelled(plane: ControlPlane, jobs: run_v2.JobsClient) -> None:
    executions = plane.rest(run_v2.ExecutionsClient)
    made = create(jobs, job("import time; time.sleep(60)", task_count=3, parallelism=2))
    operation = jobs.run_job(name=made.name)
    name = operation.metadata.name
    until(lambda: executions.get_execution(name=name).running_count == 2)
    latest = jobs.get_job(name=made.name).latest_created_execution
    assert latest.completion_status == Status.EXECUTION_RUNNING
    ended = executions.cancel_execution(name=name).result(timeout=60, polling=SOON)
    assert (ended.cancelled_count, ended.running_count, ended.failed_count) == (3, 0, 0)
    assert ended.conditions[0].execution_reason == Reason.CANCELLED
    with pytest.raises(exceptions.GoogleAPICallError, match="cancelled"):
        operation.result(timeout=60, polling=SOON)
    with pytest.raises(exceptions.BadRequest, match="cannot be cancelled"):
        executions.cancel_execution(name=name)
    executions.delete_execution(name=name).result(timeout=60, polling=SOON)
    with pytest.raises(exceptions.NotFound, match="of kind 'EXECUTION'"):
        executions.get_execution(name=name)


def test_a_run_can_override(plane: ControlPlane, jobs: run_v2.JobsClient) -> None:
    script = (
        "import os, sys; "
        "assert sys.argv[1:] == ['other'] and os.environ['A'] == '2' and os.environ['B'] == '1'"
    )
    wanted = job(script, max_retries=0)
    container = wanted.template.template.containers[0]
    container.args = ["given"]
    container.env = [run_v2.EnvVar(name="A", value="1"), run_v2.EnvVar(name="B", value="1")]
    made = create(jobs, wanted)
    override = run_v2.RunJobRequest.Overrides.ContainerOverride(
        args=["other"], env=[run_v2.EnvVar(name="A", value="2")]
    )
    request = run_v2.RunJobRequest(
        name=made.name,
        overrides=run_v2.RunJobRequest.Overrides(container_overrides=[override], task_count=2),
    )
    execution = jobs.run_job(request).result(timeout=60, polling=SOON)
    assert execution.succeeded_count == 2
    assert jobs.get_job(name=made.name).template.task_count == 1
    plane.cloud.faults.update(denied_permissions=["run.jobs.runWithOverrides"])
    with pytest.raises(exceptions.Forbidden, match=r"run\.jobs\.runWithOverrides"):
        jobs.run_job(request)
    assert len(list(plane.rest(run_v2.ExecutionsClient).list_executions(parent=made.name))) == 1


def test_a_job_is_changed_and_deleted(jobs: run_v2.JobsClient) -> None:
    made = create(jobs, job("pass"))
    first = run_v2.Job(made)
    made.template.task_count = 2
    changed = jobs.update_job(job=made).result(timeout=60, polling=SOON)
    assert (changed.generation, changed.template.task_count) == (2, 2)
    assert changed.uid == first.uid
    with pytest.raises(exceptions.Conflict, match="current version is"):
        jobs.update_job(job=first)
    with pytest.raises(exceptions.Conflict, match="already exists"):
        create(jobs, job("pass"))
    jobs.delete_job(name=made.name).result(timeout=60, polling=SOON)
    with pytest.raises(exceptions.NotFound, match="of kind 'JOB'"):
        jobs.get_job(name=made.name)


def test_what_contradicts_the_rules_is_refused(jobs: run_v2.JobsClient) -> None:
    reserved = job("pass")
    name = "CLOUD_RUN_TASK_INDEX"
    reserved.template.template.containers[0].env = [run_v2.EnvVar(name=name, value="1")]
    with pytest.raises(exceptions.BadRequest, match="reserved env names"):
        create(jobs, reserved)
    with pytest.raises(exceptions.BadRequest, match="max_retries"):
        create(jobs, job("pass", max_retries=11))


def test_an_unknown_image_fails_the_execution(jobs: run_v2.JobsClient) -> None:
    wanted = job("pass")
    wanted.template.template.containers[0].image = "nope:1"
    made = create(jobs, wanted)
    with pytest.raises(exceptions.BadRequest, match="Image 'nope:1' not found"):
        jobs.run_job(name=made.name).result(timeout=60, polling=SOON)
