"""What contract tests start: a page's session over the module's product."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llm_widgets.page.session import Session
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
