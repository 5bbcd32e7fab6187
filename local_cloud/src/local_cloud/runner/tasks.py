"""One attempt of a task of a job: a process with a limit of time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from local_cloud.runner.instance import MemoryGuard
from local_cloud.runner.process import Process

if TYPE_CHECKING:
    import threading

    from google.cloud import run_v2

    from local_cloud.runner.container import Program
    from local_cloud.runner.entries import Journal

TIMED_OUT = 124
"""Exit code of a task that took longer than its timeout: that of timeout(1)."""
DEFAULT_TIMEOUT = 600.0  # seconds
_LOOK_SECONDS = 0.2


def task_environment(execution: run_v2.Execution, index: int, attempt: int) -> dict[str, str]:
    """Return the variables that Cloud Run sets for a task."""
    return {
        "CLOUD_RUN_JOB": execution.job.rsplit("/", 1)[-1] or execution.name.split("/")[5],
        "CLOUD_RUN_EXECUTION": execution.name.rsplit("/", 1)[-1],
        "CLOUD_RUN_TASK_INDEX": str(index),
        "CLOUD_RUN_TASK_COUNT": str(execution.task_count or 1),
        "CLOUD_RUN_TASK_ATTEMPT": str(attempt),
    }


def run_attempt(
    program: Program, template: run_v2.TaskTemplate, journal: Journal, cancelled: threading.Event
) -> int:
    """Run a program to its end, its timeout or its cancellation; return the exit code."""
    for note in program.notes:
        journal.system(note)
    timeout = template.timeout.total_seconds() or DEFAULT_TIMEOUT
    deadline = time.monotonic() + timeout
    process = Process(
        program.command,
        environment=program.environment,
        folder=program.folder,
        receive=journal.line,
    )
    memory = MemoryGuard(process, program.memory, journal)
    code: int | None = None
    while code is None:
        if cancelled.is_set():
            process.stop()
            journal.system("Terminating task because the execution was cancelled.", "WARNING")
            return process.stop()
        if time.monotonic() >= deadline:
            process.stop()
            journal.system(
                f"Terminating task because it has reached the maximum timeout of {timeout:g} "
                "seconds. To change this limit, see "
                "https://cloud.google.com/run/docs/configuring/task-timeout",
                "ERROR",
            )
            return TIMED_OUT
        memory.look()
        code = process.wait(_LOOK_SECONDS)
    if not memory.exceeded:
        journal.system(f"Container called exit({code}).", "ERROR" if code else "INFO")
    return code
