"""Jobs of Cloud Run and their executions."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from llm_widgets.errors import AlreadyExistsError, ConflictError, NotFoundError, UnavailableError
from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.client.failures import explained

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llm_widgets.gcp.client.clients import Clients

TEMPLATE_ANNOTATION = "llm-manager/template"
"""Annotation that holds a digest of what was asked for: the server adds its own defaults."""

_ATTEMPTS = 5
_CHANGED_WITHIN = 120  # seconds until a job is created or updated
_STARTED_WITHIN = 60  # seconds until Cloud Run tells the name of an execution


class ExecutionState(StrEnum):
    """How far an execution is."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens."""
        return self not in (ExecutionState.PENDING, ExecutionState.RUNNING)


@dataclass(frozen=True, slots=True)
class ExecutionStatus:
    """An execution of a job.

    Attributes
    ----------
    message
        What Cloud Run says about it, empty when it says nothing.
    running, succeeded, failed
        Numbers of tasks.
    args
        Arguments of its container.
    """

    state: ExecutionState
    message: str
    running: int
    succeeded: int
    failed: int
    log_uri: str
    args: tuple[str, ...] = ()


def ensure(clients: Clients, project: str, region: str, job_id: str, job: lazy.run_v2.Job) -> str:
    """Have a job as described: create it, or update one that is different.

    Returns
    -------
    str
        Its resource name.

    Raises
    ------
    ManagerError
        Cloud Run refuses it.
    """
    parent = f"projects/{project}/locations/{region}"
    name = f"{parent}/jobs/{job_id}"
    wanted = lazy.run_v2.Job(job)
    wanted.name = ""
    digest = hashlib.sha256(lazy.run_v2.Job.to_json(wanted, sort_keys=True).encode())
    wanted.annotations[TEMPLATE_ANNOTATION] = digest.hexdigest()
    doing = f"prepare the job {job_id} in {region}"
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with explained(doing, clients=clients, project=project, permission="run.jobs.create"):
                _put(clients, parent, name, wanted)
        except (AlreadyExistsError, ConflictError):
            if attempt == _ATTEMPTS:
                raise
            time.sleep(0.2 * attempt)  # somebody else is at it: look again
        else:
            return name
    return name


def _put(clients: Clients, parent: str, name: str, wanted: lazy.run_v2.Job) -> None:
    try:
        found = clients.jobs.get_job(name=name)
    except lazy.api_exceptions.NotFound:
        job_id = name.rsplit("/", 1)[-1]
        operation: Any = clients.jobs.create_job(parent=parent, job_id=job_id, job=wanted)
        operation.result(timeout=_CHANGED_WITHIN)
        return
    if found.annotations.get(TEMPLATE_ANNOTATION) == wanted.annotations[TEMPLATE_ANNOTATION]:
        return
    update = lazy.run_v2.Job(wanted)
    update.name, update.etag = found.name, found.etag
    operation = clients.jobs.update_job(job=update)
    operation.result(timeout=_CHANGED_WITHIN)


def run(
    clients: Clients,
    name: str,
    *,
    args: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    tasks: int | None = None,
) -> str:
    """Start an execution of a job.

    Parameters
    ----------
    args
        Replace the arguments of the job's container; empty leaves them.
    env
        Added to the environment of the job's container. Never a secret: it can be read.
    tasks
        Number of tasks, that of the job when left out.

    Returns
    -------
    str
        The resource name of the execution.

    Raises
    ------
    ManagerError
        Cloud Run refuses it, or does not start it in a minute.
    """
    request: Any = {"name": name}
    overrides: dict[str, Any] = {}
    if args or env:
        variables = [{"name": key, "value": value} for key, value in (env or {}).items()]
        overrides["container_overrides"] = [{"args": list(args), "env": variables}]
    if tasks is not None:
        overrides["task_count"] = tasks
    if overrides:
        request["overrides"] = overrides
    doing = f"start the job {name.rsplit('/', 1)[-1]}"
    permission = "run.jobs.runWithOverrides" if overrides else "run.jobs.run"
    with explained(doing, clients=clients, project=name.split("/")[1], permission=permission):
        operation: Any = clients.jobs.run_job(request=request)
        until = time.monotonic() + _STARTED_WITHIN
        while not (operation.metadata and operation.metadata.name):
            if operation.done():
                return str(operation.result().name)
            if time.monotonic() > until:
                raise UnavailableError(
                    f"Can't {doing}: Cloud Run did not start it in {_STARTED_WITHIN} seconds."
                )
            time.sleep(0.3)
        return str(operation.metadata.name)


def execution(clients: Clients, name: str) -> ExecutionStatus:
    """Look how far an execution is, given its resource name.

    Raises
    ------
    ManagerError
        It is gone, or not to be seen.
    """
    with explained(
        f"look at the execution {name.rsplit('/', 1)[-1]}",
        clients=clients,
        project=name.split("/")[1],
        permission="run.executions.get",
    ):
        return status(clients.executions.get_execution(name=name))


def cancel(clients: Clients, name: str) -> None:
    """Ask an execution to stop, given its resource name; one that is over or gone is fine.

    Raises
    ------
    ManagerError
        It may not be cancelled.
    """
    try:
        with explained(
            f"cancel the execution {name.rsplit('/', 1)[-1]}",
            clients=clients,
            project=name.split("/")[1],
            permission="run.executions.cancel",
        ):
            if not status(clients.executions.get_execution(name=name)).state.is_final:
                clients.executions.cancel_execution(name=name)
    except NotFoundError:
        return


def status(found: lazy.run_v2.Execution) -> ExecutionStatus:
    """Read the status of an execution from its conditions and counts."""
    condition = lazy.run_v2.Condition
    completed = next((c for c in found.conditions if c.type_ == "Completed"), condition())
    reasons = (condition.ExecutionReason.CANCELLED, condition.ExecutionReason.CANCELLING)
    if completed.state == condition.State.CONDITION_SUCCEEDED:
        state = ExecutionState.SUCCEEDED
    elif completed.state == condition.State.CONDITION_FAILED or found.completion_time:
        cancelled = completed.execution_reason in reasons or found.cancelled_count
        state = ExecutionState.CANCELLED if cancelled else ExecutionState.FAILED
    elif found.running_count or found.succeeded_count or found.failed_count:
        state = ExecutionState.RUNNING
    else:
        state = ExecutionState.PENDING
    return ExecutionStatus(
        state=state,
        message=completed.message,
        running=found.running_count,
        succeeded=found.succeeded_count,
        failed=found.failed_count,
        log_uri=found.log_uri,
        args=tuple(arg for each in found.template.containers for arg in each.args),
    )
