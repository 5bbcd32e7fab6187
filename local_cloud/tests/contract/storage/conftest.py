"""Clients of Cloud Storage, and buckets with names of their own."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
from google.auth.transport.requests import AuthorizedSession
from google.cloud import storage
from google.oauth2 import service_account

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import requests

    from local_cloud.cloud import LocalCloud

STRANGER = "stranger@demo-project.iam.gserviceaccount.com"

_numbers = itertools.count(1)


def credentials(key: Path) -> service_account.Credentials:
    scopes = ["https://www.googleapis.com/auth/cloud-platform"]
    found: service_account.Credentials = service_account.Credentials.from_service_account_info(
        json.loads(key.read_text()), scopes=scopes
    )
    return found


def client_of(cloud: LocalCloud, key: Path, project: str) -> storage.Client:
    return storage.Client(
        project=project,
        credentials=credentials(key),
        client_options={"api_endpoint": cloud.url},
    )


@pytest.fixture(scope="session")
def client(cloud: LocalCloud) -> storage.Client:
    """The manager's client, in its home project."""
    return client_of(cloud, cloud.credentials, "local-project")


@pytest.fixture(scope="session")
def other_client(cloud: LocalCloud) -> storage.Client:
    """The manager's client, in another project."""
    return client_of(cloud, cloud.credentials, "demo-project")


@pytest.fixture(scope="session")
def stranger(cloud: LocalCloud) -> storage.Client:
    """The client of an account that has no rights."""
    accounts = f"{cloud.url}/v1/projects/demo-project/serviceAccounts"
    made = AuthorizedSession(credentials(cloud.credentials)).post(
        accounts, json={"accountId": STRANGER.partition("@")[0]}, timeout=30
    )
    assert made.status_code == 200, made.text
    return client_of(cloud, cloud.key(STRANGER), "local-project")


@pytest.fixture(scope="session")
def call(cloud: LocalCloud) -> Callable[..., requests.Response]:
    """Send a request with the manager's token: method, path, and what requests takes."""
    session = AuthorizedSession(credentials(cloud.credentials))

    def send(method: str, path: str, **options: Any) -> requests.Response:
        url = path if path.startswith("http") else cloud.url + path
        answer: requests.Response = session.request(
            method, url, max_allowed_time=60, timeout=30, allow_redirects=False, **options
        )
        return answer

    return send


@pytest.fixture
def name() -> str:
    """The name of a bucket that no other test has."""
    return f"bucket-of-test-{next(_numbers)}"


@pytest.fixture
def bucket(client: storage.Client, name: str) -> storage.Bucket:
    """An empty bucket."""
    return client.create_bucket(name)


@pytest.fixture
def switches(cloud: LocalCloud) -> Iterator[Callable[..., None]]:
    """Change the switches for faults; they are put right afterwards."""
    yield cloud.faults.update
    cloud.faults.reset()


@pytest.fixture(scope="session")
def cloud_folder(cloud: LocalCloud) -> Path:
    """The data folder of the cloud."""
    return cloud.credentials.parent
