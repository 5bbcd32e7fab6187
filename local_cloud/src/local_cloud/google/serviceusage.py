"""Service Usage v1: which APIs are enabled in a project."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from google.cloud import service_usage_v1

from local_cloud.errors import ApiError
from local_cloud.faults import API_TITLES
from local_cloud.google.permissions import Need, resource_of
from local_cloud.google.records import page_of

if TYPE_CHECKING:
    from google.longrunning import operations_pb2

    from local_cloud.access import Access
    from local_cloud.enablement import Enablement
    from local_cloud.google.operations import Operations
    from local_cloud.issuer import Caller
    from local_cloud.store import Store

API = "serviceusage.googleapis.com"
MAX_BATCH_ENABLED = 20
MAX_BATCH_READ = 30

_VERBS = {
    "BatchEnableServices": "enable",
    "BatchGetServices": "get",
    "DisableService": "disable",
    "EnableService": "enable",
    "GenerateServiceIdentity": "enable",
    "GetService": "get",
    "ListServices": "list",
}


def rule(name: str, request: Any) -> Need | None:
    """Return what a call needs, on the project."""
    if name not in _VERBS:
        return None
    project = "/".join(resource_of(request).split("/")[:2])
    return Need(f"serviceusage.services.{_VERBS[name]}", project)


class ServiceUsage:
    """Answers ServiceUsageClient.

    Parameters
    ----------
    store
        Holds what was switched (kind ``api``, by ``PROJECT/API``).
    access
        Knows projects by number.
    enablement
        Knows what is enabled.
    operations
        Carries out what takes time.

    """

    def __init__(
        self, store: Store, access: Access, enablement: Enablement, operations: Operations
    ) -> None:
        self._store = store
        self._access = access
        self._enablement = enablement
        self._operations = operations
        operations.define("serviceusage.enable", self._enabled)
        operations.define("serviceusage.batch", self._batch_enabled)
        operations.define("serviceusage.disable", self._disabled)

    def get_service(self, request: Any, caller: Caller) -> service_usage_v1.Service:  # noqa: ARG002 - a handler
        """Return the state of one API."""
        return self._message(request.name)

    def batch_get_services(
        self,
        request: Any,
        caller: Caller,  # noqa: ARG002 - a handler
    ) -> service_usage_v1.BatchGetServicesResponse:
        """Return the state of several APIs."""
        if len(request.names) > MAX_BATCH_READ:
            raise ApiError("INVALID_ARGUMENT", f"At most {MAX_BATCH_READ} names can be given.")
        found = [self._message(name) for name in request.names]
        return service_usage_v1.BatchGetServicesResponse(services=found)

    def list_services(
        self,
        request: Any,
        caller: Caller,  # noqa: ARG002 - a handler
    ) -> service_usage_v1.ListServicesResponse:
        """Return all APIs, or those of one state (``state:ENABLED``)."""
        wanted = request.filter.removeprefix("state:")
        if request.filter and wanted not in {"ENABLED", "DISABLED"}:
            raise ApiError("INVALID_ARGUMENT", f"Invalid filter: '{request.filter}'.")
        every = [self._message(f"{request.parent}/services/{api}") for api in sorted(API_TITLES)]
        found = [s for s in every if not wanted or s.state.name == wanted]
        page, token = page_of(found, request, default=50, most=200)
        return service_usage_v1.ListServicesResponse(services=page, next_page_token=token)

    def enable_service(self, request: Any, caller: Caller) -> operations_pb2.Operation:  # noqa: ARG002 - a handler
        """Enable an API."""
        self._key(request.name)
        return self._start("serviceusage.enable", request.name, [request.name])

    def disable_service(self, request: Any, caller: Caller) -> operations_pb2.Operation:  # noqa: ARG002 - a handler
        """Disable an API."""
        self._key(request.name)
        return self._start("serviceusage.disable", request.name, [request.name])

    def batch_enable_services(self, request: Any, caller: Caller) -> operations_pb2.Operation:  # noqa: ARG002 - a handler
        """Enable several APIs."""
        if len(request.service_ids) > MAX_BATCH_ENABLED:
            raise ApiError(
                "INVALID_ARGUMENT", f"At most {MAX_BATCH_ENABLED} services can be enabled at once."
            )
        names = [f"{request.parent}/services/{api}" for api in request.service_ids]
        for name in names:
            self._key(name)
        return self._start("serviceusage.batch", ",".join(names), names)

    def _start(self, kind: str, target: str, names: list[str]) -> operations_pb2.Operation:
        metadata = service_usage_v1.OperationMetadata(resource_names=names)
        return self._operations.start(kind, target, metadata)

    def _key(self, name: str) -> str:
        """Return ``PROJECT/API``, or raise 404 for an API that is not known."""
        match = re.fullmatch(r"projects/([^/]+)/services/([^/]+)", self._access.canonical(name))
        if match is None or match[2] not in API_TITLES:
            raise ApiError(
                "NOT_FOUND",
                f"Not found or permission denied for service(s): {name.rpartition('/')[2]}.",
            )
        return f"{match[1]}/{match[2]}"

    def _message(self, name: str) -> service_usage_v1.Service:
        project, api = self._key(name).split("/")
        record = self._store.get("project", project) or {"number": project}
        state = service_usage_v1.State
        enabled = self._enablement.api_enabled(api, project)
        return service_usage_v1.Service(
            name=f"projects/{record['number']}/services/{api}",
            parent=f"projects/{record['number']}",
            config=service_usage_v1.ServiceConfig(name=api, title=API_TITLES[api]),
            state=state.ENABLED if enabled else state.DISABLED,
        )

    def _enabled(self, name: str) -> service_usage_v1.EnableServiceResponse:
        self._store.put("api", self._key(name), {"enabled": True})
        return service_usage_v1.EnableServiceResponse(service=self._message(name))

    def _batch_enabled(self, names: str) -> service_usage_v1.BatchEnableServicesResponse:
        services = [self._enabled(name).service for name in names.split(",")]
        return service_usage_v1.BatchEnableServicesResponse(services=services)

    def _disabled(self, name: str) -> service_usage_v1.DisableServiceResponse:
        self._store.put("api", self._key(name), {"enabled": False})
        return service_usage_v1.DisableServiceResponse(service=self._message(name))
