"""The catalogue of prices through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from google.api_core import exceptions
from google.cloud import billing_v1

from tests.contract.control_plane import ControlPlane, control_plane

if TYPE_CHECKING:
    from collections.abc import Iterator

CLOUD_RUN = "services/152E-C115-5142"


@pytest.fixture(scope="module")
def module_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    yield from control_plane(tmp_path_factory.mktemp("plane"))


@pytest.fixture
def plane(module_plane: ControlPlane) -> Iterator[ControlPlane]:
    yield module_plane
    module_plane.cloud.faults.reset()


@pytest.fixture(params=["rest", "grpc"])
def client(request: pytest.FixtureRequest, plane: ControlPlane) -> Any:
    return plane.client(request.param, billing_v1.CloudCatalogClient)


def listed(client: Any, **more: Any) -> dict[str, Any]:
    return {sku.description: sku for sku in client.list_skus({"parent": CLOUD_RUN, **more})}


def price(sku: Any) -> tuple[str, int, int]:
    money = sku.pricing_info[-1].pricing_expression.tiered_rates[-1].unit_price
    return money.currency_code, money.units, money.nanos


def test_prices_are_nanos_of_a_unit(client: Any) -> None:
    assert [each.name for each in client.list_services()] == [CLOUD_RUN]
    found = listed(client)
    gpu = found["NVIDIA L4 GPU with no zonal redundancy in europe-west1"]
    assert list(gpu.service_regions) == ["europe-west1"]
    assert gpu.pricing_info[0].pricing_expression.usage_unit == "s"
    assert price(gpu) == ("USD", 0, 186_700)
    memory = found["Services Memory (Instance-based billing) in europe-west1"]
    expression = memory.pricing_info[0].pricing_expression
    assert expression.usage_unit == "GiBy.s"
    free, rest = expression.tiered_rates
    assert (free.start_usage_amount, free.unit_price.nanos) == (0, 0)
    assert (rest.start_usage_amount, rest.unit_price.nanos) == (450_000, 2000)
    assert "NVIDIA L4 GPU with no zonal redundancy in europe-north1" not in found


def test_descriptions_have_the_quirks_of_the_real_ones(client: Any) -> None:
    found = listed(client)
    assert "NVIDIA L4 GPU with zonal redundancy in in asia-southeast1" in found
    by_request = found["Services CPU Tier 1 (Request-based billing)"]
    assert {"europe-west1", "us-central1"} <= set(by_request.service_regions)


def test_pages_hold_as_many_as_asked(client: Any) -> None:
    pages = list(client.list_skus({"parent": CLOUD_RUN, "page_size": 100}).pages)
    assert len(pages) > 2
    assert {len(page.skus) for page in pages[:-1]} == {100}
    ids = [sku.sku_id for page in pages for sku in page.skus]
    assert len(set(ids)) == len(ids) == len(listed(client))


def test_another_currency(client: Any) -> None:
    sku = listed(client, currency_code="JPY")["Jobs CPU in europe-west1"]
    assert price(sku) == ("JPY", 0, 2_700_000)
    assert sku.pricing_info[0].currency_conversion_rate == 150
    with pytest.raises(exceptions.BadRequest, match="XYZ"):
        listed(client, currency_code="XYZ")


def test_what_is_refused(plane: ControlPlane, client: Any) -> None:
    with pytest.raises(exceptions.NotFound):
        list(client.list_skus(parent="services/0000-0000-0000"))
    plane.cloud.faults.update(disabled_apis=["cloudbilling.googleapis.com"])
    with pytest.raises(exceptions.Forbidden) as caught:
        listed(client)
    assert caught.value.reason == "SERVICE_DISABLED"
