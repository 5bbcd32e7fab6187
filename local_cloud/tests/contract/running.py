"""Services and jobs for tests of the runner: small Python programs stand for containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.cloud import run_v2

from local_cloud.testing.programs import ECHO_SERVER

if TYPE_CHECKING:
    from local_cloud.logs import LogBook

PARENT = "projects/p/locations/europe-west1"
NAME = f"{PARENT}/services/hello"


def service(script: str = ECHO_SERVER, name: str = "hello", **template: Any) -> run_v2.Service:
    container = run_v2.Container(
        image="local/python:3", command=["-c", script], **template.pop("container", {})
    )
    return run_v2.Service(
        name=f"{PARENT}/services/{name}",
        template=run_v2.RevisionTemplate(containers=[container], **template),
    )


def revision(number: int = 1, name: str = "hello") -> str:
    return f"{PARENT}/services/{name}/revisions/{name}-0000{number}-abc"


def texts(log: LogBook) -> list[str]:
    return [entry.get("textPayload", "") for entry in log.query(["p"], limit=500)[0]]


def mounted(bucket: str, *options: str) -> dict[str, Any]:
    return {
        "volumes": [
            {"name": "m", "gcs": {"bucket": bucket, "read_only": True, "mount_options": options}},
            {"name": "e", "empty_dir": {}},
        ],
        "container": {
            "volume_mounts": [
                {"name": "m", "mount_path": "/models"},
                {"name": "e", "mount_path": "/scratch"},
            ],
            "args": ["--model=/models/x", "/modelsx", "gs://models/models", "/scratch"],
        },
    }


def execution(script: str, **template: Any) -> run_v2.Execution:
    container = run_v2.Container(image="local/python:3", command=["-c", script])
    return run_v2.Execution(
        name=f"{PARENT}/jobs/load/executions/load-abc",
        job="load",
        task_count=3,
        template=run_v2.TaskTemplate(containers=[container], **template),
    )
