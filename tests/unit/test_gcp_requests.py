"""What is asked of Google's APIs, and what their answers are taken for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import run_v2
from requests.adapters import BaseAdapter

from llm_widgets.config import Settings
from llm_widgets.domain import gpus
from llm_widgets.domain.quotas import CPU, MEMORY
from llm_widgets.domain.regions import REGIONS
from llm_widgets.errors import QuotaError
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.observe import metrics
from llm_widgets.gcp.project import network, quotas
from llm_widgets.gcp.run import services

if TYPE_CHECKING:
    from collections.abc import Callable

SERVICE = "projects/my-project/locations/europe-west1/services/s"


class Answers(BaseAdapter):
    """Answers requests in place of Google, and keeps them with the seconds that they may take."""

    def __init__(self, answer: Callable[[requests.PreparedRequest], Any]) -> None:
        super().__init__()
        self._answer = answer
        self.asked: list[tuple[str, float]] = []

    def send(
        self, request: requests.PreparedRequest, *_: Any, timeout: Any = None, **__: Any
    ) -> requests.Response:
        self.asked.append((str(request.url), float(timeout) if timeout else 0))
        response = requests.Response()
        response.status_code, response.request = 200, request
        response._content = json.dumps(self._answer(request)).encode()
        return response

    def close(self) -> None:
        """Keep nothing open."""


def asked_by(answer: Callable[[requests.PreparedRequest], Any]) -> tuple[Clients, Answers]:
    """Return clients of Google whose requests go nowhere."""
    clients, answers = Clients(Settings(), AnonymousCredentials()), Answers(answer)
    transport: Any = clients.services.transport
    for session in (clients.session, transport._session):
        session.mount("https://", answers)
    return clients, answers


def trial(clients: Clients) -> None:
    made = run_v2.Service()
    services.create(clients, "my-project", "europe-west1", "s", made, validate_only=True)


def test_an_accepted_trial_is_the_answer() -> None:
    clients, answers = asked_by(lambda _: {"name": "operations/never-to-be-found", "done": False})
    trial(clients)
    assert len(answers.asked) == 1


def test_a_trial_that_is_refused_in_its_operation() -> None:
    text = "You do not have quota for using GPUs without zonal redundancy."
    error = {"code": 8, "message": text}
    clients, _ = asked_by(lambda _: {"name": "operations/x", "done": True, "error": error})
    with pytest.raises(QuotaError, match="Can't create the service s in europe-west1"):
        trial(clients)


def test_metrics_name_the_resource_that_they_are_of() -> None:
    clients, answers = asked_by(lambda _: {})
    metrics.usage(clients, SERVICE)
    filters = [parse_qs(urlsplit(url).query)["filter"][0] for url, _ in answers.asked]
    assert filters
    assert all('resource.type="cloud_run_revision"' in each for each in filters)


def test_a_wait_of_compute_engine_takes_two_minutes() -> None:
    states = iter(["RUNNING", "RUNNING", "DONE"])
    clients, answers = asked_by(lambda _: {"name": "operation-1", "status": next(states)})
    network.turn_on_private_google_access(clients, "my-project", "europe-west1", "default")
    waits = [seconds for url, seconds in answers.asked if url.endswith("/wait")]
    assert len(waits) == 2
    assert min(waits) > 120


@pytest.mark.parametrize("region", REGIONS)
def test_ids_of_quota_preferences_are_short_and_of_their_own(region: str) -> None:
    both = (True, False)
    of_gpus = [gpu.quota_id(redundant=redundant) for gpu in gpus.GPUS for redundant in both]
    ids = {quotas.preference_id(quota_id, region) for quota_id in (*of_gpus, CPU, MEMORY)}
    assert len(ids) == len(of_gpus) + 2
    assert max(map(len, ids)) <= 63
