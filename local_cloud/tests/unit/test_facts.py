"""Facts about Google Cloud are data with a source and a date, and agree with each other."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from local_cloud.facts import facts
from local_cloud.google.regions import GPU_REGIONS, REGIONS, network_ranges
from local_cloud.google.run_quotas import QUOTAS
from local_cloud.storage.regions import placement

DATED = [
    facts("roles"),
    *(facts("cloud_run")[part] for part in ("tiers", "gpus", "quotas")),
    facts("catalog")["skus"],
]


@pytest.mark.parametrize("part", DATED, ids=["roles", "tiers", "gpus", "quotas", "skus"])
def test_each_says_where_it_is_from(part: dict[str, Any]) -> None:
    assert part["source"].startswith("https://")
    assert date.fromisoformat(part["date"]).year >= 2026


def test_a_region_has_one_tier() -> None:
    first, second = (set(regions) for regions in facts("cloud_run")["tiers"]["regions"].values())
    assert not first & second
    assert first | second == REGIONS
    assert {"us-east4", "asia-south1", "europe-north2"} <= first
    assert {"asia-southeast1", "asia-south2"} <= second


def test_gpus_networks_and_buckets_are_where_cloud_run_is() -> None:
    with_gpus = {region for regions in GPU_REGIONS.values() for region in regions}
    assert with_gpus == set(network_ranges())
    assert with_gpus <= REGIONS
    assert {placement(region, [])["locationType"] for region in REGIONS} == {"region"}


def test_every_quota_has_a_limit_in_a_new_project() -> None:
    limits = {quota.id: quota.default for quota in QUOTAS.values()}
    assert limits == facts("cloud_run")["quotas"]["of_a_new_project"]


def test_every_gpu_has_prices() -> None:
    assert set(facts("catalog")["skus"]["by_gpu"]) == set(GPU_REGIONS)
