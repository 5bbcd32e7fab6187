"""The local cloud on a free port, for all contract tests of a session."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from llm_widgets.local.access import Access
from llm_widgets.local.faults import Faults
from llm_widgets.local.seed import manager_account, seed
from llm_widgets.local.storage import Storage
from llm_widgets.local.store import Store
from llm_widgets.local.tokens import Tokens
from llm_widgets.local.web import WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Cloud:
    """A running local cloud: Cloud Storage and the token endpoint."""

    data: Path
    store: Store
    faults: Faults
    access: Access
    tokens: Tokens
    url: str
    credentials: Path


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    data = tmp_path_factory.mktemp("cloud")
    store = Store(data / "state.db")
    faults = Faults(store)
    access = Access(store, faults)
    seed(store, access, ("local-project", "demo-project"))
    server = WebServer([faults.before_request])
    tokens = Tokens(store, server.url)
    server.routes += [tokens.route, Storage(data, store, access, faults).route]
    credentials = data / "credentials.json"
    key = tokens.credentials_for(manager_account("local-project"))
    credentials.write_text(json.dumps(key))
    server.start()
    yield Cloud(data, store, faults, access, tokens, server.url, credentials)
    server.stop()
    store.close()
