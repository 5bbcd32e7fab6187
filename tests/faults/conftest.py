"""Cloud Storage of the local cloud on a free port, with a bucket for each test, and a hub."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from google.oauth2 import service_account

from llm_widgets.config import Settings
from llm_widgets.gcp.auth.sign_in import SCOPE
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.storage.buckets import create_bucket
from local_cloud.access import Access
from local_cloud.faults import Faults
from local_cloud.seed import owner_account, seed
from local_cloud.storage import Storage
from local_cloud.store import Store
from local_cloud.tokens import Tokens
from local_cloud.web import WebServer
from tests.faults.faulty_source import FaultySource
from tests.faults.importing import Imports, two_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECT = "local-project"


@dataclass
class StorageCloud:
    """Running Cloud Storage and the token endpoint."""

    data: Path
    faults: Faults
    clients: Clients
    environment: dict[str, str]


@pytest.fixture(scope="session")
def storage_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageCloud]:
    data = tmp_path_factory.mktemp("cloud")
    store = Store(data / "state.db")
    faults = Faults(store)
    access = Access(store, faults)
    seed(store, access, (PROJECT,))
    server = WebServer([faults.before_request])
    tokens = Tokens(store, server.url)
    server.routes += [tokens.route, Storage(data, store, access, faults).route]
    server.start()
    key = tokens.credentials_for(owner_account(PROJECT))
    (data / "credentials.json").write_text(json.dumps(key))
    credentials = service_account.Credentials.from_service_account_info(key, scopes=[SCOPE])
    yield StorageCloud(
        data,
        faults,
        Clients(Settings(google_endpoint=server.url), credentials),
        {
            "LLM_WIDGETS_GOOGLE_ENDPOINT": server.url,
            "GOOGLE_APPLICATION_CREDENTIALS": str(data / "credentials.json"),
        },
    )
    server.stop()
    store.close()


_NUMBERS = itertools.count(1)


@pytest.fixture
def imports(storage_cloud: StorageCloud) -> Iterator[Imports]:
    """Yield a bucket of models of its own, and what imports into it."""
    name = f"models-{next(_NUMBERS)}"
    create_bucket(storage_cloud.clients, PROJECT, name, "europe-west1")
    yield Imports(storage_cloud.clients, name, PROJECT, storage_cloud.environment)
    storage_cloud.faults.reset()


@pytest.fixture
def source() -> Iterator[FaultySource]:
    """A hub of two files that fails as it is told to."""
    source = FaultySource(two_files())
    yield source
    source.stop()
