"""One local cloud on free ports, for all contract tests of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llm_widgets.local.cloud import LocalCloud

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    cloud = LocalCloud(tmp_path_factory.mktemp("cloud"), offline=True)
    cloud.start()
    yield cloud
    cloud.stop()
