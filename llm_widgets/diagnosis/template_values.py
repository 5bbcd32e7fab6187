"""Values for the templates of the catalogue that follow from the deployment alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llm_widgets.domain import gpus, links
from llm_widgets.domain.failures.advice import LEAST_CONTEXT
from llm_widgets.domain.services import LONGEST_PROBE
from llm_widgets.domain.units import duration_text, rounded_text
from llm_widgets.engines import hardware, registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.failures.context import Context

_TAG = re.compile(r":v?(\d{1,4}(?:\.\d{1,4}){1,3})")

# Registries that Cloud Run reads images from, by the words of its own refusal.
_READ = re.compile(r"(?:[\w-]{1,40}\.)?gcr\.io|[\w-]{1,40}-docker\.pkg\.dev|docker\.io")


def known(context: Context) -> dict[str, str]:
    """Return the values of a deployment by name; those that are not known are left out."""
    values = dict(_facts(context))
    values.update(_gpu(context))
    values.update(_memory(context))
    values.update(_probe(context))
    values.update(_engine(context))
    return {name: value for name, value in values.items() if value}


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
    yield "port", str(context.port or "")
    yield "cpu", rounded_text(context.cpu) if context.cpu else ""
    yield "memory", rounded_text(context.memory_gib) if context.memory_gib else ""
    yield "instances", str(context.max_instances or "")
    yield "more_instances", str(context.max_instances + 1 if context.max_instances else "")
    yield "cache", str(context.cache_gib or "")
    if context.project:
        yield "quota_page", links.quotas(context.project)
    if context.project and context.region and context.service:
        parent = f"projects/{context.project}/locations/{context.region}"
        yield "logs_url", links.service(f"{parent}/services/{context.service}", "logs")


def _images(context: Context) -> Iterator[tuple[str, str]]:
    """Yield images that could be used: through a mirror, or the one that the engine is offered."""
    host, _, path = context.image.partition("/")
    if "." in host and not _READ.fullmatch(host) and context.region and context.project:
        repository = host.replace(".", "-")
        yield "other_registry", host
        yield "mirror_repository", repository
        yield "mirror", f"{context.region}-docker.pkg.dev/{context.project}/{repository}/{path}"
    engine = registry.of(context.framework)
    offered = engine.image(context.accelerator) if engine else context.image
    if context.image != offered:
        yield "default_image", offered
        if _version(context.image) < _version(offered):
            yield "newer_image", offered


def _version(image: str) -> tuple[int, ...]:
    found = _TAG.search(image)
    return tuple(int(part) for part in found[1].split(".")) if found else ()


def _gpu(context: Context) -> Iterator[tuple[str, str]]:
    gpu = gpus.by_accelerator(context.accelerator)
    if gpu is None:
        return
    yield "gpu", gpu.label
    yield "gpu_memory", rounded_text(gpu.usable_gib)
    yield "quota", gpu.quota_id(redundant=context.zonal_redundancy)
    yield "quota_value", str((context.max_instances or 1) * gpu.quota_unit)
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
    """Yield the next larger memory, with the fewest vCPUs that carry it and are not fewer."""
    if not context.memory_gib:
        return
    gpu = gpus.by_accelerator(context.accelerator)
    choices = [
        (memory, cpu)
        for cpu, memories in hardware.machines(gpu).items()
        for memory in (memories if gpu else memories[:1])  # without a GPU, the most there is
    ]
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
    engine = registry.of(context.framework)
    if engine is None:
        return
    yield "engine", engine.label
    yield f"is_{engine.id}", "yes"
    yield from engine.template_values(context)
    length = engine.context.told(context)
    if length.isdecimal() and len(length) < 10:  # noqa: PLR2004 - no model has a longer context
        yield "tokens", length
        if int(length) // 2 >= LEAST_CONTEXT:
            yield "less_context", str(int(length) // 2)
