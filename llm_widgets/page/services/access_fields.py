"""The fields of a deployment that say who may call it, from where, and what network it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain.services import Ingress
from llm_widgets.page.services.container_fields import pairs
from llm_widgets.page.services.deploy_values import CONNECTOR, MEMBERS, NO_NETWORK, ONLY_ME, SUBNET
from llm_widgets.widgets.fields import Field, Option

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment

ACCESS = "Access"
NETWORK = "Network and labels"


def access_fields(default: dict[str, Any]) -> list[Field]:
    """Make the fields that say who the service is, and who may call it."""
    return [
        Field(
            "service_account",
            "Service account",
            value=default["service_account"],
            default=default["service_account"],
            help="Who the service is; it needs to read the bucket, and no more.",
            is_long=True,
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
    ]


def network_fields(default: dict[str, Any]) -> list[Field]:
    """Make the fields that say from where requests come, and where its own go."""
    return [
        Field(
            "ingress",
            "Requests come",
            "select",
            value=default["ingress"],
            default=default["ingress"],
            options=tuple(Option(each.value, each.label.capitalize()) for each in Ingress),
            help="Who may call is asked in any case.",
            group=NETWORK,
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
            group=NETWORK,
        ),
        Field(
            "network",
            "VPC network",
            value=default["network"],
            default=default["network"],
            help="The one that the subnet belongs to.",
            show_when=("network_kind", SUBNET),
            group=NETWORK,
        ),
        Field(
            "subnetwork",
            "Subnet",
            value=default["subnetwork"],
            default=default["subnetwork"],
            help="In the service's region, /26 or larger.",
            show_when=("network_kind", SUBNET),
            group=NETWORK,
        ),
        Field(
            "connector",
            "Connector",
            value=default["connector"],
            default=default["connector"],
            help="Serverless VPC Access in the service's region; slower than a subnet.",
            placeholder="projects/P/locations/R/connectors/C",
            is_long=True,
            show_when=("network_kind", CONNECTOR),
            group=NETWORK,
        ),
        Field(
            "labels",
            "Labels",
            "pairs",
            value=pairs(default["labels"]),
            default=pairs(default["labels"]),
            add_label="Add a label",
            help="For your bills; managed-by and llm-engine are added, the page finds it by them.",
            group=NETWORK,
        ),
    ]


def network_summary(deployment: Deployment) -> str:
    """Say in a line what stands on the card of the network."""
    labels = ", ".join(f"{name}={value}" for name, value in deployment.labels.items())
    subnet = deployment.subnet
    network = "no network"
    if subnet:
        network = f"subnet {subnet.subnetwork or subnet.network}"
    elif deployment.connector:
        network = f"connector {deployment.connector.rsplit('/', 1)[-1]}"
    told = (network, f"requests {deployment.ingress.label}", labels or "no labels")
    return " · ".join(told)
