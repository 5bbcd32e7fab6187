"""The fields of a deployment, each with the reason why it is as it is offered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain import gpus, names
from llm_widgets.engines import hardware, registry
from llm_widgets.manager.memory import FIT_ANYWAY
from llm_widgets.page.services.access_fields import (
    NETWORK,
    access_fields,
    network_fields,
    network_summary,
)
from llm_widgets.page.services.container_fields import container_fields, container_summaries
from llm_widgets.page.services.deploy_values import values_of
from llm_widgets.serving.checks import LONGEST_TIMEOUT
from llm_widgets.widgets.fields import Field, Option

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from llm_widgets.domain.services import Deployment
    from llm_widgets.engines.base import Engine

PLACE = "Model and place"
HARDWARE = "Hardware"
SCALING = "Scaling"

_INSIST = Field(
    FIT_ANYWAY,
    "Deploy although it does not fit",
    "checkbox",
    value=False,
    help="Estimates can err; what the engine says of its memory is in its log.",
    group=HARDWARE,
)


def deploy_fields(
    offered: Deployment,
    now: Deployment,
    location: str,
    *,
    engines: Sequence[Engine] = (),
    is_refused: bool = False,
) -> list[Field]:
    """Make the fields of the form.

    Parameters
    ----------
    offered
        What each field restores.
    now
        What is chosen: GPUs depend on the region, vCPUs on the GPU, memory on the vCPUs.
    location
        Region of the bucket.
    engines
        Those that serve the model, where there is a choice.
    is_refused
        Whether it does not fit into the GPU: then it is deployed only if somebody insists.
    """
    default = values_of(offered)
    return [
        *([_engine(default, engines)] if len(engines) > 1 else []),
        *_place(offered, default, location),
        *_hardware(offered, now, default),
        *([_INSIST] if is_refused else []),
        *_scaling(offered, default),
        *container_fields(offered, default),
        *access_fields(default),
        *network_fields(default),
    ]


def summaries(deployment: Deployment) -> dict[str, str]:
    """Say what stands on the cards that are folded at first, in a line each."""
    return {**container_summaries(deployment), NETWORK: network_summary(deployment)}


def _engine(default: dict[str, Any], engines: Sequence[Engine]) -> Field:
    return Field(
        "framework",
        "Engine",
        "select",
        value=default["framework"],
        options=tuple(Option(engine.id, engine.label) for engine in engines),
        help="What serves the model; another one is offered with all that belongs to it.",
        group=PLACE,
    )


def _place(offered: Deployment, default: dict[str, Any], location: str) -> list[Field]:
    regions = dict.fromkeys((offered.region, *gpus.regions()))
    return [
        Field(
            "name",
            "Service name",
            required=True,
            value=default["name"],
            default=default["name"],
            max_length=names.SERVICE_LENGTH,
            help="Part of its address; lowercase letters, digits, hyphens; fixed once deployed.",
            group=PLACE,
        ),
        Field(
            "region",
            "Region",
            "select",
            value=default["region"],
            default=default["region"],
            options=tuple(
                Option(region, f"{region} (bucket)" if region == location else region)
                for region in regions
            ),
            help="Best the bucket's own: reads there are fast and free.",
            group=PLACE,
        ),
    ]


def _hardware(offered: Deployment, now: Deployment, default: dict[str, Any]) -> list[Field]:
    choices = hardware.machines(gpus.by_accelerator(now.accelerator))
    memories = choices.get(int(now.cpu), (int(now.memory_gib),))
    offered_gpus = [
        Option(
            each.accelerator, each.label + " by invitation" * (now.region in each.invited_regions)
        )
        for each in gpus.in_region(now.region)
    ]
    # What a service has stays a choice, also where nobody offers it.
    same_gpu = now.accelerator == offered.accelerator
    kept_cpu = default["cpu"] if same_gpu else ""
    kept_memory = default["memory_gib"] if same_gpu and now.cpu == offered.cpu else ""
    kept_gpu = default["accelerator"] if now.region == offered.region else ""
    return [
        _select(
            "accelerator",
            "GPU",
            _with(kept_gpu, "", (*offered_gpus, Option("", "None"))),
            default,
            "One for each instance; those of the region are offered.",
        ),
        _select(
            "cpu",
            "vCPUs",
            _with(kept_cpu, "", _options(choices, "")),
            default,
            "What the GPU allows; the first is what Cloud Run advises.",
        ),
        _select(
            "memory_gib",
            "Memory",
            _with(kept_memory, " GiB", _options(memories, " GiB")),
            default,
            "What the vCPUs allow; a file cache and the engine take from it.",
        ),
        Field(
            "zonal_redundancy",
            "Zonal redundancy",
            "checkbox",
            value=default["zonal_redundancy"],
            default=default["zonal_redundancy"],
            help="Off: reserving a second zone costs half as much again, from another quota.",
            group=HARDWARE,
        ),
    ]


def _scaling(offered: Deployment, default: dict[str, Any]) -> list[Field]:
    engine = registry.of(offered.framework)
    follows = "How many an instance is given; the engine may work on fewer."
    if engine:
        follows = (
            f"{engine.parallel.name} follows it, so that the engine works on what it is given."
        )
    rows = (
        ("min_instances", "Fewest instances", 0, 1000, "0: nothing runs and costs while unused."),
        ("max_instances", "Most instances", 1, 1000, "Each takes a GPU from the quota."),
        (
            "concurrency",
            "Requests at once per instance",
            1,
            1000,
            follows,
        ),
        (
            "timeout",
            "Longest request (seconds)",
            1,
            LONGEST_TIMEOUT,
            "Long answers and cold starts fit in.",
        ),
    )
    return [
        Field(
            key,
            label,
            "number",
            required=True,
            value=default[key],
            default=default[key],
            minimum=least,
            maximum=most,
            help=text,
            group=SCALING,
        )
        for key, label, least, most, text in rows
    ]


def _select(
    key: str, label: str, options: tuple[Option, ...], default: dict[str, Any], text: str
) -> Field:
    offered = default[key] if any(each.value == default[key] for each in options) else None
    return Field(
        key,
        label,
        "select",
        value=default[key],
        default=offered,
        options=options,
        help=text,
        group=HARDWARE,
    )


def _options(numbers: Iterable[int], unit: str) -> tuple[Option, ...]:
    return tuple(Option(str(number), f"{number}{unit}") for number in numbers)


def _with(kept: str, unit: str, options: tuple[Option, ...]) -> tuple[Option, ...]:
    if not kept or any(option.value == kept for option in options):
        return options
    return (Option(kept, f"{kept}{unit} (as it is)"), *options)
