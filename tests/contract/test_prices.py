"""Prices of the catalogue, read by the product from the local cloud."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from llm_widgets.domain.prices import CPU, MEMORY, Basis, Price, gpu
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.project import prices
from tests.contract.product import PROJECT, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

L4 = gpu("nvidia-l4", redundant=False)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        yield from running(tmp_path_factory.mktemp("prices"), environment)


@pytest.fixture
def product(started: Product) -> Iterator[Product]:
    yield started
    started.faults.reset()


@pytest.fixture
def clients(product: Product) -> Clients:
    """Clients that have read no prices yet."""
    return Clients(product.settings, product.clients.credentials)


def test_prices_are_those_of_the_catalogue(clients: Clients) -> None:
    found = prices.listed(clients, PROJECT)
    assert found.second("us-central1", L4) == Price(Decimal("0.0001867"), Basis.LIST)
    assert found.second("us-central1", CPU) == Price(Decimal("0.000018"), Basis.LIST)
    assert found.second("us-central1", MEMORY) == Price(Decimal("0.000002"), Basis.LIST)
    pro = found.second("europe-west4", gpu("nvidia-rtx-pro-6000", redundant=True))
    assert pro == Price(Decimal("0.00056913"), Basis.LIST)
    # Its descriptions have a word twice, and it is dearer than the table knows.
    assert found.second("asia-southeast1", L4) == Price(Decimal("0.00022404"), Basis.LIST)
    assert found.source.startswith("List prices of 20")


def test_a_region_that_the_catalogue_lacks_has_the_price_of_the_table(clients: Clients) -> None:
    found = prices.listed(clients, PROJECT)
    assert found.second("europe-north1", L4) == Price(Decimal("0.0001867"), Basis.ABOUT)
    assert found.second("us-west4", L4) == Price(Decimal("0.0001867"), Basis.FROM)
    assert found.second("europe-west1", "nvidia-unheard-of") is None


def test_prices_are_read_once(product: Product, clients: Clients) -> None:
    first = prices.listed(clients, PROJECT)
    product.faults.update(disabled_apis=["cloudbilling.googleapis.com"])
    assert prices.listed(clients, PROJECT) is first


def test_old_prices_are_read_again(
    product: Product, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = prices.listed(clients, PROJECT)
    monkeypatch.setattr(prices, "KEPT", timedelta(0))
    again = prices.listed(clients, PROJECT)
    assert again is not first
    assert again.found == first.found
    product.faults.update(disabled_apis=["cloudbilling.googleapis.com"])
    assert prices.listed(clients, PROJECT).read_at is None


@pytest.mark.parametrize(
    "fault",
    [
        {"disabled_apis": ["cloudbilling.googleapis.com"]},
        {"failures": [{"match": "GET /v1/services/.*/skus", "status": 403}]},
        {"failures": [{"match": "GET /v1/services/.*/skus", "status": 501}]},
    ],
)
def test_without_the_catalogue_prices_are_approximate_and_never_nothing(
    product: Product, clients: Clients, fault: dict[str, object]
) -> None:
    product.faults.update(**fault)
    found = prices.listed(clients, PROJECT)
    assert found.second("us-central1", L4) == Price(Decimal("0.0001867"), Basis.ABOUT)
    assert found.reason
    assert found.source.startswith("Approximate")
    product.faults.reset()
    assert prices.listed(clients, PROJECT).read_at is not None
