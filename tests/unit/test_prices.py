"""What is read from SKUs of the catalogue, and what is not believed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from google.cloud import billing_v1
from google.type.money_pb2 import Money

from llm_widgets.domain.prices import (
    CPU,
    MEMORY,
    Basis,
    Price,
    PriceList,
    dollars,
    gpu,
    least_sure,
    per_million,
)
from llm_widgets.gcp.project.prices import of_skus

REGION = "us-central1"
L4 = gpu("nvidia-l4", redundant=False)
Rate = billing_v1.PricingExpression.TierRate


def sku(description: str, *nanos: int, regions: tuple[str, ...] = (REGION,), **more: Any) -> Any:
    """Return a SKU with a tier for each price."""
    currency, units = more.get("currency", "USD"), more.get("units", 0)
    rates = [
        Rate(unit_price=Money(currency_code=currency, units=units, nanos=each)) for each in nanos
    ]
    expression = billing_v1.PricingExpression(usage_unit=more.get("unit", "s"), tiered_rates=rates)
    made = billing_v1.Sku(
        description=description,
        category=billing_v1.Category(usage_type=more.get("usage_type", "OnDemand")),
        service_regions=regions,
        pricing_info=[billing_v1.PricingInfo(pricing_expression=expression)],
    )
    return billing_v1.Sku.pb(made)


GPU = "NVIDIA L4 GPU with no zonal redundancy in us-central1"


@pytest.mark.parametrize(
    ("description", "of"),
    [
        (GPU, L4),
        ("nvidia l4 gpu WITH NO zonal redundancy in in us-central1", L4),
        ("NVIDIA L4 GPU with zonal redundancy in elsewhere", gpu("nvidia-l4", redundant=True)),
        (
            "NVIDIA RTX Pro 6000 GPU with no zonal redundancy in us-central1",
            gpu("nvidia-rtx-pro-6000", redundant=False),
        ),
        ("Services CPU (Instance-based billing) in us-central1", CPU),
        ("Services Memory (Instance-based billing) in us-central1", MEMORY),
    ],
)
def test_words_say_what_a_price_is_of(description: str, of: str) -> None:
    assert of_skus([sku(description, 186_700)]) == {(REGION, of): Decimal("0.0001867")}


@pytest.mark.parametrize(
    "description",
    [
        "Jobs CPU in us-central1",
        "Worker Pools CPU in us-central1",
        "Services CPU Tier 1 (Request-based billing)",
        "Jobs NVIDIA L4 GPU with no zonal redundancy in us-central1",
        "NVIDIA L40S GPU with no zonal redundancy in us-central1",
        "NVIDIA L4 GPU in us-central1",
        "",
    ],
)
def test_what_is_of_something_else_is_left_out(description: str) -> None:
    assert of_skus([sku(description, 186_700)]) == {}


def test_the_region_is_that_of_the_field() -> None:
    found = of_skus([sku(GPU, 186_700, regions=("europe-west1", "europe-west4"))])
    assert set(found) == {("europe-west1", L4), ("europe-west4", L4)}


def test_the_last_tier_is_the_price_beyond_what_is_free() -> None:
    assert of_skus([sku(GPU, 0, 186_700)])[REGION, L4] == Decimal("0.0001867")


def test_units_and_nanos_are_added_exactly() -> None:
    found = of_skus([sku(GPU, 672_120_000, unit="h", units=3)])
    assert found[REGION, L4] == Decimal("3.67212") / 3600


@pytest.mark.parametrize(
    "odd",
    [
        sku(GPU, 160_000, currency="EUR"),
        sku(GPU, 186_700, unit="furlong"),
        sku(GPU, 0),
        sku(GPU, -186_700),
        sku(GPU),
        sku(GPU, 100_000, usage_type="Commit1Yr"),
        billing_v1.Sku.pb(billing_v1.Sku(description=GPU, service_regions=[REGION])),
    ],
    ids=["currency", "unit", "nothing", "less than nothing", "no tier", "commitment", "no price"],
)
def test_a_price_that_can_not_be_told_is_none(odd: Any) -> None:
    assert of_skus([odd]) == {}


def test_two_prices_of_the_same_are_none() -> None:
    assert of_skus([sku(GPU, 186_700), sku(GPU.lower(), 190_000)]) == {}


def test_what_the_catalogue_lacks_is_told_as_approximate() -> None:
    found = PriceList({(REGION, CPU): Decimal("0.000018")})
    gpu_price, cpu_price = found.second(REGION, L4), found.second(REGION, CPU)
    assert gpu_price
    assert cpu_price
    assert (gpu_price.basis, cpu_price.basis) == (Basis.ABOUT, Basis.LIST)
    assert least_sure(gpu_price.basis, cpu_price.basis) is Basis.ABOUT
    assert least_sure(Basis.FROM, Basis.ABOUT) is Basis.FROM


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0.00"),
        ("0.004", "under $0.01"),
        ("0.005", "$0.01"),
        ("1.42092", "$1.42"),
        ("12345.678", "$12,345.68"),
    ],
)
def test_amounts_are_written_in_cents(amount: str, text: str) -> None:
    assert dollars(Decimal(amount)) == text


def test_a_million_tokens_cost_what_an_instance_costs_while_it_writes_them() -> None:
    hour = Price(Decimal("0.72"), Basis.ABOUT)
    found = per_million(hour, 100.0)  # 10,000 seconds
    assert found == Price(Decimal(2), Basis.ABOUT)
    assert per_million(None, 100.0) is per_million(hour, None) is per_million(hour, 0.0) is None
