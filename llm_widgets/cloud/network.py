"""Networks that services may use: subnets for direct access, and connectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llm_widgets.cloud.failures import explained

if TYPE_CHECKING:
    from llm_widgets.cloud.clients import Clients

LONGEST_PREFIX = 26
"""Direct VPC egress needs a subnet of /26 or larger."""

_CHANGED_WITHIN = 60  # seconds


@dataclass(frozen=True, slots=True)
class Connector:
    """A Serverless VPC Access connector.

    Attributes
    ----------
    name
        Resource name, as a service refers to it.
    state
        ``READY``, ``CREATING``, ``ERROR``, …
    """

    name: str
    network: str
    ip_range: str
    state: str

    @property
    def id(self) -> str:
        """The last part of the name."""
        return self.name.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet.

    Attributes
    ----------
    network
        Name of its network.
    private_google_access
        Whether Google's APIs are reached from it without a public address: what makes reading
        from Cloud Storage through it fast.
    """

    name: str
    network: str
    ip_range: str
    private_google_access: bool

    @property
    def is_large_enough(self) -> bool:
        """Whether Direct VPC egress can use it."""
        return int(self.ip_range.rpartition("/")[2] or 32) <= LONGEST_PREFIX


def connectors(clients: Clients, project: str, region: str) -> tuple[Connector, ...]:
    """List the connectors of a region.

    Raises
    ------
    ManagerError
        They are not to be seen.
    """
    with explained(
        f"list the connectors in {region}",
        clients=clients,
        project=project,
        permission="vpcaccess.connectors.list",
    ):
        parent = f"projects/{project}/locations/{region}"
        return tuple(
            Connector(each.name, each.network, each.ip_cidr_range, each.state.name)
            for each in clients.connectors.list_connectors(parent=parent)
        )


def subnets(clients: Clients, project: str, region: str) -> tuple[Subnet, ...]:
    """List the subnets of a region that services can use.

    Raises
    ------
    ManagerError
        They are not to be seen.
    """
    with explained(
        f"list the subnets in {region}",
        clients=clients,
        project=project,
        permission="compute.subnetworks.list",
    ):
        return tuple(
            Subnet(
                each.name,
                each.network.rsplit("/", 1)[-1],
                each.ip_cidr_range,
                each.private_ip_google_access,
            )
            for each in clients.subnetworks.list(project=project, region=region)
            # Others belong to load balancers and to Private Service Connect.
            if each.purpose in ("", "PRIVATE")
        )


def turn_on_private_google_access(clients: Clients, project: str, region: str, subnet: str) -> None:
    """Turn Private Google Access of a subnet on, and wait until that is done.

    Raises
    ------
    ManagerError
        The subnet may not be changed.
    """
    with explained(
        f"turn on Private Google Access of {subnet} in {region}",
        clients=clients,
        project=project,
        permission="compute.subnetworks.setPrivateIpGoogleAccess",
    ):
        request: Any = {
            "project": project,
            "region": region,
            "subnetwork": subnet,
            "subnetworks_set_private_ip_google_access_request_resource": {
                "private_ip_google_access": True
            },
        }
        operation: Any = clients.subnetworks.set_private_ip_google_access(request=request)
        operation.result(timeout=_CHANGED_WITHIN)
