"""The local cloud as a process: starts, restarts, and what keeps it from starting."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import requests
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.cloud import run_v2

from local_cloud.cloud import LocalCloud
from local_cloud.errors import LocalCloudError
from local_cloud.testing.waiting import until
from tests.contract.control_plane import PARENT, SOON, ControlPlane, job, service

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

# The local cloud in a process of its own, so that it can be killed.
PROGRAM = """
import sys, time
from pathlib import Path
from local_cloud.cloud import LocalCloud
cloud = LocalCloud(Path(sys.argv[1]), offline=True)
cloud.start()
print(cloud.url, flush=True)
time.sleep(600)
"""


def started(data: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(data)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    return process, process.stdout.readline().strip()


def test_a_kill_loses_nothing(tmp_path: Path) -> None:
    process, url = started(tmp_path)
    credentials = ControlPlane.credentials_of(tmp_path / "credentials.json")

    def client(kind: type) -> Any:
        options = ClientOptions(api_endpoint=url)
        return kind(transport="rest", credentials=credentials, client_options=options)

    services = client(run_v2.ServicesClient)
    public = service()
    public.invoker_iam_disabled = True
    made = services.create_service(parent=PARENT, service_id="stays", service=public)
    address = made.result(timeout=60, polling=SOON).uri
    slow = "import os, time; time.sleep(60 * (os.environ['CLOUD_RUN_TASK_ATTEMPT'] == '0'))"
    jobs = client(run_v2.JobsClient)
    jobs.create_job(parent=PARENT, job_id="stays", job=job(slow)).result(timeout=60, polling=SOON)
    run = jobs.run_job(name=f"{PARENT}/jobs/stays")
    executions = client(run_v2.ExecutionsClient)
    until(lambda: executions.get_execution(name=run.metadata.name).running_count)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    process, again = started(tmp_path)
    try:
        assert again == url
        until(lambda: _answers(address))
        assert requests.get(address, timeout=30).text == "hello"
        found = services.get_service(name=f"{PARENT}/services/stays")
        assert found.uri == address
        # The attempt died with the process; the next one ends at once, and so does the operation.
        execution = run.result(timeout=60, polling=SOON)
        assert (execution.succeeded_count, execution.retried_count) == (1, 1)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=30).ok
    except requests.ConnectionError:
        return False


def test_a_deployment_under_way_is_finished_after_a_restart(tmp_path: Path) -> None:
    first = ControlPlane(tmp_path)
    gate = tmp_path / "gate"
    wanted = service(
        f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.1)\n"
        + service().template.containers[0].command[1]
    )
    services = first.rest(run_v2.ServicesClient)
    operation = services.create_service(parent=PARENT, service_id="slow", service=wanted)
    name = operation.operation.name
    assert not operation.done()
    first.cloud.stop()
    gate.touch()
    second = ControlPlane(tmp_path)
    answer = {}
    try:
        url = f"{second.url}/v2/{name}"
        until(lambda: answer.update(second.session().get(url).json()) or answer.get("done"))
        found = second.rest(run_v2.ServicesClient).get_service(name=f"{PARENT}/services/slow")
    finally:
        second.cloud.stop()
    assert "error" not in answer
    assert answer["response"]["name"] == found.name
    assert found.terminal_condition.state == run_v2.Condition.State.CONDITION_SUCCEEDED


def test_a_folder_serves_one_local_cloud(tmp_path: Path) -> None:
    first = LocalCloud(tmp_path, offline=True)
    with pytest.raises(LocalCloudError, match=f"process {os.getpid()}"):
        LocalCloud(tmp_path, offline=True)
    first.stop()
    LocalCloud(tmp_path, offline=True).stop()


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for kind in ("port", "grpc_port", "hub_port"):
            with pytest.raises(LocalCloudError, match=f"Port {port} for .* cannot be used") as got:
                LocalCloud(tmp_path, offline=True, **{kind: port})
            assert "choose another port" in got.value.fix


def test_kept_ports_that_are_taken_give_way(tmp_path: Path) -> None:
    first = LocalCloud(tmp_path, offline=True)
    port = int(first.url.rsplit(":", 1)[1])
    first.stop()
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        second = LocalCloud(tmp_path, offline=True)
        assert second.url != first.url
        assert json.loads(second.credentials.read_text())["token_uri"] == f"{second.url}/token"
        second.stop()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalCloudError, match="cannot be written to"):
        LocalCloud(tmp_path / "file", offline=True)


def test_operations_are_private(tmp_path: Path) -> None:
    plane = ControlPlane(tmp_path)
    try:
        services = plane.rest(run_v2.ServicesClient)
        request = run_v2.CreateServiceRequest(
            parent=PARENT, service_id="x", service=service(), validate_only=True
        )
        name = services.create_service(request).operation.name
        assert services.get_operation({"name": name}).done
        plane.cloud.faults.update(denied_permissions=["run.operations.get"])
        with pytest.raises(exceptions.Forbidden, match=r"run\.operations\.get"):
            services.get_operation({"name": name})
    finally:
        plane.cloud.stop()
