"""Values for the templates of the catalogue that follow from the deployment alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llm_widgets.domain import gpus, links
from llm_widgets.domain.models import Framework
from llm_widgets.domain.units import duration_text
from llm_widgets.serving import ollama, vllm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.diagnosis.context import Context

LONGEST_PROBE = {True: 1800, False: 600}
"""Seconds that ``period * failures`` of a startup probe may take, with and without a GPU
(Cloud Run's page on health checks)."""

DEFAULT_IMAGES = {Framework.VLLM: vllm.IMAGE, Framework.OLLAMA: ollama.IMAGE}
"""The image that each engine is offered with."""

UTILIZATION = 0.92
"""vLLM's default for ``--gpu-memory-utilization`` (0.33)."""

MOST_UTILIZATION = 0.95
"""The share that Google's own guides give vLLM; the rest is for CUDA itself."""

OLD_DRIVER_OLLAMA = "ollama/ollama:0.24.0"
"""The last Ollama whose CUDA runs with driver 535 (ollama/ollama#16449)."""

# GiB of memory at most by vCPU without a GPU (Cloud Run's page on memory limits).
_MOST_MEMORY = {1: 4, 2: 8, 4: 16, 6: 24, 8: 32}
_LEAST_CONTEXT = 512  # tokens; a shorter context is of no use
_LEAST_UTILIZATION = 0.6
_VLLM_IMAGE = re.compile(r"(?:docker\.io/)?vllm/vllm-openai:v?\d[\w.]*")
_TAG = re.compile(r":v?(\d{1,4}(?:\.\d{1,4}){1,3})")
_MILLI = 1000  # the quotas of some GPUs count thousandths


def known(context: Context) -> dict[str, str]:
    """Give the values of a deployment by name; those that are not known are left out."""
    values = dict(_facts(context))
    values.update(_gpu(context))
    values.update(_memory(context))
    values.update(_probe(context))
    values.update(_engine(context))
    return {name: value for name, value in values.items() if value}


def number(value: float) -> str:
    """Write a number without superfluous zeros."""
    return f"{value:.4g}" if value != int(value) else str(int(value))


def _facts(context: Context) -> Iterator[tuple[str, str]]:
    yield "project", context.project
    yield "region", context.region
    yield "service", context.service
    yield "account", context.account
    yield "agent", context.service_agent
    yield "caller", context.caller
    yield "email", context.caller.partition("user:")[2]
    yield "bucket", context.bucket
    yield "folder", context.folder
    yield "model", context.model_id
    yield "image", context.image
    yield from _images(context)
    if context.framework is Framework.OLLAMA:
        yield from _ollama(context)
    yield "engine", context.framework.label if context.framework else ""
    yield "port", str(context.port or "")
    yield "cpu", number(context.cpu) if context.cpu else ""
    yield "memory", number(context.memory_gib) if context.memory_gib else ""
    yield "instances", str(context.max_instances or "")
    yield "cache", str(context.cache_gib or "")
    if context.project:
        yield "quota_page", links.quotas(context.project)
    if context.project and context.region and context.service:
        parent = f"projects/{context.project}/locations/{context.region}"
        yield "logs_url", links.service(f"{parent}/services/{context.service}", "logs")


def _ollama(context: Context) -> Iterator[tuple[str, str]]:
    """Give the model and the folder that Ollama should be told, where it is told others."""
    environment = context.environment
    if environment.get("MODEL", "") != context.model_id:
        yield "right_model", context.model_id
    folder = environment.get("OLLAMA_MODELS", "")
    if context.mount_path and folder.rstrip("/") != context.mount_path.rstrip("/"):
        yield "told_folder", folder or "its own folder"
        yield "right_folder", context.mount_path


def _images(context: Context) -> Iterator[tuple[str, str]]:
    """Give the image that is offered for the engine, where another one is used or an older one."""
    default = DEFAULT_IMAGES.get(context.framework) if context.framework else None
    if default and context.image != default:
        yield "default_image", default
        if _version(context.image) < _version(default):
            yield "newer_image", default


def _version(image: str) -> tuple[int, ...]:
    found = _TAG.search(image)
    return tuple(int(part) for part in found[1].split(".")) if found else ()


def _gpu(context: Context) -> Iterator[tuple[str, str]]:
    gpu = gpus.by_accelerator(context.accelerator)
    if gpu is None:
        return
    yield "gpu", gpu.label
    yield "gpu_memory", number(gpu.usable_gib)
    redundancy = "" if context.zonal_redundancy else "NoZonalRedundancy"
    yield "quota", f"{gpu.quota}GpuAlloc{redundancy}PerProjectRegion"
    whole = 1 if gpu.accelerator == "nvidia-l4" else _MILLI
    yield "quota_value", str((context.max_instances or 1) * whole)
    yield "gpu_regions", ",".join(r for r in gpu.regions if r != context.region)
    yield "gpu_regions_text", ", ".join(r for r in gpu.regions if r != context.region)
    here = [other for other in gpus.in_region(context.region) if other != gpu]
    yield "other_gpus", ",".join(other.accelerator for other in here)
    yield "other_gpus_text", " or ".join(other.label for other in here)
    bigger = min(
        (other for other in here if other.usable_gib > gpu.usable_gib),
        key=lambda other: other.usable_gib,
        default=None,
    )
    if bigger:
        yield "bigger_gpu", bigger.label
        yield "bigger_accelerator", bigger.accelerator
        yield "bigger_gpu_cpu", str(bigger.default_cpu)
        yield "bigger_gpu_memory", str(bigger.default_memory_gib)


def _memory(context: Context) -> Iterator[tuple[str, str]]:
    """Give the next larger memory, with the fewest vCPUs that carry it and are not fewer."""
    if not context.memory_gib:
        return
    gpu = gpus.by_accelerator(context.accelerator)
    if gpu:
        choices = [(m, cpu) for cpu, sizes in gpu.cpus.items() for m in sizes]
    else:
        choices = [(most, cpu) for cpu, most in _MOST_MEMORY.items()]
    larger = [c for c in choices if c[0] > context.memory_gib and c[1] >= context.cpu]
    if larger:
        memory, cpu = min(larger)
        yield "more_memory", str(memory)
        yield "more_memory_cpu", str(cpu)


def _probe(context: Context) -> Iterator[tuple[str, str]]:
    probe = context.probe
    if probe is None:
        return
    longest = LONGEST_PROBE[bool(context.accelerator)]
    lasts = probe.period * probe.failures
    yield "probe_time", duration_text(probe.initial_delay + lasts)
    yield "probe_path", probe.path
    failures = longest // probe.period
    if failures > probe.failures:
        yield "more_failures", str(failures)
        yield "longest_probe", duration_text(failures * probe.period)


def _engine(context: Context) -> Iterator[tuple[str, str]]:
    if context.framework is Framework.VLLM:
        yield "is_vllm", "yes"
        share = _share(context.argument("--gpu-memory-utilization"))
        yield "utilization", number(share)
        if share < MOST_UTILIZATION:
            yield "more_utilization", number(MOST_UTILIZATION)
        if share - 0.05 >= _LEAST_UTILIZATION:
            yield "less_utilization", number(round(share - 0.05, 2))
        length = context.argument("--max-model-len")
        if _VLLM_IMAGE.fullmatch(context.image) and "-cu" not in context.image:
            yield "cuda_image", f"{context.image}-cu129"
    else:
        length = context.environment.get("OLLAMA_CONTEXT_LENGTH", "")
        if context.framework is Framework.OLLAMA and context.image != OLD_DRIVER_OLLAMA:
            yield "cuda_image", OLD_DRIVER_OLLAMA
    if length.isdecimal() and len(length) < 10:  # noqa: PLR2004 - no model has a longer context
        yield "tokens", length
        if int(length) // 2 >= _LEAST_CONTEXT:
            yield "less_context", str(int(length) // 2)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        return UTILIZATION
    return share if 0 < share <= 1 else UTILIZATION
