from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials

from llm_widgets.config import Settings
from llm_widgets.gcp.client.clients import CONNECTIONS, Clients

LOCAL = "http://127.0.0.1:9"
GAPIC = (
    "services",
    "revisions",
    "jobs",
    "executions",
    "tasks",
    "projects",
    "billing",
    "connectors",
    "service_usage",
    "quotas",
    "secrets",
)


def made(endpoint: str = "") -> Clients:
    return Clients(Settings(google_endpoint=endpoint), AnonymousCredentials())


@pytest.mark.parametrize("name", GAPIC)
def test_each_client_speaks_rest_to_the_endpoint_of_the_settings(name: str) -> None:
    transport = getattr(made(LOCAL), name).transport
    assert transport.kind == "rest"
    assert transport._host == LOCAL


@pytest.mark.parametrize("name", GAPIC)
def test_each_client_speaks_to_google_otherwise(name: str) -> None:
    host = getattr(made(), name).transport._host
    assert host.startswith("https://")
    assert host.endswith(".googleapis.com")


def test_storage_speaks_to_the_endpoint_of_the_settings() -> None:
    assert made(LOCAL).storage("my-project").api_endpoint == LOCAL
    assert made().storage("my-project").api_endpoint == "https://storage.googleapis.com"


def test_threads_share_one_client_with_connections_for_all() -> None:
    clients, at_once = made(LOCAL), threading.Barrier(16, timeout=10)

    def get(_: int) -> object:
        at_once.wait()
        return clients.services

    with ThreadPoolExecutor(16) as pool:
        found = set(map(id, pool.map(get, range(16))))
    assert len(found) == 1
    transport: Any = clients.services.transport
    for session in (clients.session, transport._session):
        adapter: Any = session.get_adapter(LOCAL)
        assert adapter._pool_maxsize == CONNECTIONS


def test_urls_of_apis_without_clients() -> None:
    assert made().url("iam.googleapis.com") == "https://iam.googleapis.com"
    assert made(LOCAL).url("iam.googleapis.com") == LOCAL
