"""What is wrong with a deployment, told before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import folders, gpus, names
from llm_widgets.domain.services import LONGEST_PROBE
from llm_widgets.errors import Fix, InvalidInputError
from llm_widgets.serving import concurrency, container_checks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.gpus import Gpu
    from llm_widgets.domain.services import Deployment, StartupProbe

LONGEST_TIMEOUT = 3600  # seconds of a request
LARGEST_CONCURRENCY = 1000
LONGEST_PROBE_FIELD = 240  # seconds of initial delay and period

# GiB for vCPUs without a GPU: Cloud Run's documented windows for the second generation.
_CPU_MEMORY = {1: (0.5, 4), 2: (0.5, 8), 4: (2, 16), 6: (4, 24), 8: (4, 32)}


def problems(deployment: Deployment) -> list[InvalidInputError]:
    """List what is wrong, each with the field where it is put right; empty when all is well."""
    return [
        *_names(deployment),
        *_hardware(deployment),
        *_scaling(deployment),
        *_probe(deployment.probe, with_gpu=bool(deployment.accelerator)),
        *container_checks.problems(deployment),
        *concurrency.problems(deployment),
    ]


def _names(deployment: Deployment) -> Iterator[InvalidInputError]:
    checks = (
        (names.project_id, deployment.project),
        (names.region, deployment.region),
        (names.service, deployment.name),
        (names.bucket, deployment.bucket),
    )
    for check, value in checks:
        try:
            check(value)
        except InvalidInputError as error:
            yield error
    if not folders.is_plain(deployment.folder):
        yield InvalidInputError(
            f"{names.shown(deployment.folder)} can't be mounted: it is not a model folder.",
            field="model",
            cause="Without a folder, a service would read the whole bucket.",
            fix=Fix(text="Import the model again."),
        )
    if deployment.subnet and deployment.connector:
        yield InvalidInputError(
            "Choose either a subnet or a connector: a service takes one of them.", field="network"
        )


def _hardware(deployment: Deployment) -> Iterator[InvalidInputError]:
    cpu, memory = deployment.cpu, deployment.memory_gib
    if not deployment.accelerator:
        window = _CPU_MEMORY.get(int(cpu)) if cpu == int(cpu) else None
        yield from _window(cpu, memory, list(_CPU_MEMORY), window, "Without a GPU")
    else:
        gpu = gpus.by_accelerator(deployment.accelerator)
        if gpu is None:
            known = ", ".join(each.accelerator for each in gpus.GPUS)
            yield InvalidInputError(
                f"{names.shown(deployment.accelerator)} is not a GPU of Cloud Run. Choose {known}.",
                field="accelerator",
            )
            return
        if gpu not in gpus.in_region(deployment.region):
            yield InvalidInputError(
                f"There is no {gpu.label} in {deployment.region}.",
                field="accelerator",
                cause=f"It is in {', '.join((*gpu.regions, *gpu.invited_regions))}.",
            )
        choices = gpu.cpus.get(int(cpu)) if cpu == int(cpu) else None
        window = (min(choices), max(choices)) if choices else None
        yield from _window(cpu, memory, list(gpu.cpus), window, _article(gpu))
    if deployment.cache_gib < 0 or deployment.cache_gib >= memory:
        yield InvalidInputError(
            f"A cache of {deployment.cache_gib} GiB leaves nothing of {memory:g} GiB of memory: "
            "it is taken from there.",
            field="cache_gib",
        )


def _article(gpu: Gpu) -> str:
    return f"With an {gpu.label}"


def _window(
    cpu: float,
    memory: float,
    cpus: list[int],
    window: tuple[float, float] | None,
    where: str,
) -> Iterator[InvalidInputError]:
    if window is None:
        told = ", ".join(str(each) for each in sorted(cpus))
        yield InvalidInputError(
            f"{where}, {cpu:g} vCPU is not available: choose {told}.", field="cpu"
        )
    elif not window[0] <= memory <= window[1]:
        least, most = window
        allowed = f"{least:g} GiB" if least == most else f"{least:g} to {most:g} GiB"
        yield InvalidInputError(
            f"{where} and {cpu:g} vCPU, memory is {allowed}, not {memory:g} GiB.",
            field="memory_gib",
        )


def _scaling(deployment: Deployment) -> Iterator[InvalidInputError]:
    least, most = deployment.min_instances, deployment.max_instances
    if most < 1:
        yield InvalidInputError("A service needs at least one instance.", field="max_instances")
    if least < 0 or least > max(most, 1):
        yield InvalidInputError(
            f"Minimum instances must be 0 to {most}, the maximum instances, not {least}.",
            field="min_instances",
        )
    if not 1 <= deployment.concurrency <= LARGEST_CONCURRENCY:
        yield InvalidInputError(
            f"Concurrent requests per instance must be 1 to {LARGEST_CONCURRENCY}, not "
            f"{deployment.concurrency}.",
            field="concurrency",
        )
    if not 1 <= deployment.timeout <= LONGEST_TIMEOUT:
        yield InvalidInputError(
            f"Request timeout must be 1 to {LONGEST_TIMEOUT} seconds, not {deployment.timeout}.",
            field="timeout",
        )


def _probe(probe: StartupProbe, *, with_gpu: bool) -> Iterator[InvalidInputError]:
    longest = LONGEST_PROBE[with_gpu]
    lasts = (
        f"The startup probe lasts {probe.period * probe.failures} seconds, period times "
        f"failures; Cloud Run allows {longest} {'with' if with_gpu else 'without'} a GPU."
    )
    rules = (
        (
            not probe.path or probe.path.startswith("/"),
            "The path of the startup probe begins with a slash.",
        ),
        (
            0 <= probe.initial_delay <= LONGEST_PROBE_FIELD,
            f"The startup probe's delay is 0 to {LONGEST_PROBE_FIELD} seconds.",
        ),
        (
            1 <= probe.period <= LONGEST_PROBE_FIELD,
            f"The startup probe's period is 1 to {LONGEST_PROBE_FIELD} seconds.",
        ),
        (
            1 <= probe.timeout <= probe.period,
            "The startup probe's timeout is at least a second, and not longer than its period.",
        ),
        (probe.failures >= 1, "The startup probe takes at least one failure."),
        (probe.period * probe.failures <= longest, lasts),
    )
    for holds, sentence in rules:
        if not holds:
            yield InvalidInputError(sentence, field="probe")
