"""Networks that services may use: subnets for direct access, and connectors.

Compute Engine is called without its package: that takes seconds to import, during which the page
would stand still.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from llm_widgets.domain import google_apis
from llm_widgets.errors import Fix, ManagerError
from llm_widgets.gcp.client.failures import explained
from llm_widgets.gcp.client.rest import call

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from llm_widgets.gcp.client.clients import Clients

LONGEST_PREFIX = 26
"""Direct VPC egress needs a subnet of /26 or larger."""

_CHANGED_WITHIN = 240  # seconds
_WAIT = 130.0
"""Seconds for one wait: Compute Engine answers after two minutes, done or not.

Source: https://cloud.google.com/compute/docs/reference/rest/v1/regionOperations/wait
"""


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
                each["name"],
                each.get("network", "").rsplit("/", 1)[-1],
                each.get("ipCidrRange", ""),
                bool(each.get("privateIpGoogleAccess")),
            )
            for each in _subnetworks(clients, f"{_path(project, region)}/subnetworks")
            # Others belong to load balancers and to Private Service Connect.
            if each.get("purpose", "PRIVATE") == "PRIVATE"
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
        place = _path(project, region)
        path = f"{place}/subnetworks/{quote(subnet)}/setPrivateIpGoogleAccess"
        operation = call(
            clients, "POST", google_apis.COMPUTE, path, {"privateIpGoogleAccess": True}
        )
        deadline = time.monotonic() + _CHANGED_WITHIN
        while operation.get("status") != "DONE" and time.monotonic() < deadline:
            wait = f"{place}/operations/{quote(operation['name'])}/wait"
            operation = call(clients, "POST", google_apis.COMPUTE, wait, timeout=_WAIT)
    _check(operation, subnet, region)


def _path(project: str, region: str) -> str:
    return f"/compute/v1/projects/{quote(project)}/regions/{quote(region)}"


def _subnetworks(clients: Clients, path: str) -> Iterator[dict[str, Any]]:
    token = ""
    while True:
        page = call(clients, "GET", google_apis.COMPUTE, f"{path}?pageToken={quote(token)}")
        yield from page.get("items", [])
        token = page.get("nextPageToken", "")
        if not token:
            return


def _check(operation: Mapping[str, Any], subnet: str, region: str) -> None:
    """Raise the failure of an operation, or that it takes too long."""
    errors = operation.get("error", {}).get("errors", [])
    if errors or operation.get("status") != "DONE":
        raise ManagerError(
            f"Private Google Access of {subnet} in {region} is not on yet.",
            cause=" ".join(each.get("message", "") for each in errors)
            or ("The change is still running."),
            fix=Fix(text="Refresh in a minute, then try again."),
        )
