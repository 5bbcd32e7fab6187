"""What contract tests start: one local cloud for all of a session, a runner, a page's session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llm_widgets.local.cloud import LocalCloud
from llm_widgets.local.logs import LogBook
from llm_widgets.local.runner.runner import Runner
from llm_widgets.page.session import Session
from tests.contract.product import open_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.contract.product import Product


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


@pytest.fixture
def session(product: Product) -> Iterator[Session]:
    """What a page knows of its user, with the project of the module's product open."""
    made = Session(product.settings)
    open_project(made, product)
    yield made
    made.close()
