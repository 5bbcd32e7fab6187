"""Compares estimates of GPU memory with published measurements, point by point.

Usage: ``python -m tests.bench.estimator tests/data/vram_reference.json``

The models of the points are described in ``vram_models.json`` beside the file. Each goes the way
of an import: configuration and table of tensors become a model, and that is estimated. The
measurements were made by different programs, so each is compared with the parts that it measured:

- ``weights_gib``: the weights as loaded;
- ``kv_gib``, ``kv_tokens``: the cache alone;
- ``total_gib``: weights, cache and the activations of the whole input at once, as Transformers
  holds them; without what CUDA and an engine take beside them.

Beside it stands the rule of the application before this one: the bytes of the files times 1.2.

``vllm_starts.json`` beside the file has starts of vLLM; of each the memory that it left to the
cache is compared, and whether it started. ``memory_starts.json`` has more starts, of Ollama too:
see :mod:`tests.bench.starts`. An error is dangerous where it promises more than there is.
"""

from __future__ import annotations

import argparse
import json
import statistics
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import gpus
from llm_widgets.domain.memory import (
    Tensor,
    from_config,
)
from llm_widgets.engines.ollama import memory as ollama
from llm_widgets.engines.ollama.memory import estimate as estimate_ollama
from llm_widgets.engines.vllm import cache as vllm_cache
from llm_widgets.engines.vllm import memory as vllm
from llm_widgets.engines.vllm.memory import estimate as estimate_vllm
from tests.bench import starts as more_starts
from tests.bench import tables

if TYPE_CHECKING:
    from llm_widgets.domain.gpus import Gpu
    from llm_widgets.domain.memory import MemoryModel

GIB = 2**30
RULE = 1.2


@dataclass(frozen=True, slots=True)
class Result:
    """A point with what was estimated for it, in the unit of the point.

    ``rule`` is what the old rule gives; ``None`` where it says nothing.
    """

    name: str
    kind: str
    model: str
    measured: float
    estimated: float
    rule: float | None

    @property
    def error(self) -> float:
        """Relative error of the estimate."""
        return self.estimated / self.measured - 1

    @property
    def is_dangerous(self) -> bool:
        """Whether it promises more than there is: less needed, or more tokens held."""
        wrong = self.error if self.kind == "kv_tokens" else -self.error
        return wrong > more_starts.DANGEROUS

    @property
    def rule_error(self) -> float | None:
        """Relative error of the rule."""
        return None if self.rule is None else self.rule / self.measured - 1


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a point's model was measured to fit into a GPU, and what was said of it."""

    name: str
    gpu: str
    fits: bool
    said: bool
    rule: bool


def results(reference: Path) -> list[Result]:
    """Estimate every point of a file."""
    points, described, models = _read(reference)
    return [
        _result(point, described[point["id"]], models[described[point["id"]]["model"]])
        for point in points
    ]


def verdicts(reference: Path) -> list[Verdict]:
    """Ask of every point on one GPU whether it fits into each GPU that Cloud Run has."""
    points, described, models = _read(reference)
    found = []
    for point in points:
        about = described[point["id"]]
        if point["kind"] not in {"total_gib", "weights_gib"} or "gpus" in about:
            continue
        model = models[about["model"]]
        found += [
            Verdict(
                name=point["id"],
                gpu=gpu.accelerator,
                fits=point["actual"] <= gpu.usable_gib,
                said=_fits(model, gpu, point.get("tokens", 2048), about["model"]),
                rule=_files(model) * RULE / 1e9 <= gpu.memory_gib,
            )
            for gpu in gpus.GPUS
        ]
    return found


@dataclass(frozen=True, slots=True)
class Start:
    """A start of vLLM: GiB for the cache and tokens in it, measured and estimated.

    ``fits`` tells by context whether it started, and whether that was said.
    """

    name: str
    cache: tuple[float, float]
    tokens: tuple[int, int]
    fits: dict[int, tuple[bool, bool]]


def starts(reference: Path) -> list[Start]:
    """Estimate every start in the file beside the reference."""
    models = json.loads((reference.parent / "vram_models.json").read_text())["models"]
    entries = json.loads((reference.parent / "vllm_starts.json").read_text())["starts"]
    return [_start(entry, models) for entry in entries]


def _start(entry: dict[str, Any], models: dict[str, Any]) -> Start:
    config = entry["config"]
    if isinstance(config, str):
        config = models[config]["config"]
    weights = int(entry["weights"] * GIB)
    model = from_config(config, [Tensor("all", "BF16", (weights // 2,), weights)])
    # The weights are as measured, so that what is compared is what stands beside them.
    model = replace(model, weights=weights, pictures=entry.get("pictures", False))
    gpu = replace(gpus.GPUS[0], accelerator="measured", usable_gib=entry["memory"])
    outcomes = {entry[key]: key == "started" for key in ("started", "refused") if key in entry}
    found = {
        context: estimate_vllm(
            model,
            gpu,
            context=context,
            concurrency=entry["requests"],
            utilization=entry["utilization"],
            max_num_batched_tokens=entry["batch"],
        )
        for context in outcomes
    }
    context, one = next(iter(found.items()))
    room = one.free + one.kv_cache.bytes
    tokens = int(entry["cache"] * GIB / vllm_cache.cache_bytes(model, context) * context)
    return Start(
        name=entry["id"],
        cache=(entry["cache"], room / GIB),
        tokens=(entry.get("tokens", 0), tokens),
        fits={context: (outcomes[context], found[context].fits) for context in outcomes},
    )


def _fits(model: MemoryModel, gpu: Gpu, context: int, name: str) -> bool:
    if "GGUF" in name or "Q4_K" in name:
        return estimate_ollama(model, gpu, context=context).fits
    return estimate_vllm(model, gpu, context=context).fits


def _read(
    reference: Path,
) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]], dict[str, MemoryModel]]:
    points = json.loads(reference.read_text())["points"]
    described = json.loads((reference.parent / "vram_models.json").read_text())
    models = {
        name: tables.model(entry["config"], entry["form"])
        for name, entry in described["models"].items()
    }
    return points, described["points"], models


def _files(model: MemoryModel) -> int:
    return model.weights + model.host_weights


def _result(point: dict[str, Any], about: dict[str, Any], model: MemoryModel) -> Result:
    if model.unknown:
        raise ValueError(f"{about['model']}: {model.unknown}")
    shared = about.get("gpus", 1)
    kind = point["kind"]
    rule: float | None = None
    if kind == "weights_gib":
        split = (vllm.weight_bytes(model) + model.host_weights) / shared
        estimated = (split + vllm.position_bytes(model)) / GIB
        rule = _files(model) * RULE / shared / GIB
    elif kind == "total_gib":
        needed = vllm.weight_bytes(model) + vllm.activation_bytes(model, about["input"])
        estimated = (needed + vllm_cache.cache_bytes(model, point["tokens"])) / GIB
        rule = _files(model) * RULE / GIB
    elif kind == "kv_gib":
        estimated = _cache(point, about, model) / shared / GIB
    elif kind == "kv_tokens":
        step = vllm_cache.cache_bytes(model, vllm_cache.BLOCK) / shared
        estimated = point["kv_gib"] * GIB // step * vllm_cache.BLOCK
    else:
        raise ValueError(f"Points of the kind {kind} are not known.")
    return Result(point["id"], kind, about["model"], point["actual"], estimated, rule)


def _cache(point: dict[str, Any], about: dict[str, Any], model: MemoryModel) -> int:
    if "only" not in about:
        return vllm_cache.cache_bytes(model, point["tokens"])
    wanted = about["only"] == "window"
    layers = tuple(layer for layer in model.growing if bool(getattr(layer, "window", 0)) == wanted)
    requests = about["requests"]
    return ollama.cache_bytes(
        # Of a later Ollama, which leaves caches to llama.cpp for all architectures.
        replace(model, layers=layers, architecture=""),
        about.get("context") or point["tokens"] // requests,
        parallel=requests,
        batch=about.get("batch", ollama.BATCH),
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("reference", type=Path, help="a file like tests/data/vram_reference.json")
    reference = parser.parse_args().reference
    found = results(reference)
    print(
        f"{'point':26}{'what':13}{'model':24}{'measured':>11}{'estimated':>11}{'error':>8}{'x1.2':>8}"
    )
    for result in found:
        rule = "-" if result.rule_error is None else f"{result.rule_error:+.1%}"
        print(
            f"{result.name:26}{result.kind:13}{result.model:24}{result.measured:11,.2f}"
            f"{result.estimated:11,.2f}{result.error:+8.1%}{rule:>8}"
        )
    errors = [abs(result.error) for result in found]
    rules = [abs(result.rule_error) for result in found if result.rule_error is not None]
    print(
        f"\n{len(found)} points: median error {statistics.median(errors):.1%}, "
        f"worst {max(errors):.1%}; the rule says something of {len(rules)}: "
        f"median {statistics.median(rules):.1%}, worst {max(rules):.1%}"
    )
    said = verdicts(reference)
    for name, pick in (("estimate", "said"), ("rule x1.2", "rule")):
        wrong = [v for v in said if getattr(v, pick) != v.fits]
        too_good = sorted(f"{v.name} on {v.gpu}" for v in wrong if not v.fits)
        too_bad = sorted(f"{v.name} on {v.gpu}" for v in wrong if v.fits)
        print(
            f"{name}: of {len(said)} questions “does it fit?”, {len(too_good)} answered yes where "
            f"the measurement is over the GPU's memory {too_good or ''}; {len(too_bad)} answered "
            f"no where it is below, without an engine's share {too_bad or ''}"
        )
    _print_starts(starts(reference))
    more = more_starts.points(reference.parent / "memory_starts.json")
    _print_points(more)
    dangerous = [result.name for result in found if result.is_dangerous]
    dangerous += [point.name for point in more if point.is_dangerous]
    print(f"\n{len(found) + len(more)} points: {len(dangerous)} dangerous errors {dangerous or ''}")


def _print_starts(found: list[Start]) -> None:
    print(f"\n{'start of vLLM':26}{'GiB for the cache':>22}{'tokens in it':>22}  started (said)")
    for start in found:
        cache = f"{start.cache[0]:.2f} ({start.cache[1]:.2f})"
        tokens = f"{start.tokens[0]:,} ({start.tokens[1]:,})" if start.tokens[0] else "-"
        fits = "; ".join(
            f"{context:,}: {'yes' if was else 'no'} ({'yes' if told else 'no'})"
            for context, (was, told) in start.fits.items()
        )
        print(f"{start.name:26}{cache:>22}{tokens:>22}  {fits}")


def _print_points(found: list[more_starts.Point]) -> None:
    print(f"\n{'point':8}{'what':20}{'model':36}{'measured':>12}{'estimated':>12}{'error':>8}")
    for point in found:
        print(
            f"{point.name:8}{point.kind:20}{point.model:36}{point.measured:12,.2f}"
            f"{point.estimated:12,.2f}{point.error:+8.1%}{'  !' if point.is_dangerous else ''}"
        )


if __name__ == "__main__":
    main()
