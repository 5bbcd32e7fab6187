"""Compute Engine v1: networks and subnetworks, as far as Cloud Run uses them."""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from google.cloud import compute_v1

from local_cloud.errors import ApiError
from local_cloud.google.permissions import Need, Rule
from local_cloud.google.records import page_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local_cloud.access import Access
    from local_cloud.issuer import Caller
    from local_cloud.store import Store

API = "compute.googleapis.com"
ROOT = "https://www.googleapis.com/compute/v1"
"""Begins the links between resources."""

_VERBS = {
    "AggregatedList": "list",
    "Get": "get",
    "List": "list",
    "ListUsable": "list",
    "SetPrivateIpGoogleAccess": "setPrivateIpGoogleAccess",
}


def rule_for(collection: str) -> Rule:
    """Return the rule of one collection: its clients name their methods without it."""

    def rule(name: str, request: Any) -> Need | None:
        permission = f"compute.{collection}.{_VERBS[name]}"
        return Need(permission, f"projects/{request.project}", name.startswith("Set"))

    return rule


class Networks:
    """Answers NetworksClient.

    Parameters
    ----------
    store
        Holds the networks (kind ``network``) and subnetworks (kind ``subnetwork``).
    access
        Knows projects by number.

    """

    def __init__(self, store: Store, access: Access) -> None:
        self._store = store
        self._access = access

    def list(self, request: Any, caller: Caller) -> compute_v1.NetworkList:  # noqa: ARG002 - a handler
        """Return the networks of a project."""
        project = _project(self._access, request)
        found = [
            self._message(project, name.rpartition("/")[2], record)
            for name, record in self._store.list("network", f"{project}/")
        ]
        kept = [network for network in found if _matches(network, request.filter)]
        page, token = _page(kept, request)
        return compute_v1.NetworkList(
            id=f"projects/{project}/global/networks",
            items=page,
            next_page_token=token or None,
            self_link=f"{ROOT}/projects/{project}/global/networks",
        )

    def get(self, request: Any, caller: Caller) -> compute_v1.Network:  # noqa: ARG002 - a handler
        """Return one network."""
        project = _project(self._access, request)
        record = self._store.get("network", f"{project}/{request.network}")
        if record is None:
            raise _not_found(f"projects/{project}/global/networks/{request.network}")
        return self._message(project, request.network, record)

    def _message(self, project: str, name: str, record: dict[str, Any]) -> compute_v1.Network:
        path = f"projects/{project}/global/networks/{name}"
        subnets = [
            f"{ROOT}/projects/{project}/regions/{region}/subnetworks/{short}"
            for (_, region, short), subnet in (
                (key.split("/"), value)
                for key, value in self._store.list("subnetwork", f"{project}/")
            )
            if subnet["network"] == name
        ]
        return compute_v1.Network(
            id=zlib.crc32(path.encode()),
            kind="compute#network",
            name=name,
            auto_create_subnetworks=record["auto"],
            creation_timestamp=datetime.fromtimestamp(record["created"], UTC).isoformat(),
            self_link=f"{ROOT}/{path}",
            subnetworks=subnets,
            mtu=1460,
            routing_config=compute_v1.NetworkRoutingConfig(routing_mode="REGIONAL"),
        )


class Subnetworks:
    """Answers SubnetworksClient.

    Parameters
    ----------
    store
        Holds them (kind ``subnetwork``, by ``PROJECT/REGION/NAME``).
    access
        Knows projects by number.

    """

    def __init__(self, store: Store, access: Access) -> None:
        self._store = store
        self._access = access

    def list(self, request: Any, caller: Caller) -> compute_v1.SubnetworkList:  # noqa: ARG002 - a handler
        """Return the subnetworks of a region."""
        project = _project(self._access, request)
        found = [s for s in self._all(project, request.region) if _matches(s, request.filter)]
        page, token = _page(found, request)
        path = f"projects/{project}/regions/{request.region}/subnetworks"
        return compute_v1.SubnetworkList(
            id=path, items=page, next_page_token=token or None, self_link=f"{ROOT}/{path}"
        )

    def aggregated_list(self, request: Any, caller: Caller) -> compute_v1.SubnetworkAggregatedList:  # noqa: ARG002 - a handler
        """Return the subnetworks of all regions."""
        project = _project(self._access, request)
        found = [s for s in self._all(project) if _matches(s, request.filter)]
        page, token = _page(found, request)
        items: dict[str, list[compute_v1.Subnetwork]] = defaultdict(list)
        for subnet in page:
            items[f"regions/{subnet.region.rsplit('/', 1)[-1]}"].append(subnet)
        return compute_v1.SubnetworkAggregatedList(
            id=f"projects/{project}/aggregated/subnetworks",
            items={k: compute_v1.SubnetworksScopedList(subnetworks=v) for k, v in items.items()},
            next_page_token=token or None,
        )

    def get(self, request: Any, caller: Caller) -> compute_v1.Subnetwork:  # noqa: ARG002 - a handler
        """Return one subnetwork."""
        project = _project(self._access, request)
        key, record = self._find(project, request.region, request.subnetwork)
        return _subnet(key, record)

    def set_private_ip_google_access(
        self,
        request: Any,
        caller: Caller,  # noqa: ARG002 - a handler
    ) -> compute_v1.Operation:
        """Switch whether instances without an address reach Google's APIs."""
        project = _project(self._access, request)
        with self._store.transaction():
            key, record = self._find(project, request.region, request.subnetwork)
            body = request.subnetworks_set_private_ip_google_access_request_resource
            record["private_google_access"] = body.private_ip_google_access
            self._store.put("subnetwork", key, record)
        path = f"projects/{project}/regions/{request.region}"
        name = f"operation-{zlib.crc32(key.encode())}"
        return compute_v1.Operation(
            name=name,
            kind="compute#operation",
            operation_type="setPrivateIpGoogleAccess",
            progress=100,
            region=f"{ROOT}/{path}",
            self_link=f"{ROOT}/{path}/operations/{name}",
            status=compute_v1.Operation.Status.DONE,
            target_link=f"{ROOT}/{path}/subnetworks/{request.subnetwork}",
        )

    def _all(self, project: str, region: str = "") -> Sequence[compute_v1.Subnetwork]:
        prefix = f"{project}/{region}/" if region else f"{project}/"
        return [_subnet(key, record) for key, record in self._store.list("subnetwork", prefix)]

    def _find(self, project: str, region: str, name: str) -> tuple[str, dict[str, Any]]:
        key = f"{project}/{region}/{name}"
        record = self._store.get("subnetwork", key)
        if record is None:
            raise _not_found(f"projects/{project}/regions/{region}/subnetworks/{name}")
        return key, record


class RegionOperations:
    """Answers RegionOperationsClient: everything is done at once here.

    A client that waits for ``setPrivateIpGoogleAccess`` finds it done already.
    """

    def get(self, request: Any, caller: Caller) -> compute_v1.Operation:  # noqa: ARG002 - a handler
        """Return a finished operation."""
        return compute_v1.Operation(
            name=request.operation, status=compute_v1.Operation.Status.DONE, progress=100
        )

    wait = get


def _subnet(key: str, record: dict[str, Any]) -> compute_v1.Subnetwork:
    project, region, name = key.split("/")
    path = f"projects/{project}/regions/{region}/subnetworks/{name}"
    return compute_v1.Subnetwork(
        id=zlib.crc32(path.encode()),
        kind="compute#subnetwork",
        name=name,
        ip_cidr_range=record["range"],
        gateway_address=re.sub(r"\.0/\d+$", ".1", record["range"]),
        network=f"{ROOT}/projects/{project}/global/networks/{record['network']}",
        private_ip_google_access=record["private_google_access"],
        purpose="PRIVATE",
        region=f"{ROOT}/projects/{project}/regions/{region}",
        self_link=f"{ROOT}/{path}",
        stack_type="IPV4_ONLY",
    )


def _project(access: Access, request: Any) -> str:
    return access.canonical(f"projects/{request.project}").split("/")[1]


def _page(items: Any, request: Any) -> tuple[Any, str]:
    """Return a page; Compute names its size ``maxResults``."""

    class Asked:
        page_size = request.max_results
        page_token = request.page_token

    return page_of(items, Asked, default=500, most=500)


_FILTER = re.compile(r'\(?\s*(\w+)\s*(=|eq|!=|ne|:)\s*"?([^"\s)]+)"?\s*\)?')


def _matches(message: Any, text: str) -> bool:
    """Return whether a resource passes ``field = value`` terms joined by AND."""
    for term in filter(None, re.split(r"\s+AND\s+", text)):
        match = _FILTER.fullmatch(term.strip())
        if match is None:
            raise ApiError("INVALID_ARGUMENT", f"Invalid value for field 'filter': '{text}'.")
        field = re.sub(r"(?<!^)([A-Z])", lambda m: f"_{m[1].lower()}", match[1])
        value = str(getattr(message, field, ""))
        found = match[3].strip('"') in value if match[2] == ":" else value == match[3]
        if found == (match[2] in {"!=", "ne"}):
            return False
    return True


def _not_found(path: str) -> ApiError:
    return ApiError("NOT_FOUND", f"The resource '{path}' was not found")
