"""What instances cost, against figures worked out by hand of Google's list prices."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llm_widgets.domain import gpus
from llm_widgets.serving import cost
from tests.unit.test_diagnosis_changes import VLLM

L4 = replace(VLLM, accelerator="nvidia-l4", cpu=4, memory_gib=16, zonal_redundancy=False)


def test_an_hour_of_a_gpu_with_its_cpu_and_memory() -> None:
    # 0.0001867 + 4 * 0.000018 + 16 * 0.000002 = 0.0002907 a second
    assert cost.of_deployment(L4).hour == pytest.approx(1.04652)


def test_zonal_redundancy_costs_more() -> None:
    # 0.0002909 + 0.000072 + 0.000032 = 0.0003949 a second
    found = cost.of_deployment(replace(L4, zonal_redundancy=True))
    assert found.hour == pytest.approx(1.42164)


def test_without_a_gpu_only_cpu_and_memory_cost() -> None:
    # 0.000072 + 0.000032 = 0.000104 a second
    assert cost.of_deployment(replace(L4, accelerator="")).hour == pytest.approx(0.3744)


@pytest.mark.parametrize(("instances", "day"), [(0, 0.0), (1, 25.11648), (2, 50.23296)])
def test_only_instances_that_always_run_cost_when_unused(instances: int, day: float) -> None:
    found = cost.of_deployment(replace(L4, min_instances=instances))
    assert found.least_day == pytest.approx(day)


def test_what_the_quota_table_shows_is_the_smallest_instance_of_a_gpu() -> None:
    gpu = gpus.by_accelerator("nvidia-l4")
    assert gpu
    found = cost.of_instance(gpu, gpu.default_cpu, gpu.default_memory_gib, redundant=False)
    # 0.0001867 + 8 * 0.000018 + 32 * 0.000002 = 0.0003947 a second
    assert found == pytest.approx(1.42092)
