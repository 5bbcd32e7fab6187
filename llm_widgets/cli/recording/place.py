"""Where a recording works, and how it asks: plain calls whose refusals are answers, too."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import google_apis as apis
from llm_widgets.gcp.client import lazy, messages, rest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import ExitStack

    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.project.projects import Project

Json = dict[str, Any]

SERVICE = "llm-record"
ACCOUNT = "llm-record"
NOBODY = "llm-record-nobody"
IMAGE = "us-docker.pkg.dev/cloudrun/container/hello"
"""A web server of Google's own, for the service."""

_PERIOD = 1.0  # seconds between two looks at an operation
_PATIENCE = 300.0  # seconds that an operation may take
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Told:
    """An answer: its status, what it holds, and what it says where it refuses."""

    status: int
    body: Json
    message: str = ""

    @property
    def short(self) -> str:
        """What came of it, for a line on a terminal."""
        if not self.message:
            return "accepted"
        return f"refused with {self.status}: {self.message.splitlines()[0][:160]}"


@dataclass(frozen=True, slots=True)
class Place:
    """A project to record in.

    Parameters
    ----------
    region
        Where a service and a bucket are made.
    undo
        Deletes what was made, the last first.
    """

    clients: Clients
    project: Project
    region: str
    undo: ExitStack
    bucket: str = field(default_factory=lambda: f"llm-record-{secrets.token_hex(5)}")

    @property
    def services(self) -> str:
        """Path of the services of Cloud Run."""
        return f"/v2/projects/{self.project.id}/locations/{self.region}/services"

    @property
    def account(self) -> str:
        """E-mail address of the account that is made."""
        return f"{ACCOUNT}@{self.project.id}.iam.gserviceaccount.com"

    @property
    def known(self) -> dict[str, str]:
        """Variable by what is known of the project and was made in it."""
        return {
            self.project.id: "project",
            self.project.number: "number",
            self.bucket: "name",
            self.account: "made",
        }

    def ask(self, method: str, api: str, path: str, body: Mapping[str, Any] | None = None) -> Told:
        """Call, and return what was answered, be it a refusal."""
        try:
            return Told(200, rest.call(self.clients, method, api, path, body))
        except lazy.api_exceptions.GoogleAPICallError as error:
            return Told(int(error.code or 0), {}, messages.readable(str(error.message)))
        except ValueError:
            return Told(200, {})  # an empty answer

    def document(self, **template: Any) -> Json:
        """Return the JSON of a service that runs a web server."""
        return {"template": {"containers": [{"image": IMAGE}], **template}}

    def finished(self, started: Told) -> Told:
        """Wait until an operation of Cloud Run has ended, and return it."""
        deadline = time.monotonic() + _PATIENCE
        told = started
        while told.body and not told.body.get("done") and time.monotonic() < deadline:
            time.sleep(_PERIOD)
            told = self.ask("GET", apis.RUN, f"/v2/{started.body['name']}")
        return told

    def remove(self, api: str, path: str) -> None:
        """Delete something; what is not there is deleted."""
        told = self.ask("DELETE", api, path)
        if told.status not in {200, _NOT_FOUND}:
            print(f"  Not deleted: {path}. {told.short}")
        elif api == apis.RUN and told.body:
            self.finished(told)
