"""How services reach the network: the choice that a project keeps for all its deployments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.services import SubnetAccess

if TYPE_CHECKING:
    from collections.abc import Mapping

_NETWORK, _SUBNET, _CONNECTOR = (
    "llm-manager-network",
    "llm-manager-subnet",
    "llm-manager-connector",
)
"""Labels of a project that keep its default."""

LARGEST_PORT = 65535
"""Of TCP."""

# Names of Compute Engine and of Serverless VPC Access: letters, digits and hyphens.
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")


class NetworkKind(StrEnum):
    """Ways to a network."""

    NONE = "none"
    SUBNET = "subnet"
    CONNECTOR = "connector"


@dataclass(frozen=True, slots=True)
class NetworkChoice:
    """A way to a network, the same in every region that has a subnet or connector of the name.

    Attributes
    ----------
    network
        Name of the VPC network of a subnet; empty otherwise.
    name
        Name of the subnet, or id of the connector.
    """

    kind: NetworkKind = NetworkKind.NONE
    network: str = ""
    name: str = ""

    @property
    def label(self) -> str:
        """Name the choice for a person."""
        if self.kind is NetworkKind.SUBNET:
            return f"Direct VPC: subnet {self.name} of the network {self.network}"
        if self.kind is NetworkKind.CONNECTOR:
            return f"Connector {self.name}"
        return "None: no VPC network"

    @property
    def subnet_access(self) -> SubnetAccess | None:
        """Return what :class:`llm_widgets.domain.services.Deployment` takes as ``subnet``."""
        if self.kind is NetworkKind.SUBNET:
            return SubnetAccess(self.network, self.name)
        return None

    def connector(self, project: str, region: str) -> str:
        """Return the resource name of the connector in a region; empty for another choice."""
        if self.kind is NetworkKind.CONNECTOR:
            return f"projects/{project}/locations/{region}/connectors/{self.name}"
        return ""

    def saved(self) -> dict[str, str]:
        """Write the choice as JSON."""
        return {"kind": self.kind.value, "network": self.network, "name": self.name}

    def labels(self) -> dict[str, str | None]:
        """Write the choice as labels of a project; ``None`` for those that must go."""
        subnet = self.kind is NetworkKind.SUBNET
        return {
            _NETWORK: self.network if subnet else None,
            _SUBNET: self.name if subnet else None,
            _CONNECTOR: self.name if self.kind is NetworkKind.CONNECTOR else None,
        }


def read_labels(labels: Mapping[str, str]) -> NetworkChoice:
    """Read the choice from the labels of a project; none where they hold none."""
    network, subnet, connector = (labels.get(key) for key in (_NETWORK, _SUBNET, _CONNECTOR))
    if _is_name(network) and _is_name(subnet):
        return NetworkChoice(NetworkKind.SUBNET, str(network), str(subnet))
    if _is_name(connector):
        return NetworkChoice(NetworkKind.CONNECTOR, "", str(connector))
    return NetworkChoice()


def read_choices(saved: object) -> dict[str, NetworkChoice]:
    """Read what a browser kept: project id to choice. What can't be one is left out."""
    if not isinstance(saved, dict):
        return {}
    found = {project: _choice(value) for project, value in saved.items()}
    return {project: choice for project, choice in found.items() if choice}


def _choice(saved: Mapping[str, Any]) -> NetworkChoice | None:
    if not isinstance(saved, dict):
        return None
    kind, network, name = (saved.get(key) for key in ("kind", "network", "name"))
    if kind == NetworkKind.SUBNET and _is_name(network) and _is_name(name):
        return NetworkChoice(NetworkKind.SUBNET, str(network), str(name))
    if kind == NetworkKind.CONNECTOR and _is_name(name):
        return NetworkChoice(NetworkKind.CONNECTOR, "", str(name))
    return NetworkChoice() if kind == NetworkKind.NONE else None


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None
