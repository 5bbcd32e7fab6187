"""What the form asks of who may call a service, from where, and of its network."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.services import Deployment, Ingress, SubnetAccess
from llm_widgets.errors import InvalidInputError
from llm_widgets.page.services.form_entry import Card, Entry, Values, mapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ONLY_ME = "me"
MEMBERS = "members"
NO_NETWORK = "none"
SUBNET = "subnet"
CONNECTOR = "connector"

_DEFAULT_NETWORK = SubnetAccess("default", "default")


def callers_from(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Read who may call beside whoever deploys, as it was typed."""
    return tuple(values.get("members", [])) if values.get("callers") == MEMBERS else ()


def _labels(pairs: Iterable[Sequence[str]]) -> dict[str, str]:
    return mapping(pairs, "label")


def _kind_of_network(deployment: Deployment) -> str:
    if deployment.subnet:
        return SUBNET
    return CONNECTOR if deployment.connector else NO_NETWORK


def _network(values: Mapping[str, Any], _: Deployment) -> Values:
    kind = values["network_kind"]
    if kind == SUBNET:
        network, subnetwork = values["network"].strip(), values["subnetwork"].strip()
        if not network and not subnetwork:
            raise InvalidInputError("Name the network or the subnet, best both.", field="network")
        return {"subnet": SubnetAccess(network, subnetwork), "connector": ""}
    if kind == CONNECTOR:
        if not values["connector"].strip():
            raise InvalidInputError("Name the connector.", field="connector")
        return {"subnet": None, "connector": values["connector"].strip()}
    return {"subnet": None, "connector": ""}


def _network_summary(deployment: Deployment) -> str:
    labels = ", ".join(f"{name}={value}" for name, value in deployment.labels.items())
    subnet = deployment.subnet
    network = "no network"
    if subnet:
        network = f"subnet {subnet.subnetwork or subnet.network}"
    elif deployment.connector:
        network = f"connector {deployment.connector.rsplit('/', 1)[-1]}"
    told = (network, f"requests {deployment.ingress.label}", labels or "no labels")
    return " · ".join(told)


ACCESS = Card(
    "Access",
    (
        Entry(
            "service_account",
            "Service account",
            "Who the service is; it needs to read the bucket, and no more.",
            is_long=True,
        ),
        Entry(
            "grant_access",
            "Let it read the bucket",
            "Adds roles/storage.objectViewer on this bucket; without it the mount fails.",
            "checkbox",
            initial=True,
        ),
        Entry(
            "callers",
            "Who may call",
            "Never everybody: a GPU that anybody may use is a bill.",
            "select",
            initial=ONLY_ME,
            choices=lambda _: ((ONLY_ME, "Only me"), (MEMBERS, "Me and these members")),
        ),
        Entry(
            "members",
            "Members",
            "user:, group:, serviceAccount: or domain: and who it is.",
            "rows",
            initial=(),
            columns=("user:ann@example.org",),
            add_label="Add a member",
            show_when=("callers", MEMBERS),
            restores=False,
        ),
    ),
)
NETWORK = Card(
    "Network and labels",
    (
        Entry(
            "ingress",
            "Requests come",
            "Who may call is asked in any case.",
            "select",
            write=attrgetter("value"),
            read=Ingress,
            choices=lambda _: ((each.value, each.label.capitalize()) for each in Ingress),
        ),
        Entry(
            "network_kind",
            "Network",
            "A subnet with Private Google Access reads the bucket several times faster.",
            "select",
            derive=_kind_of_network,
            choices=lambda _: (
                (NO_NETWORK, "None"),
                (SUBNET, "A subnet (Direct VPC)"),
                (CONNECTOR, "A connector"),
            ),
            follows=True,
        ),
        Entry(
            "network",
            "VPC network",
            "The one that the subnet belongs to.",
            derive=lambda deployment: (deployment.subnet or _DEFAULT_NETWORK).network,
            show_when=("network_kind", SUBNET),
            follows=True,
        ),
        Entry(
            "subnetwork",
            "Subnet",
            "In the service's region, /26 or larger.",
            derive=lambda deployment: (deployment.subnet or _DEFAULT_NETWORK).subnetwork,
            show_when=("network_kind", SUBNET),
            follows=True,
        ),
        Entry(
            "connector",
            "Connector",
            "Serverless VPC Access in the service's region; slower than a subnet.",
            derive=attrgetter("connector"),
            placeholder="projects/P/locations/R/connectors/C",
            is_long=True,
            show_when=("network_kind", CONNECTOR),
            follows=True,
        ),
        Entry(
            "labels",
            "Labels",
            "For your bills; managed-by and llm-engine are added, the page finds it by them.",
            "pairs",
            read=_labels,
            add_label="Add a label",
        ),
    ),
    _network_summary,
    _network,
)
