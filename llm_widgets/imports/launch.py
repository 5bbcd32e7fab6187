"""Starts worker processes: as executions of a Cloud Run job, or on this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from llm_widgets.domain import gpus
from llm_widgets.domain.services import MANAGED_BY
from llm_widgets.errors import Fix, ManagerError, NotFoundError, TransferError
from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.iam import acting_as
from llm_widgets.gcp.run import jobs
from llm_widgets.gcp.storage.buckets import get_bucket
from llm_widgets.hubs import registry
from llm_widgets.imports import account, token
from llm_widgets.imports.plan import task_count
from llm_widgets.imports.store import JOB
from llm_widgets.transfer.share import RETRIES

if TYPE_CHECKING:
    from llm_widgets.config import Settings
    from llm_widgets.domain.imports import ImportPlan
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.imports.store import WorkerNote

_CPU = "1"
_MEMORY = "1Gi"
_TIMEOUT = timedelta(days=1)  # Cloud Run allows 7 days for a task
_COMMAND = "import-worker"

_QUIET = {"DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA": "true"}
"""Else Google's client asks for the bucket itself, for traces: a job may not, and needs it not."""

_NEAREST = {
    # The region with GPUs that lies in, or is nearest to, a location of several regions.
    "us": "us-central1",
    "eu": "europe-west4",
    "asia": "asia-southeast1",
    "nam4": "us-central1",
    "eur4": "europe-west4",
    "eur5": "europe-west1",
    "eur7": "europe-west4",
    "eur8": "europe-west4",
    "asia1": "asia-southeast1",
}


def needed(settings: Settings) -> tuple[str, ...]:
    """Return the permissions on the project that are needed to start a worker process."""
    if not settings.image:
        return ()
    return ("run.jobs.create", "run.jobs.get", "run.jobs.runWithOverrides", "run.jobs.update")


def start_worker(clients: Clients, settings: Settings, plan: ImportPlan) -> dict[str, str | int]:
    """Start a worker process; return the fields of :class:`WorkerNote` that identify it.

    Raises
    ------
    ManagerError
        It can't be started.
    """
    if settings.image:
        return {"execution": _start_execution(clients, settings, plan)}
    return {"host": socket.gethostname(), "pid": _start_process(settings, plan)}


def is_alive(
    clients: Clients, note: WorkerNote, bucket: str, import_id: str, *, silent: bool
) -> bool:
    """Return whether the worker process of a note still runs.

    Parameters
    ----------
    silent
        Whether it has written no progress for longer than a minute; that decides where its
        state can't be looked up.
    """
    if note.execution:
        try:
            found = jobs.execution(clients, note.execution)
            return _carries_out(found, bucket, import_id) and not found.state.is_final
        except ManagerError:
            return not silent
    if note.pid and note.host == socket.gethostname():
        return not silent and _is_process_alive(note.pid)
    return not silent


def cancel(clients: Clients, note: WorkerNote, bucket: str, import_id: str) -> None:
    """Ask the execution of a note to stop, if it carries out this import and no other.

    Raises
    ------
    ManagerError
        It may not be looked at or cancelled.
    """
    with suppress(NotFoundError):
        if note.execution and _carries_out(
            jobs.execution(clients, note.execution), bucket, import_id
        ):
            jobs.cancel(clients, note.execution)


def job_region(location: str, location_type: str) -> str:
    """Return the region of the job that writes to a bucket: the bucket's, or the nearest one."""
    location = location.lower()
    if location_type == "region":
        return location
    return _NEAREST.get(location, gpus.regions()[0])


def log_file(import_id: str) -> Path:
    """Return the path of the log of a worker process on this machine."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "llm-widgets" / "imports" / f"{import_id}.log"


def _start_execution(clients: Clients, settings: Settings, plan: ImportPlan) -> str:
    bucket = get_bucket(clients, plan.bucket, project=plan.project)
    region = job_region(bucket.location, bucket.location_type)
    email = account.ready(clients, settings, plan.project, plan.bucket)
    name = acting_as.until_allowed(
        clients,
        lambda: jobs.ensure(clients, plan.project, region, JOB, _job(settings, email)),
        plan.project,
        email,
    )
    token.hand_over(clients, plan, email)
    tasks = settings.import_tasks or task_count(plan)
    try:
        return jobs.run(clients, name, args=_arguments(plan), tasks=tasks)
    except ManagerError:
        token.take_back(clients, plan)
        raise


def _job(settings: Settings, email: str) -> lazy.run_v2.Job:
    run = lazy.run_v2
    container = run.Container(
        image=settings.image,
        args=[_COMMAND],
        env=[
            run.EnvVar(name=key, value=value) for key, value in worker_environment(settings).items()
        ],
        resources=run.ResourceRequirements(limits={"cpu": _CPU, "memory": _MEMORY}),
    )
    task = run.TaskTemplate(
        containers=[container],
        max_retries=RETRIES,
        timeout=_TIMEOUT,
        service_account=email,
    )
    return run.Job(
        labels={MANAGED_BY[0]: MANAGED_BY[1]},
        template=run.ExecutionTemplate(template=task, task_count=1),
    )


def worker_environment(settings: Settings) -> dict[str, str]:
    """Return the variables of a worker. Never a secret."""
    return {**elsewhere(settings), **_QUIET}


def elsewhere(settings: Settings) -> dict[str, str]:
    """Return the variables of hubs and clouds that are not where they usually are."""
    values = {
        hub.endpoint.variable: (settings.endpoint(hub.endpoint), hub.endpoint.default)
        for hub in registry.HUBS
    }
    values["LLM_WIDGETS_GOOGLE_ENDPOINT"] = (settings.google_endpoint, "")
    return {name: value for name, (value, default) in values.items() if value != default}


def _arguments(plan: ImportPlan) -> list[str]:
    kept = ["--project", plan.project] if plan.has_token else []
    return [*_words(plan.bucket, plan.id), *kept]


def _words(bucket: str, import_id: str) -> list[str]:
    return [_COMMAND, "--bucket", bucket, "--import", import_id]


def _carries_out(found: jobs.ExecutionStatus, bucket: str, import_id: str) -> bool:
    """Return whether an execution was started for an import: a bucket's note may say anything."""
    wanted = _words(bucket, import_id)
    return list(found.args[: len(wanted)]) == wanted


def _start_process(settings: Settings, plan: ImportPlan) -> int:
    log = log_file(plan.id)
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as out:
            process = subprocess.Popen(  # noqa: S603 - this very program
                [sys.executable, "-m", "llm_widgets", *_arguments(plan)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**os.environ, **worker_environment(settings)},
                start_new_session=True,  # it outlives the kernel or the terminal that asked for it
            )
    except OSError as error:
        raise TransferError(
            "The import's worker could not be started on this machine.",
            cause=str(error),
            fix=Fix(text=f"Check that {log.parent} can be written to."),
        ) from error
    # A child that ended stays in the process table until somebody asks how it ended.
    threading.Thread(target=process.wait, name="reap-import-worker", daemon=True).start()
    return process.pid


def _is_process_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
