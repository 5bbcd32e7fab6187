"""What the form asks of a service's place, its hardware and how it scales."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from llm_widgets.domain import gpus, names
from llm_widgets.domain.units import number_text
from llm_widgets.engines import hardware, registry
from llm_widgets.manager.memory import FIT_ANYWAY
from llm_widgets.page.services.form_entry import Card, Choice, Entry, Shown, number
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
        (gpu.accelerator, gpu.label + " by invitation" * (now.region in gpu.invited_regions))
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
    return [(kept, f"{kept}{unit} (as it is)"), *choices]


def _concurrency_help(shown: Shown) -> str:
    engine = registry.of(shown.offered.framework)
    if engine is None:
        return "How many an instance is given; the engine may work on fewer."
    return f"{engine.parallel.name} follows it, so that the engine works on what it is given."


PLACE = Card(
    "Model and place",
    (
        Entry(
            "framework",
            "Engine",
            "What serves the model; another one is offered with all that belongs to it.",
            "select",
            derive=attrgetter("framework"),
            choices=_engines,
            is_shown=lambda shown: len(shown.engines) > 1,
            restores=False,
        ),
        Entry(
            "name",
            "Service name",
            "Part of its address; lowercase letters, digits, hyphens; fixed once deployed.",
            read=str.strip,
            max_length=names.SERVICE_LENGTH,
            is_required=True,
        ),
        Entry(
            "region",
            "Region",
            "Best the bucket's own: reads there are fast and free.",
            "select",
            choices=_regions,
        ),
    ),
)
HARDWARE = Card(
    "Hardware",
    (
        Entry(
            "accelerator",
            "GPU",
            "One for each instance; those of the region are offered.",
            "select",
            choices=_gpus,
            follows=True,
        ),
        Entry(
            "cpu",
            "vCPUs",
            "What the GPU allows; the first is what Cloud Run advises.",
            "select",
            write=number_text,
            read=number,
            choices=_cpus,
            follows=True,
        ),
        Entry(
            "memory_gib",
            "Memory",
            "What the vCPUs allow; a file cache and the engine take from it.",
            "select",
            write=number_text,
            read=number,
            choices=_memories,
            follows=True,
        ),
        Entry(
            "zonal_redundancy",
            "Zonal redundancy",
            "Off: reserving a second zone costs half as much again, from another quota.",
            "checkbox",
        ),
        Entry(
            FIT_ANYWAY,
            "Deploy although it does not fit",
            "Estimates can err; what the engine says of its memory is in its log.",
            "checkbox",
            initial=False,
            is_shown=lambda shown: shown.is_refused,
            restores=False,
        ),
    ),
)
SCALING = Card(
    "Scaling",
    (
        Entry(
            "min_instances",
            "Fewest instances",
            "0: nothing runs and costs while unused.",
            "number",
            limits=(0, _MOST_INSTANCES),
        ),
        Entry(
            "max_instances",
            "Most instances",
            "Each takes a GPU from the quota.",
            "number",
            limits=(1, _MOST_INSTANCES),
        ),
        Entry(
            "concurrency",
            "Requests at once per instance",
            _concurrency_help,
            "number",
            limits=(1, LARGEST_CONCURRENCY),
        ),
        Entry(
            "timeout",
            "Longest request (seconds)",
            "Long answers and cold starts fit in.",
            "number",
            limits=(1, LONGEST_TIMEOUT),
        ),
    ),
)
