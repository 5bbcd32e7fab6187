"""What the form asks of a service's place, its hardware and how it scales."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from llm_widgets.domain import gpus, names
from llm_widgets.domain.units import number_text
from llm_widgets.engines import hardware, registry
from llm_widgets.manager.memory import FIT_ANYWAY
from llm_widgets.page.services.form_entry import CONCURRENCY, Card, Choice, Entry, Shown, number
from llm_widgets.serving.checks import LARGEST_CONCURRENCY, LONGEST_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_INSTANCES = 1000


def _engines(shown: Shown) -> Iterable[Choice]:
    return ((engine.id, engine.label) for engine in shown.engines)


def _regions(shown: Shown) -> Iterable[Choice]:
    for region in dict.fromkeys((shown.offered.region, *gpus.regions())):
        yield region, f"{region} (bucket)" if region == shown.location else region


# What a service has stays a choice, also where nobody offers it.
def _gpus(shown: Shown) -> list[Choice]:
    now, offered = shown.now, shown.offered
    found = [
        (gpu.accelerator, gpu.label + " (by invitation)" * (now.region in gpu.invited_regions))
        for gpu in gpus.in_region(now.region)
    ]
    kept = offered.accelerator if now.region == offered.region else ""
    return _with(kept, "", [*found, ("", "None")])


def _cpus(shown: Shown) -> list[Choice]:
    now, offered = shown.now, shown.offered
    kept = number_text(offered.cpu) if now.accelerator == offered.accelerator else ""
    return _with(kept, "", _numbers(hardware.machines(gpus.by_accelerator(now.accelerator)), ""))


def _memories(shown: Shown) -> list[Choice]:
    now, offered = shown.now, shown.offered
    is_same = (now.accelerator, now.cpu) == (offered.accelerator, offered.cpu)
    machines = hardware.machines(gpus.by_accelerator(now.accelerator))
    found = machines.get(int(now.cpu), (int(now.memory_gib),))
    return _with(
        number_text(offered.memory_gib) if is_same else "", " GiB", _numbers(found, " GiB")
    )


def _numbers(numbers: Iterable[int], unit: str) -> list[Choice]:
    return [(str(each), f"{each}{unit}") for each in numbers]


def _with(kept: str, unit: str, choices: list[Choice]) -> list[Choice]:
    if not kept or any(value == kept for value, _ in choices):
        return choices
    return [(kept, f"{kept}{unit} (current)"), *choices]


def _cpu_help(shown: Shown) -> str:
    gpu = gpus.by_accelerator(shown.now.accelerator)
    return f"Recommended: {gpu.default_cpu}." if gpu else "Per instance."


def _concurrency_help(shown: Shown) -> str:
    engine = registry.of(shown.offered.framework)
    if engine is None:
        return "Requests that an instance receives at the same time."
    return f"Also sets {engine.parallel.name}."


PLACE = Card(
    "Service",
    (
        Entry(
            "framework",
            "Engine",
            "The server that runs the model.",
            "select",
            derive=attrgetter("framework"),
            choices=_engines,
            is_shown=lambda shown: len(shown.engines) > 1,
            restores=False,
            is_basic=True,
        ),
        Entry(
            "name",
            "Service name",
            "Lowercase letters, digits and hyphens. Part of the URL; can't be changed later.",
            read=str.strip,
            max_length=names.SERVICE_LENGTH,
            is_required=True,
            is_basic=True,
        ),
        Entry(
            "region",
            "Region",
            "Same region as the bucket is fastest and free of transfer costs.",
            "select",
            choices=_regions,
            is_basic=True,
        ),
    ),
)
HARDWARE = Card(
    "Hardware",
    (
        Entry(
            "accelerator",
            "GPU",
            "GPUs available in this region; one per instance.",
            "select",
            choices=_gpus,
            follows=True,
            is_basic=True,
        ),
        Entry(
            "cpu",
            "vCPUs",
            _cpu_help,
            "select",
            write=number_text,
            read=number,
            choices=_cpus,
            follows=True,
        ),
        Entry(
            "memory_gib",
            "Memory",
            "Per instance. Shared by the engine and the file cache.",
            "select",
            write=number_text,
            read=number,
            choices=_memories,
            follows=True,
        ),
        Entry(
            "zonal_redundancy",
            "Zonal redundancy",
            "Adds failover to a second zone; GPU costs about 50 % more and uses a separate quota.",
            "checkbox",
        ),
        Entry(
            FIT_ANYWAY,
            "Deploy despite the memory estimate",
            "Try anyway. If the model does not fit, the engine's log says so.",
            "checkbox",
            initial=False,
            is_shown=lambda shown: shown.is_refused,
            restores=False,
            is_basic=True,
        ),
    ),
)
SCALING = Card(
    "Scaling",
    (
        Entry(
            "min_instances",
            "Minimum instances",
            "0: no cost while idle.",
            "number",
            limits=(0, _MOST_INSTANCES),
            is_basic=True,
        ),
        Entry(
            "max_instances",
            "Maximum instances",
            "Each instance uses one GPU of your quota.",
            "number",
            limits=(1, _MOST_INSTANCES),
            is_basic=True,
        ),
        Entry(
            "concurrency",
            CONCURRENCY,
            _concurrency_help,
            "number",
            limits=(1, LARGEST_CONCURRENCY),
        ),
        Entry(
            "timeout",
            "Request timeout (seconds)",
            "Long enough for cold starts and long answers.",
            "number",
            limits=(1, LONGEST_TIMEOUT),
        ),
    ),
)
