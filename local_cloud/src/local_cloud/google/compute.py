"""Compute Engine v1: networks and subnetworks, as far as Cloud Run uses them."""

from __future__ import annotations

import base64
import re
import time
import zlib
from collections import defaultdict
from datetime import UTC, datetime
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from local_cloud.errors import ApiError
from local_cloud.google.compute_parts import messages
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

CHANGE_SECONDS = 0.3
"""How long a change of a subnetwork takes; until then, its operation runs."""

_OPERATION = "compute-operation"
_VERBS = {
    "AggregatedList": "list",
    "Get": "get",
    "List": "list",
    "ListUsable": "list",
    "SetPrivateIpGoogleAccess": "setPrivateIpGoogleAccess",
    "Wait": "get",
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

    def list(self, request: Any, caller: Caller) -> messages.NetworkList:  # noqa: ARG002 - a handler
        """Return the networks of a project."""
        project = _project(self._access, request)
        found = [
            self._message(project, name.rpartition("/")[2], record)
            for name, record in self._store.list("network", f"{project}/")
        ]
        kept = [network for network in found if _matches(network, request.filter)]
        page, token = _page(kept, request)
        return messages.NetworkList(
            id=f"projects/{project}/global/networks",
            items=page,
            next_page_token=token or None,
            self_link=f"{ROOT}/projects/{project}/global/networks",
        )

    def get(self, request: Any, caller: Caller) -> messages.Network:  # noqa: ARG002 - a handler
        """Return one network."""
        project = _project(self._access, request)
        record = self._store.get("network", f"{project}/{request.network}")
        if record is None:
            raise _not_found(f"projects/{project}/global/networks/{request.network}")
        return self._message(project, request.network, record)

    def _message(self, project: str, name: str, record: dict[str, Any]) -> messages.Network:
        path = f"projects/{project}/global/networks/{name}"
        subnets = [
            f"{ROOT}/projects/{project}/regions/{region}/subnetworks/{short}"
            for (_, region, short), subnet in (
                (key.split("/"), value)
                for key, value in self._store.list("subnetwork", f"{project}/")
            )
            if subnet["network"] == name
        ]
        return messages.Network(
            id=_id(path),
            kind="compute#network",
            name=name,
            auto_create_subnetworks=record["auto"],
            creation_timestamp=_timestamp(record["created"]),
            self_link=f"{ROOT}/{path}",
            subnetworks=subnets,
            self_link_with_id=f"{ROOT}/projects/{project}/global/networks/{_id(path)}",
            network_firewall_policy_enforcement_order="AFTER_CLASSIC_FIREWALL",
            routing_config=messages.NetworkRoutingConfig(
                routing_mode="REGIONAL", bgp_best_path_selection_mode="LEGACY"
            ),
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

    def list(self, request: Any, caller: Caller) -> messages.SubnetworkList:  # noqa: ARG002 - a handler
        """Return the subnetworks of a region."""
        project = _project(self._access, request)
        found = [s for s in self._all(project, request.region) if _matches(s, request.filter)]
        page, token = _page(found, request)
        path = f"projects/{project}/regions/{request.region}/subnetworks"
        return messages.SubnetworkList(
            id=path, items=page, next_page_token=token or None, self_link=f"{ROOT}/{path}"
        )

    def aggregated_list(self, request: Any, caller: Caller) -> messages.SubnetworkAggregatedList:  # noqa: ARG002 - a handler
        """Return the subnetworks of all regions."""
        project = _project(self._access, request)
        found = [s for s in self._all(project) if _matches(s, request.filter)]
        page, token = _page(found, request)
        items: dict[str, list[messages.Subnetwork]] = defaultdict(list)
        for subnet in page:
            items[f"regions/{subnet.region.rsplit('/', 1)[-1]}"].append(subnet)
        return messages.SubnetworkAggregatedList(
            id=f"projects/{project}/aggregated/subnetworks",
            items={k: messages.SubnetworksScopedList(subnetworks=v) for k, v in items.items()},
            next_page_token=token or None,
        )

    def get(self, request: Any, caller: Caller) -> messages.Subnetwork:  # noqa: ARG002 - a handler
        """Return one subnetwork."""
        project = _project(self._access, request)
        key, record = self._find(project, request.region, request.subnetwork)
        return self._message(key, record)

    def set_private_ip_google_access(
        self,
        request: Any,
        caller: Caller,
    ) -> messages.Operation:
        """Switch whether instances without an address reach Google's APIs."""
        project = _project(self._access, request)
        body = request.subnetworks_set_private_ip_google_access_request_resource
        now = time.time()
        change = {"to": body.private_ip_google_access, "at": now + CHANGE_SECONDS}
        with self._store.transaction():
            key, record = self._find(project, request.region, request.subnetwork)
            record["private_google_access"] = _has_access(record)
            self._store.put("subnetwork", key, {**record, "change": change})
            operation = {"subnet": key, "user": caller.email, "begins": now, "ends": change["at"]}
            name = f"operation-{time.time_ns()}-{token_hex(4)}"
            self._store.put(_OPERATION, f"{project}/{request.region}/{name}", operation)
        return _operation(name, operation)

    def _all(self, project: str, region: str = "") -> Sequence[messages.Subnetwork]:
        prefix = f"{project}/{region}/" if region else f"{project}/"
        found = self._store.list("subnetwork", prefix)
        return [self._message(key, record) for key, record in found]

    def _find(self, project: str, region: str, name: str) -> tuple[str, dict[str, Any]]:
        key = f"{project}/{region}/{name}"
        record = self._store.get("subnetwork", key)
        if record is None:
            raise _not_found(f"projects/{project}/regions/{region}/subnetworks/{name}")
        return key, record

    def _message(self, key: str, record: dict[str, Any]) -> messages.Subnetwork:
        project, region, name = key.split("/")
        path = f"projects/{project}/regions/{region}/subnetworks/{name}"
        # The subnetworks of an auto mode network are made together with it.
        network = self._store.get("network", f"{project}/{record['network']}") or {"created": 0}
        return messages.Subnetwork(
            id=_id(path),
            kind="compute#subnetwork",
            name=name,
            creation_timestamp=_timestamp(network["created"]),
            fingerprint=base64.b64encode(_id(repr(record)).to_bytes(8, "big")).decode(),
            ip_cidr_range=record["range"],
            gateway_address=re.sub(r"\.0/\d+$", ".1", record["range"]),
            network=f"{ROOT}/projects/{project}/global/networks/{record['network']}",
            private_ip_google_access=_has_access(record),
            private_ipv6_google_access="DISABLE_GOOGLE_ACCESS",
            purpose="PRIVATE",
            region=f"{ROOT}/projects/{project}/regions/{region}",
            self_link=f"{ROOT}/{path}",
            stack_type="IPV4_ONLY",
            state="READY",
        )


class RegionOperations:
    """Answers RegionOperationsClient: what is under way is done after a moment.

    Parameters
    ----------
    store
        Holds the operations (kind ``compute-operation``, by ``PROJECT/REGION/NAME``).
    access
        Knows projects by number.

    """

    def __init__(self, store: Store, access: Access) -> None:
        self._store = store
        self._access = access

    def get(self, request: Any, caller: Caller) -> messages.Operation:  # noqa: ARG002 - a handler
        """Return an operation as it is now."""
        return _operation(request.operation, self._find(request))

    def wait(self, request: Any, caller: Caller) -> messages.Operation:  # noqa: ARG002 - a handler
        """Return an operation when it is done."""
        operation = self._find(request)
        time.sleep(max(0.0, operation["ends"] - time.time()))
        return _operation(request.operation, operation)

    def _find(self, request: Any) -> dict[str, Any]:
        place = f"{_project(self._access, request)}/{request.region}"
        found = self._store.get(_OPERATION, f"{place}/{request.operation}")
        if found is None:
            project, region = place.split("/")
            raise _not_found(f"projects/{project}/regions/{region}/operations/{request.operation}")
        return found


def _operation(name: str, record: dict[str, Any]) -> messages.Operation:
    project, region, subnet = record["subnet"].split("/")
    place = f"{ROOT}/projects/{project}/regions/{region}"
    is_done = time.time() >= record["ends"]
    status = messages.Operation.Status
    return messages.Operation(
        id=_id(name),
        name=name,
        kind="compute#operation",
        operation_type="setPrivateIpGoogleAccess",
        insert_time=_timestamp(record["begins"]),
        start_time=_timestamp(record["begins"]),
        end_time=_timestamp(record["ends"]) if is_done else None,
        progress=100 if is_done else 0,
        region=place,
        self_link=f"{place}/operations/{name}",
        status=status.DONE if is_done else status.RUNNING,
        target_id=_id(f"projects/{project}/regions/{region}/subnetworks/{subnet}"),
        target_link=f"{place}/subnetworks/{subnet}",
        user=record["user"],
    )


def _has_access(record: dict[str, Any]) -> bool:
    """Return whether Private Google Access of a subnetwork is on by now."""
    change = record.get("change")
    if change is not None and time.time() >= change["at"]:
        return bool(change["to"])
    return bool(record["private_google_access"])


def _id(path: str) -> int:
    return zlib.crc32(path.encode())


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


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
