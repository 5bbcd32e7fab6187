"""The fields of a deployment, each with the reason why it is as it is offered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain import gpus
from llm_widgets.domain.models import Framework
from llm_widgets.domain.services import Ingress
from llm_widgets.state.deploy_values import (
    CONNECTOR,
    MEMBERS,
    NO_NETWORK,
    ONLY_ME,
    SUBNET,
    values_of,
)
from llm_widgets.views.services.container_fields import container_fields, pairs
from llm_widgets.widgets.form import Field, Option

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment

PLACE = "Model and place"
HARDWARE = "Hardware"
SCALING = "Scaling"
ACCESS = "Access and network"

_INGRESS = {
    Ingress.ALL: "From anywhere, with an ID token",
    Ingress.INTERNAL: "From this project's networks only",
    Ingress.BALANCER: "From these networks and a load balancer",
}
_CPU_ONLY_CPUS = (1, 2, 4, 6, 8)
_CPU_ONLY_GIB = {1: (4, 2), 2: (8, 4), 4: (16, 8), 6: (24, 16), 8: (32, 24, 16)}


def deploy_fields(offered: Deployment, now: Deployment, location: str) -> list[Field]:
    """Make the fields of the form.

    Parameters
    ----------
    offered
        What each field restores.
    now
        What is chosen: GPUs depend on the region, vCPUs on the GPU, memory on the vCPUs.
    location
        Region of the bucket.
    """
    default = values_of(offered)
    return [
        *_place(offered, default, location),
        *_hardware(now, default),
        *_scaling(offered, default),
        *container_fields(offered, default),
        *_access(default),
    ]


def _place(offered: Deployment, default: dict[str, Any], location: str) -> list[Field]:
    regions = dict.fromkeys((offered.region, *gpus.regions()))
    return [
        Field(
            "name",
            "Service name",
            required=True,
            value=default["name"],
            default=default["name"],
            max_length=49,
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


def _hardware(now: Deployment, default: dict[str, Any]) -> list[Field]:
    gpu = gpus.by_accelerator(now.accelerator)
    cpus = tuple(gpu.cpus) if gpu else _CPU_ONLY_CPUS
    cpu = int(now.cpu) if int(now.cpu) in cpus else cpus[0]
    memories = gpu.cpus[cpu] if gpu else _CPU_ONLY_GIB[cpu]
    offered_gpus = [Option(each.accelerator, each.label) for each in gpus.in_region(now.region)]
    return [
        _select(
            "accelerator",
            "GPU",
            (*offered_gpus, Option("", "None")),
            default,
            "One for each instance; those of the region are offered.",
        ),
        _select(
            "cpu",
            "vCPUs",
            _options(cpus, ""),
            default,
            "What the GPU allows; the first is what Cloud Run advises.",
        ),
        _select(
            "memory_gib",
            "Memory",
            _options(memories, " GiB"),
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
    engine = "--max-num-seqs" if offered.framework is Framework.VLLM else "OLLAMA_NUM_PARALLEL"
    rows = (
        ("min_instances", "Fewest instances", 0, 100, "0: nothing runs and costs while unused."),
        ("max_instances", "Most instances", 1, 100, "Each takes a GPU from the quota."),
        (
            "concurrency",
            "Requests at once per instance",
            1,
            1000,
            f"{engine} follows it, so that the engine works on what it is given.",
        ),
        ("timeout", "Longest request (seconds)", 1, 3600, "Long answers and cold starts fit in."),
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


def _access(default: dict[str, Any]) -> list[Field]:
    return [
        Field(
            "service_account",
            "Service account",
            value=default["service_account"],
            default=default["service_account"],
            help="Who the service is; it needs to read the bucket, and no more.",
            group=ACCESS,
        ),
        Field(
            "grant_access",
            "Let it read the bucket",
            "checkbox",
            value=True,
            default=True,
            help="Adds roles/storage.objectViewer on this bucket; without it the mount fails.",
            group=ACCESS,
        ),
        Field(
            "callers",
            "Who may call",
            "select",
            value=ONLY_ME,
            default=ONLY_ME,
            options=(Option(ONLY_ME, "Only me"), Option(MEMBERS, "Me and these members")),
            help="Never everybody: a GPU that anybody may use is a bill.",
            group=ACCESS,
        ),
        Field(
            "members",
            "Members",
            "rows",
            value=(),
            columns=("user:ann@example.org",),
            add_label="Add a member",
            help="user:, group:, serviceAccount: or domain: and who it is.",
            show_when=("callers", MEMBERS),
            group=ACCESS,
        ),
        Field(
            "ingress",
            "Requests come",
            "select",
            value=default["ingress"],
            default=default["ingress"],
            options=tuple(Option(each.value, label) for each, label in _INGRESS.items()),
            help="Who may call is asked in any case.",
            group=ACCESS,
        ),
        Field(
            "network_kind",
            "Network",
            "select",
            value=default["network_kind"],
            default=default["network_kind"],
            options=(
                Option(NO_NETWORK, "None"),
                Option(SUBNET, "A subnet (Direct VPC)"),
                Option(CONNECTOR, "A connector"),
            ),
            help="A subnet with Private Google Access reads the bucket several times faster.",
            group=ACCESS,
        ),
        Field(
            "network",
            "VPC network",
            value=default["network"],
            show_when=("network_kind", SUBNET),
            group=ACCESS,
        ),
        Field(
            "subnetwork",
            "Subnet",
            value=default["subnetwork"],
            help="In the service's region, /26 or larger.",
            show_when=("network_kind", SUBNET),
            group=ACCESS,
        ),
        Field(
            "connector",
            "Connector",
            value=default["connector"],
            placeholder="projects/P/locations/R/connectors/C",
            show_when=("network_kind", CONNECTOR),
            group=ACCESS,
        ),
        Field(
            "labels",
            "Labels",
            "pairs",
            value=pairs(default["labels"]),
            default=pairs(default["labels"]),
            add_label="Add a label",
            help="For your bills; managed-by and llm-engine are added, the page finds it by them.",
            group=ACCESS,
        ),
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


def _options(numbers: tuple[int, ...], unit: str) -> tuple[Option, ...]:
    return tuple(Option(str(number), f"{number}{unit}") for number in numbers)
