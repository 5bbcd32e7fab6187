"""Why a revision is not ready."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from google.cloud import run_v2

from local_cloud.runner.failures import RevisionFailed
from local_cloud.testing.programs import ECHO_SERVER
from tests.contract.running import (
    NAME,
    mounted,
    revision,
    service,
    texts,
)

if TYPE_CHECKING:
    from local_cloud.logs import LogBook
    from local_cloud.runner.runner import Runner


@pytest.mark.parametrize(
    ("script", "container", "message", "line"),
    [
        (
            "import sys; sys.exit('no such model')",
            {},
            r"failed to start and listen on the port defined provided by the PORT=8080",
            "no such model",
        ),
        (
            "import time; time.sleep(60)",
            {
                "startup_probe": {
                    "http_get": {"path": "/health"},
                    "period_seconds": 1,
                    "failure_threshold": 2,
                }
            },
            "failed the configured startup probe checks",
            "STARTUP HTTP probe failed 2 times consecutively for container on port 8080 path",
        ),
        (
            ECHO_SERVER,
            {
                "startup_probe": {
                    "tcp_socket": {"port": 9999},
                    "period_seconds": 1,
                    "failure_threshold": 1,
                }
            },
            "failed the configured startup probe checks",
            "STARTUP TCP probe failed 1 time consecutively for container on port 9999",
        ),
        (
            "x = bytearray(200 << 20); import time; time.sleep(60)",
            {"resources": {"limits": {"memory": "100Mi"}}},
            "exceeded its memory limit",
            "Memory limit of 100 MiB exceeded with",
        ),
    ],
    ids=["exit", "http probe", "tcp probe", "memory"],
)
def test_why_a_revision_is_not_ready(
    runner: Runner, log: LogBook, *, script: str, container: dict[str, Any], message: str, line: str
) -> None:
    with pytest.raises(RevisionFailed, match=message) as failure:
        runner.deploy(service(script, container=container), revision())
    assert failure.value.reason == "HEALTH_CHECK_CONTAINER_ERROR"
    assert failure.value.message.startswith("Revision 'hello-00001-abc' is not ready")
    assert "Logs URL: https://console.cloud.google.com/logs/viewer?project=p" in str(failure.value)
    assert any(line in text for text in texts(log))


def test_an_unknown_image(runner: Runner) -> None:
    asked = service()
    asked.template.containers[0].image = "docker.io/nobody/nothing:1"
    with pytest.raises(RevisionFailed, match=r"Image 'docker\.io/nobody/nothing:1' not found\."):
        runner.deploy(asked, revision())


def test_a_missing_secret(runner: Runner) -> None:
    variable = run_v2.EnvVar(name="KEY", value_source={"secret_key_ref": {"secret": "absent"}})
    with pytest.raises(
        RevisionFailed, match="projects/p/secrets/absent/versions/latest"
    ) as failure:
        runner.deploy(service(container={"env": [variable]}), revision())
    assert failure.value.reason == "SECRETS_ACCESS_CHECK_FAILED"


def test_mount_paths_are_the_folders_of_this_machine(runner: Runner, tmp_path: Path) -> None:
    folder = tmp_path / "buckets" / "models" / "a" / "b"
    folder.mkdir(parents=True)
    url = runner.deploy(service(**mounted("models", "implicit-dirs", "only-dir=a/b")), revision())
    args = requests.get(url, timeout=30).json()["args"]
    assert args[:3] == [f"--model={folder}/x", "/modelsx", "gs://models/models"]
    assert Path(args[3]).is_dir()
    runner.stop(NAME)
    assert not Path(args[3]).exists()


@pytest.mark.parametrize(
    ("bucket", "options", "message"),
    [
        ("absent", (), "bucket absent: storage: bucket doesn't exist"),
        ("models", ("only-dir=../x",), "not a folder of the bucket"),
        (
            "models",
            ("file-cache-enable-parallel-downloads",),
            "file cache should be enabled for parallel download support",
        ),
        ("forbidden", (), "does not have storage.objects.list access"),
    ],
)
def test_a_volume_that_cannot_be_mounted(
    runner: Runner, log: LogBook, *, bucket: str, options: tuple[str, ...], message: str
) -> None:
    runner.may_mount = lambda _email, name, _read_only: (
        "Error 403: x does not have storage.objects.list access" if name == "forbidden" else ""
    )
    with pytest.raises(RevisionFailed, match=message):
        runner.deploy(service(**mounted(bucket, *options)), revision())
    assert any(text.startswith("mountWithArgs: ") and message in text for text in texts(log))
