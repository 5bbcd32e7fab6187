"""The whole local cloud for tests of its control plane, and the official clients pointed at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
from google.api_core.client_options import ClientOptions
from google.api_core.future.polling import DEFAULT_POLLING
from google.auth.transport.requests import AuthorizedSession, Request
from google.cloud import run_v2
from google.oauth2 import service_account

from local_cloud.cloud import LocalCloud

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECT = "projects/local-project"
PARENT = f"{PROJECT}/locations/europe-west1"
MANAGER = "manager@local-project.iam.gserviceaccount.com"
# Asks often: a local deployment takes less than the second that clients wait between two looks.
SOON = DEFAULT_POLLING.with_delay(initial=0.05, maximum=0.2)
SCOPE = "https://www.googleapis.com/auth/cloud-platform"

# A web server in a few lines: what a container with a model is, for these tests.
SERVER = """
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = os.environ.get("WORD", "hello").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


class _Token(grpc.UnaryUnaryClientInterceptor):
    """Adds the token to each call, as a channel to Google does."""

    def __init__(self, token: str) -> None:
        self._token = token

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        metadata = [*(details.metadata or []), ("authorization", f"Bearer {self._token}")]
        return continuation(details._replace(metadata=metadata), request)


class ControlPlane:
    """A running local cloud and clients for it."""

    def __init__(self, data: Path) -> None:
        self.cloud = LocalCloud(data, offline=True)
        self.cloud.start()
        self.url = self.cloud.url
        self.credentials = self.credentials_of(self.cloud.credentials)

    @staticmethod
    def credentials_of(path: Path) -> service_account.Credentials:
        found: service_account.Credentials = service_account.Credentials.from_service_account_file(
            path, scopes=[SCOPE]
        )
        return found

    def rest(self, client: type[Any], credentials: Any = None) -> Any:
        options = ClientOptions(api_endpoint=self.url)
        return client(
            transport="rest", credentials=credentials or self.credentials, client_options=options
        )

    def grpc(self, client: type[Any]) -> Any:
        self.credentials.refresh(Request())
        channel = grpc.intercept_channel(
            grpc.insecure_channel(self.cloud.grpc_address), _Token(str(self.credentials.token))
        )
        return client(transport=client.get_transport_class("grpc")(channel=channel))

    def client(self, transport: str, client: type[Any]) -> Any:
        return self.rest(client) if transport == "rest" else self.grpc(client)

    def session(self) -> AuthorizedSession:
        return AuthorizedSession(self.credentials)


def control_plane(folder: Path) -> Iterator[ControlPlane]:
    plane = ControlPlane(folder)
    yield plane
    plane.cloud.stop()


def service(script: str = SERVER, **template: Any) -> run_v2.Service:
    container = run_v2.Container(
        image="local/python:3",
        command=["-c", script],
        resources=run_v2.ResourceRequirements(limits={"cpu": "1", "memory": "512Mi"}),
        startup_probe=run_v2.Probe(
            http_get=run_v2.HTTPGetAction(path="/"),
            period_seconds=1,
            timeout_seconds=1,
            failure_threshold=20,
        ),
    )
    template.setdefault("scaling", run_v2.RevisionScaling(max_instance_count=1))
    return run_v2.Service(template=run_v2.RevisionTemplate(containers=[container], **template))


def job(script: str, **task: Any) -> run_v2.Job:
    execution = {k: task.pop(k) for k in ("task_count", "parallelism") if k in task}
    container = run_v2.Container(image="local/python:3", command=["-c", script])
    return run_v2.Job(
        template=run_v2.ExecutionTemplate(
            template=run_v2.TaskTemplate(containers=[container], **task), **execution
        )
    )
