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
            raise InvalidInputError("Enter the network, the subnet, or both.", field="network")
        return {"subnet": SubnetAccess(network, subnetwork), "connector": ""}
    if kind == CONNECTOR:
        if not values["connector"].strip():
            raise InvalidInputError("Enter the connector.", field="connector")
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
    told = (network, f"ingress: {deployment.ingress.label}", labels or "no labels")
    return " · ".join(told)


ACCESS = Card(
    "Access",
    (
        Entry(
            "service_account",
            "Service account",
            "The identity the service runs as. It only needs read access to the bucket.",
            is_long=True,
        ),
        Entry(
            "grant_access",
            "Let it read the bucket",
            "Grants the service account roles/storage.objectViewer on this bucket.",
            "checkbox",
            initial=True,
        ),
        Entry(
            "callers",
            "Callers",
            "Public access is not offered here: anyone could run up your GPU bill.",
            "select",
            initial=ONLY_ME,
            choices=lambda _: ((ONLY_ME, "Only me"), (MEMBERS, "Me and these members")),
            is_basic=True,
        ),
        Entry(
            "members",
            "Members",
            "user:, group:, serviceAccount: or domain:, then the address.",
            "rows",
            initial=(),
            columns=("user:ann@example.org",),
            add_label="Add a member",
            show_when=("callers", MEMBERS),
            restores=False,
            is_basic=True,
        ),
    ),
)
NETWORK = Card(
    "Network and labels",
    (
        Entry(
            "ingress",
            "Ingress",
            "Networks that can reach the service. Callers need permission either way.",
            "select",
            write=attrgetter("value"),
            read=Ingress,
            choices=lambda _: (
                (each.value, f"{each.label[0].upper()}{each.label[1:]}") for each in Ingress
            ),
        ),
        Entry(
            "network_kind",
            "Network",
            "Recommended: a subnet with Private Google Access.",
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
            "The subnet's network.",
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
            "A Serverless VPC Access connector in the service's region.",
            derive=attrgetter("connector"),
            placeholder="projects/P/locations/R/connectors/C",
            is_long=True,
            show_when=("network_kind", CONNECTOR),
            follows=True,
        ),
        Entry(
            "labels",
            "Labels",
            "Shown in billing reports. managed-by and llm-engine are added.",
            "pairs",
            read=_labels,
            add_label="Add a label",
        ),
    ),
    _network_summary,
    _network,
)
