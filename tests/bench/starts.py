"""Starts of engines in public logs: what was measured, and what is estimated.

A point of ``tests/data/memory_starts.json`` is of a kind:

- ``start_kv_gib``: what vLLM left to the cache of a GPU;
- ``start_concurrency``: the requests of the whole context that it holds then;
- ``kv_tokens``, ``kv_concurrency``: tokens and requests that a cache of known size holds;
- ``ollama_kv_gib``: the cache that Ollama took.

The weights are as measured, so that what is compared is what stands beside them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import gpus
from llm_widgets.domain.memory import Tensor, from_config
from llm_widgets.domain.units import GIB
from llm_widgets.engines.ollama import memory as ollama
from llm_widgets.engines.vllm import cache as vllm_cache
from llm_widgets.engines.vllm.memory import estimate as estimate_vllm

if TYPE_CHECKING:
    from pathlib import Path

    from llm_widgets.domain.memory import Estimate, MemoryModel

DANGEROUS = 0.03
"""Relative error from which it matters that a model does not fit as it was said to."""

_NEEDED = {"ollama_kv_gib"}  # kinds of which more is worse; of the others, less is


@dataclass(frozen=True, slots=True)
class Point:
    """One point, in the unit of its kind."""

    name: str
    kind: str
    model: str
    measured: float
    estimated: float

    @property
    def error(self) -> float:
        """Relative error of the estimate."""
        return self.estimated / self.measured - 1

    @property
    def is_dangerous(self) -> bool:
        """Whether it promises more than there is."""
        wrong = -self.error if self.kind in _NEEDED else self.error
        return wrong > DANGEROUS


def points(reference: Path) -> list[Point]:
    """Estimate every point of a file."""
    data = json.loads(reference.read_text())
    return [_point(point, data["configs"]) for point in data["points"]]


def _point(point: dict[str, Any], configs: dict[str, Any]) -> Point:
    config = configs[point.get("config", point["model"])]
    model = _model(config, point.get("weights_gib", 1.0))
    return Point(
        point["id"], point["kind"], point["model"], point["actual"], _estimated(point, model)
    )


def _estimated(point: dict[str, Any], model: MemoryModel) -> float:
    kind, context = point["kind"], point["context"]
    if kind == "ollama_kv_gib":
        return ollama.cache_bytes(model, context, parallel=point["parallel"]) / GIB
    if kind.startswith("start_"):
        start = _start(point, model)
        room = start.free + start.kv_cache.bytes
        return room / GIB if kind == "start_kv_gib" else room / start.kv_cache.bytes
    room = point["kv_gib"] * GIB
    if kind == "kv_tokens":
        return float(room // vllm_cache.cache_bytes(model, vllm_cache.BLOCK) * vllm_cache.BLOCK)
    if kind == "kv_concurrency":
        return float(room / vllm_cache.cache_bytes(model, context))
    raise ValueError(f"Points of the kind {kind} are not known.")


def _model(config: dict[str, Any], weights_gib: float) -> MemoryModel:
    weights = int(weights_gib * GIB)
    table = [Tensor("all", "BF16", (weights // 2,), weights)]
    model = from_config(config, table)
    return replace(model, weights=weights, positions=0)


def _start(point: dict[str, Any], model: MemoryModel) -> Estimate:
    gpu = replace(gpus.GPUS[0], accelerator="measured", usable_gib=point["gpu_gib"])
    return estimate_vllm(
        model,
        gpu,
        context=point["context"],
        concurrency=point["max_num_seqs"],
        utilization=point["utilization"],
        max_num_batched_tokens=point["max_num_batched_tokens"],
        kv_dtype=point["kv_dtype"],
        eager=point["eager"],
    )
