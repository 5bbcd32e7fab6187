"""Tasks of jobs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tests.contract.running import (
    execution,
    texts,
)

if TYPE_CHECKING:
    from local_cloud.logs import LogBook
    from local_cloud.runner.runner import Runner


def test_a_task_runs_to_its_end(runner: Runner, log: LogBook) -> None:
    script = (
        "import os, sys; print(*(os.environ['CLOUD_RUN_' + n] for n in "
        "('JOB', 'EXECUTION', 'TASK_INDEX', 'TASK_COUNT', 'TASK_ATTEMPT'))); sys.exit(5)"
    )
    assert runner.run_task(execution(script), 2, 1, threading.Event()) == 5
    entries = log.query(["p"])[0]
    entry = next(entry for entry in entries if entry["logName"].endswith("stdout"))
    assert entry["textPayload"] == "load load-abc 2 3 1"
    assert entry["resource"]["type"] == "cloud_run_job"
    assert entry["resource"]["labels"]["job_name"] == "load"
    assert entry["labels"] == {
        "run.googleapis.com/execution_name": "load-abc",
        "run.googleapis.com/task_index": "2",
        "run.googleapis.com/task_attempt": "1",
    }


def test_a_task_that_takes_too_long(runner: Runner, log: LogBook) -> None:
    slow = execution("import time; time.sleep(60)", timeout="1s")
    assert runner.run_task(slow, 0, 0, threading.Event()) == 124
    assert any("maximum timeout of 1 seconds" in text for text in texts(log))


def test_a_task_that_is_cancelled(runner: Runner) -> None:
    cancelled = threading.Event()
    threading.Timer(0.5, cancelled.set).start()
    assert runner.run_task(execution("import time; time.sleep(60)"), 0, 0, cancelled) == 143


def test_a_program_that_is_not_there(runner: Runner, log: LogBook) -> None:
    asked = execution("")
    asked.template.containers[0].image = "hello"
    asked.template.containers[0].command = ["/no/such/program"]
    assert runner.run_task(asked, 0, 0, threading.Event()) == 127
    assert 'Application failed to start: "/no/such/program": no such file or directory' in texts(
        log
    )
