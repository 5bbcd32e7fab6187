"""What instances cost, against figures worked out by hand of Google's list prices."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from llm_widgets.domain import gpus, regions
from llm_widgets.domain.costs import Costs, ServiceCost
from llm_widgets.domain.prices import TABLE, Basis, Price, PriceList
from llm_widgets.domain.services import InstanceSize
from llm_widgets.serving import cost
from local_cloud.facts import facts
from tests.unit.test_diagnosis_changes import VLLM

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment
    from llm_widgets.serving.cost import Cost

L4 = replace(VLLM, accelerator="nvidia-l4", cpu=4, memory_gib=16, zonal_redundancy=False)


def priced(deployment: Deployment, listed: PriceList = TABLE) -> Cost:
    found = cost.of_deployment(deployment, listed)
    assert found
    return found


def test_an_hour_of_a_gpu_with_its_cpu_and_memory() -> None:
    # 0.0001867 + 4 * 0.000018 + 16 * 0.000002 = 0.0002907 a second
    assert priced(L4).hour == Decimal("1.04652")


def test_zonal_redundancy_costs_more() -> None:
    # 0.0002909 + 0.000072 + 0.000032 = 0.0003949 a second
    found = priced(replace(L4, zonal_redundancy=True))
    assert found.hour == Decimal("1.42164")


def test_without_a_gpu_only_cpu_and_memory_cost() -> None:
    # 0.000072 + 0.000032 = 0.000104 a second
    assert priced(replace(L4, accelerator="")).hour == Decimal("0.3744")


@pytest.mark.parametrize(("instances", "day"), [(0, "0"), (1, "25.11648"), (2, "50.23296")])
def test_only_instances_that_always_run_cost_when_unused(instances: int, day: str) -> None:
    found = priced(replace(L4, min_instances=instances))
    assert found.least_day == Decimal(day)


def test_a_price_that_nobody_knows_is_not_left_out() -> None:
    assert cost.of_deployment(replace(L4, accelerator="nvidia-unheard-of")) is None


def test_the_least_sure_price_says_how_sure_the_cost_is() -> None:
    near, far = replace(L4, region="europe-west1"), replace(L4, region="us-west4")
    assert [priced(each).basis for each in (near, far)] == [Basis.ABOUT, Basis.FROM]
    listed = PriceList(
        {
            ("europe-west1", "cpu"): Decimal("0.00002"),
            ("europe-west1", "memory"): Decimal("0.000003"),
            ("europe-west1", "nvidia-l4"): Decimal("0.0002"),
        }
    )
    # 0.0002 + 4 * 0.00002 + 16 * 0.000003 = 0.000328 a second
    assert priced(near, listed).hour == Decimal("1.1808")
    assert priced(near, listed).basis is Basis.LIST
    assert priced(replace(near, zonal_redundancy=True), listed).basis is Basis.ABOUT


def test_what_the_quota_table_shows_is_the_smallest_instance_of_a_gpu() -> None:
    gpu = gpus.by_accelerator("nvidia-l4")
    assert gpu
    size = InstanceSize(gpu.accelerator, gpu.default_cpu, gpu.default_memory_gib)
    found = cost.of_instance(TABLE, "europe-west1", size)
    assert found
    # 0.0001867 + 8 * 0.000018 + 32 * 0.000002 = 0.0003947 a second
    assert found.amount == Decimal("1.42092")


def test_billed_time_costs_to_the_cent_and_what_is_unknown_is_said() -> None:
    size = InstanceSize("nvidia-l4", 8, 32)
    two_hours = cost.of_usage(TABLE, "europe-west1", [(size, 3600), (size, 3600)])
    assert two_hours == (Price(Decimal("2.84"), Basis.ABOUT), True)
    partly = cost.of_usage(TABLE, "europe-west1", [(size, 3600), (None, 5)])
    assert partly == (Price(Decimal("1.42"), Basis.ABOUT), False)
    by_request = InstanceSize("", 1, 1, by_request=True)
    for unknown in (None, by_request, replace(size, accelerator="nvidia-unheard-of")):
        assert cost.of_usage(TABLE, "europe-west1", [(unknown, 5)]) == (None, False)
    nothing = cost.of_usage(TABLE, "europe-west1", [(None, 0)])
    assert nothing == (Price(Decimal(0), Basis.LIST), True)


def test_regions_and_tiers_are_those_of_googles_pages() -> None:
    first, second = (set(some) for some in facts("cloud_run")["tiers"]["regions"].values())
    assert set(regions.REGIONS) == first | second
    # Google's own pages differ about it: no more than "from" is said of its price.
    assert gpus.DEARER_REGIONS - second == {"asia-south1"}
    assert second <= gpus.DEARER_REGIONS
    assert "us-east4" not in gpus.DEARER_REGIONS


@pytest.mark.parametrize(
    ("seconds", "hours"), [(0, 0), (12, 0.01), (36, 0.01), (77, 0.02), (5400, 1.5)]
)
def test_time_that_cost_something_is_never_zero_hours(seconds: float, hours: float) -> None:
    name = "projects/p/locations/europe-west1/services/chat"
    spent = Price(Decimal("0.01"), Basis.LIST)
    found = ServiceCost(name, seconds, spent, is_all=True, idle_share=None, hour=None)
    assert found.hours == found.shown()["instance_hours"] == hours


@pytest.mark.parametrize(
    ("cents", "total"),
    [
        ((), "$0.00"),
        (("0.00",), "under $0.01"),
        (("0.00", "0.00"), "under $0.02"),
        (("0.00", "0.31"), "$0.31"),
    ],
)
def test_a_total_of_what_cost_something_is_never_zero(cents: tuple[str, ...], total: str) -> None:
    made = Costs(
        ServiceCost(
            "", 9, Price(Decimal(each), Basis.LIST), is_all=True, idle_share=None, hour=None
        )
        for each in cents
    )
    assert made.total_text == total
