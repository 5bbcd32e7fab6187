"""What contract tests start: one local cloud for all of a session, a runner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local_cloud.cloud import LocalCloud
from local_cloud.logs import LogBook
from local_cloud.runner.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    cloud = LocalCloud(tmp_path_factory.mktemp("cloud"), offline=True)
    cloud.start()
    yield cloud
    cloud.stop()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LogBook]:
    book = LogBook(tmp_path / "logs.db")
    yield book
    book.close()


@pytest.fixture
def runner(tmp_path: Path, log: LogBook) -> Iterator[Runner]:
    (tmp_path / "buckets" / "models").mkdir(parents=True)
    runner = Runner(tmp_path, log, lambda email: {"IDENTITY": email}, queue_seconds=1.0)
    yield runner
    runner.shutdown()
