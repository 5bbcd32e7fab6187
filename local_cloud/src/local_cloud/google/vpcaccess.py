"""Serverless VPC Access v1: connectors."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

from google.cloud import vpcaccess_v1
from google.protobuf import empty_pb2

from local_cloud.errors import ApiError
from local_cloud.google.permissions import by_name
from local_cloud.google.records import Records, copied, page_of
from local_cloud.google.regions import REGIONS
from local_cloud.google.run_conditions import now

if TYPE_CHECKING:
    from google.longrunning import operations_pb2

    from local_cloud.access import Access
    from local_cloud.google.operations import Operations
    from local_cloud.issuer import Caller
    from local_cloud.store import Store

API = "vpcaccess.googleapis.com"
rule = by_name("vpcaccess")

_OPERATIONS = "vpcaccess.operations"
# Any: the members are numbers to the type checker.
_State: Any = vpcaccess_v1.Connector.State


class Connectors:
    """Answers VpcAccessServiceClient.

    Parameters
    ----------
    store
        Holds the connectors (kind ``connector``).
    access
        Knows projects by number.
    operations
        Carries out what takes time.

    """

    def __init__(self, store: Store, access: Access, operations: Operations) -> None:
        self._store = store
        self._records = Records(store, "connector", vpcaccess_v1.Connector)
        self._access = access
        self._operations = operations
        operations.define("vpcaccess.create", self._created)
        operations.define("vpcaccess.delete", self._deleted)

    def list_connectors(
        self,
        request: Any,
        caller: Caller,  # noqa: ARG002 - a handler
    ) -> vpcaccess_v1.ListConnectorsResponse:
        """Return the connectors of a region, or of all (``locations/-``)."""
        project, location = self._place(request.parent)
        prefix = f"projects/{project}/locations/{'' if location == '-' else location + '/'}"
        page, token = page_of(self._records.list(prefix), request)
        return vpcaccess_v1.ListConnectorsResponse(connectors=page, next_page_token=token)

    def get_connector(self, request: Any, caller: Caller) -> vpcaccess_v1.Connector:  # noqa: ARG002 - a handler
        """Return one connector."""
        return self._get(request.name)

    def create_connector(
        self,
        request: Any,
        caller: Caller,  # noqa: ARG002 - a handler
    ) -> operations_pb2.Operation:
        """Make a connector."""
        project, location = self._place(request.parent)
        if location not in REGIONS:
            raise ApiError("INVALID_ARGUMENT", f"Location {location} is not supported.")
        if not re.fullmatch(r"[a-z][-a-z0-9]{0,23}[a-z0-9]", request.connector_id):
            raise ApiError(
                "INVALID_ARGUMENT",
                "Connector ID must follow the pattern ^[a-z][-a-z0-9]{0,23}[a-z0-9]$.",
            )
        name = f"projects/{project}/locations/{location}/connectors/{request.connector_id}"
        connector = self._checked(request.connector, project, name)
        with self._store.transaction():
            if self._records.get(name):
                raise ApiError("ALREADY_EXISTS", f"Requested entity already exists: {name}")
            self._records.put(name, connector)
        return self._operations.start(
            "vpcaccess.create",
            name,
            self._metadata("google.cloud.vpcaccess.v1.VpcAccessService.CreateConnector", name),
            parent=f"projects/{project}/locations/{location}",
            permission=_OPERATIONS,
        )

    def delete_connector(
        self,
        request: Any,
        caller: Caller,  # noqa: ARG002 - a handler
    ) -> operations_pb2.Operation:
        """Remove a connector."""
        connector = self._get(request.name)
        connector.state = _State.DELETING
        self._records.put(connector.name, connector)
        return self._operations.start(
            "vpcaccess.delete",
            connector.name,
            self._metadata(
                "google.cloud.vpcaccess.v1.VpcAccessService.DeleteConnector", connector.name
            ),
            parent=connector.name.partition("/connectors/")[0],
            permission=_OPERATIONS,
        )

    def _checked(self, asked: Any, project: str, name: str) -> vpcaccess_v1.Connector:
        connector: vpcaccess_v1.Connector = copied(asked)
        if bool(connector.ip_cidr_range) == bool(connector.subnet.name):
            raise ApiError(
                "INVALID_ARGUMENT",
                "Exactly one of subnet, or network and ip_cidr_range, must be specified.",
            )
        if connector.ip_cidr_range:
            try:
                block = ipaddress.ip_network(connector.ip_cidr_range)
            except ValueError as error:
                raise ApiError("INVALID_ARGUMENT", f"Invalid IP CIDR range: {error}.") from error
            if block.prefixlen != 28:  # noqa: PLR2004 - the only size Google takes
                raise ApiError("INVALID_ARGUMENT", "The IP CIDR range must have a /28 mask.")
            connector.network = connector.network or "default"
            if self._store.get("network", f"{project}/{connector.network}") is None:
                raise ApiError(
                    "INVALID_ARGUMENT",
                    f"Network '{connector.network}' does not exist in project '{project}'.",
                )
        connector.name, connector.state = name, _State.CREATING
        # 100 Mbit/s of throughput for each instance; either may be given.
        connector.min_instances = connector.min_instances or connector.min_throughput // 100 or 2
        connector.max_instances = connector.max_instances or connector.max_throughput // 100 or 10
        connector.min_throughput = connector.min_throughput or connector.min_instances * 100
        connector.max_throughput = connector.max_throughput or connector.max_instances * 100
        connector.machine_type = connector.machine_type or "e2-micro"
        return connector

    def _get(self, asked: str) -> vpcaccess_v1.Connector:
        name = self._access.canonical(asked)
        connector = self._records.get(name)
        if connector is None:
            raise ApiError("NOT_FOUND", "The connector is not found.")
        return connector

    def _place(self, parent: str) -> tuple[str, str]:
        parts = self._access.canonical(parent).split("/")
        return parts[1], parts[3]

    def _created(self, name: str) -> vpcaccess_v1.Connector:
        connector = self._get(name)
        connector.state = _State.READY
        self._records.put(name, connector)
        return connector

    def _deleted(self, name: str) -> empty_pb2.Empty:
        self._records.delete(name)
        return empty_pb2.Empty()

    def _metadata(self, method: str, target: str) -> vpcaccess_v1.OperationMetadata:
        return vpcaccess_v1.OperationMetadata(method=method, target=target, create_time=now())
