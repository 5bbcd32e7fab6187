"""What contract tests start: a page's session over the module's product, and hubs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llm_widgets.page.session import Session
from local_cloud.hub import Hub
from tests.contract.product import open_project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.product import Product


@pytest.fixture
def session(product: Product) -> Iterator[Session]:
    """What a page knows of its user, with the project of the module's product open."""
    made = Session(product.settings)
    open_project(made, product)
    yield made
    made.close()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """The sample hub, by itself."""
    hub = Hub(tmp_path_factory.mktemp("cloud"), None, offline=True)
    hub.start()
    yield hub
    hub.stop()
