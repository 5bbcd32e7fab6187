"""Fixtures of the hostile visitors: servers, and who visits them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.running import Server, running_server

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL = "small.ipynb"


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve the small page with a token; nothing that a test sends leaves a traceback."""
    folder = tmp_path_factory.mktemp("locked")
    with running_server(folder, SMALL, warm_kernels=0, token=None) as server:
        assert server.url, server.log.read_text()
        yield server
    assert "Traceback" not in (log := server.log.read_text()), log


@pytest.fixture(scope="module")
def unlocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve the small page to everybody; nothing that a test sends leaves a traceback."""
    folder = tmp_path_factory.mktemp("open")
    with running_server(folder, SMALL, warm_kernels=0, token="") as server:
        assert server.url, server.log.read_text()
        yield server
    assert "Traceback" not in (log := server.log.read_text()), log
