"""How processes begin and end."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import requests

from local_cloud.runner.failures import RevisionFailed
from local_cloud.runner.process import Process
from local_cloud.runner.runner import Runner
from local_cloud.testing.programs import ECHO_SERVER
from local_cloud.testing.waiting import LONG, until
from tests.contract.running import (
    NAME,
    PARENT,
    revision,
    service,
    texts,
)

if TYPE_CHECKING:
    from pathlib import Path

    from local_cloud.logs import LogBook


def test_a_new_revision_takes_over_and_a_failing_one_does_not(runner: Runner) -> None:
    url = runner.deploy(service(), revision(1))
    first = requests.get(url, timeout=30).json()
    assert runner.deploy(service(), revision(2)) == url
    second = requests.get(url, timeout=30).json()
    assert second["env"]["K_REVISION"] == "hello-00002-abc"
    assert not psutil.pid_exists(first["pid"])
    with pytest.raises(RevisionFailed, match=r"exit\(7\)"):
        runner.deploy(service("raise SystemExit(7)"), revision(3))
    assert requests.get(url, timeout=30).json()["pid"] == second["pid"]


def test_a_process_that_ends_is_started_again(runner: Runner, log: LogBook) -> None:
    url = runner.deploy(service(), revision())
    before = requests.get(url, timeout=30).json()["pid"]
    answer = requests.get(f"{url}/exit", timeout=30)
    assert answer.status_code == 503
    assert "connection to the instance had an error" in answer.text
    after = until(lambda: answer_of(url))
    assert after["pid"] != before
    told = texts(log)
    assert "Container called exit(3)." in told
    started = [text.split()[4] for text in told if text.startswith("Starting new instance.")]
    assert started == ["DEPLOYMENT_ROLLOUT", "AUTOSCALING"]


def answer_of(url: str) -> dict[str, Any] | None:
    answer = requests.get(url, timeout=30)
    return answer.json() if answer.ok else None


def test_a_service_that_is_deleted_leaves_no_process(runner: Runner) -> None:
    url = runner.deploy(service(), revision())
    pid = requests.get(url, timeout=30).json()["pid"]
    runner.stop(NAME)
    assert not psutil.pid_exists(pid)
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=30)


UNREADY = "print('it is under way', flush=True); import time; time.sleep(600)"


def test_deleting_ends_a_deployment_under_way(runner: Runner, log: LogBook) -> None:
    failures: list[RevisionFailed] = []

    def deploy() -> None:
        with pytest.raises(RevisionFailed) as failure:
            runner.deploy(service(UNREADY), revision())
        failures.append(failure.value)

    thread = threading.Thread(target=deploy)
    thread.start()
    until(lambda: "it is under way" in texts(log))
    runner.stop(NAME)
    thread.join(timeout=LONG)
    assert "deleted" in failures[0].message


def test_a_newer_revision_overtakes_one_that_is_not_ready(runner: Runner, log: LogBook) -> None:
    failures: list[RevisionFailed] = []

    def deploy() -> None:
        with pytest.raises(RevisionFailed) as failure:
            runner.deploy(service(UNREADY), revision(1))
        failures.append(failure.value)

    thread = threading.Thread(target=deploy)
    thread.start()
    until(lambda: "it is under way" in texts(log))
    url = runner.deploy(service(), revision(2))
    thread.join(timeout=LONG)
    assert "replaced by a newer revision" in failures[0].message
    assert requests.get(url, timeout=30).status_code == 200


def test_services_come_back_with_their_addresses(
    runner: Runner, tmp_path: Path, log: LogBook
) -> None:
    url = runner.deploy(service(), revision())
    runner.shutdown()
    again = Runner(tmp_path, log, lambda _: {})
    try:
        # Its template is that of a later revision that failed: what served comes back.
        again.restore([service("raise SystemExit(1)")])
        assert again.url(NAME) == url
        assert requests.get(url, timeout=30).json()["env"]["K_REVISION"] == "hello-00001-abc"
    finally:
        again.shutdown()


def test_nothing_outlives_a_killed_local_cloud(tmp_path: Path) -> None:
    script = f"""
import sys, threading
from pathlib import Path
from google.cloud import run_v2
from local_cloud.logs import LogBook
from local_cloud.runner.runner import Runner
data = Path(sys.argv[1])
runner = Runner(data, LogBook(data / "logs.db"), lambda email: {{}})
name = "{PARENT}/services/hello"
container = run_v2.Container(image="local/python:3", command=["-c", sys.argv[2]])
service = run_v2.Service(name=name, template=run_v2.RevisionTemplate(containers=[container]))
# On a thread that ends: what it starts is not to end with it.
thread = threading.Thread(target=lambda: print(runner.deploy(service, name + "/revisions/r")))
thread.start()
thread.join()
sys.stdout.flush()
threading.Event().wait()
"""
    cloud = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path), ECHO_SERVER],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert cloud.stdout
        url = cloud.stdout.readline().strip()
        pid = requests.get(url, timeout=30).json()["pid"]
    finally:
        cloud.send_signal(signal.SIGKILL)
        cloud.communicate()
    until(lambda: not psutil.pid_exists(pid))


def ended(pid: int) -> bool:
    """Return whether a process has ended, even if nobody has asked for its exit code yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_stubborn_process_is_killed(tmp_path: Path) -> None:
    lines: list[str] = []
    script = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""
    process = Process(
        [sys.executable, "-c", script],
        environment={},
        folder=tmp_path,
        receive=lambda _stream, line: lines.append(line),
        grace=0.5,
    )
    until(lambda: lines)
    begin = time.monotonic()
    assert process.stop() == 128 + signal.SIGKILL
    assert 0.5 <= time.monotonic() - begin < 30  # it would sleep for a minute
    assert ended(int(lines[0]))
