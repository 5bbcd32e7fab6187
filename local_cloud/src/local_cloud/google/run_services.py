"""Cloud Run Admin v2: services."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from google.cloud import run_v2
from google.protobuf import field_mask_pb2

from local_cloud.errors import ApiError
from local_cloud.google.gapic import as_message
from local_cloud.google.permissions import by_name
from local_cloud.google.records import Records, copied, page_of
from local_cloud.google.run_base import RunResources, new_etag
from local_cloud.google.run_conditions import RECONCILING, condition, now
from local_cloud.google.run_names import invalid
from local_cloud.google.run_templates import check_service, fill_service

if TYPE_CHECKING:
    from google.longrunning import operations_pb2

    from local_cloud.access import Access
    from local_cloud.google.operations import Operations
    from local_cloud.google.run_dependencies import Dependencies
    from local_cloud.google.run_deployments import Deployments
    from local_cloud.google.run_quotas import Limits
    from local_cloud.issuer import Caller
    from local_cloud.store import Store

API = "run.googleapis.com"
rule = by_name("run")

KEPT_DELETED = timedelta(days=30)
"""How long a deleted service is said to be kept."""


class Services(RunResources[run_v2.Service]):
    """Answers ServicesClient.

    Parameters
    ----------
    store
        Holds the services (kind ``run-service``).
    access
        Keeps their policies.
    operations
        Shows what is under way.
    deployments
        Carries out what is asked.
    dependencies, limits
        Say whether a template can be deployed.

    """

    kind = "service"
    output_only = (
        "uid",
        "generation",
        "create_time",
        "update_time",
        "delete_time",
        "expire_time",
        "creator",
        "last_modifier",
        "urls",
        "observed_generation",
        "terminal_condition",
        "conditions",
        "latest_ready_revision",
        "latest_created_revision",
        "traffic_statuses",
        "uri",
        "reconciling",
        "etag",
    )

    def __init__(
        self,
        store: Store,
        access: Access,
        operations: Operations,
        *,
        deployments: Deployments,
        dependencies: Dependencies,
        limits: Limits,
    ) -> None:
        super().__init__(store, access, operations, run_v2.Service)
        self._deleted = Records(store, "run-service-deleted", run_v2.Service)
        self._deployments = deployments
        self._dependencies = dependencies
        self._limits = limits

    def get_service(self, request: Any, caller: Caller) -> run_v2.Service:  # noqa: ARG002 - a handler
        """Return one service."""
        return self._get(request.name)

    def list_services(
        self,
        request: Any,
        caller: Caller,  # noqa: ARG002 - a handler
    ) -> run_v2.ListServicesResponse:
        """Return the services of a region."""
        parent = self._parent(request.parent)
        found = self._records.list(f"{parent}/services/")
        if request.show_deleted:
            found += self._deleted.list(f"{parent}/services/")
        page, token = page_of(found, request)
        return run_v2.ListServicesResponse(services=page, next_page_token=token)

    def create_service(self, request: Any, caller: Caller) -> operations_pb2.Operation:
        """Make a service and deploy its first revision."""
        service = self._new(request.parent, request.service_id, request.service, caller)
        self._prepare(service, caller)
        with self._store.transaction():
            if self._records.get(service.name):
                raise ApiError("ALREADY_EXISTS", f"Resource '{request.service_id}' already exists.")
            return self._deployments.begin(service, None, caller, dry=request.validate_only)

    def update_service(self, request: Any, caller: Caller) -> operations_pb2.Operation:
        """Change a service; a changed template makes a new revision."""
        name = self._access.canonical(request.service.name)
        if request.allow_missing and self._records.get(name) is None:
            parent, short = self._may_make_missing(name, caller)
            wanted = copied(request.service)
            wanted.name = ""
            make = run_v2.CreateServiceRequest(
                parent=parent, service_id=short, service=wanted, validate_only=request.validate_only
            )
            return self.create_service(make, caller)
        with self._store.transaction():
            old = self._get(name)
            self._check_etag(old, request.service.etag)
            if old.delete_time:
                raise ApiError("FAILED_PRECONDITION", f"Resource '{short}' is being deleted.")
            service = self._merged(old, request)
            service.name = name
            self._prepare(service, caller)
            return self._deployments.begin(service, old, caller, dry=request.validate_only)

    def delete_service(self, request: Any, caller: Caller) -> operations_pb2.Operation:
        """Delete a service and its revisions."""
        with self._store.transaction():
            service = self._get(request.name)
            self._check_etag(service, request.etag)
            if request.validate_only:
                return self._operations.finished(service)
            service.delete_time = service.delete_time or now()
            service.expire_time = service.delete_time + KEPT_DELETED
            service.last_modifier, service.etag = caller.email, new_etag()
            service.reconciling = True
            service.terminal_condition = condition("Ready", RECONCILING, "Deleting Service.")
            self._records.put(service.name, service)
            return self._operations.start("run.services.delete", service)

    def ready(self) -> list[run_v2.Service]:
        """Return the services that have a revision to serve, for a start."""
        return [s for s in self._records.list() if s.latest_ready_revision and not s.delete_time]

    def find(self, name: str) -> run_v2.Service | None:
        """Return a service by its full name, or None."""
        return self._records.get(name)

    # -- inside ----------------------------------------------------------------------------------

    def _prepare(self, service: run_v2.Service, caller: Caller) -> None:
        """Refuse what cannot be deployed, and fill in what is not stated."""
        _, project, _, region, _, _ = service.name.split("/")
        check_service(service, region)
        fill_service(service, self._dependencies.default_account(project))
        instances = service.template.scaling.max_instance_count
        self._limits.check(service.template, project, region, instances)
        self._dependencies.require_act_as(caller, service.template.service_account, project)

    def _merged(self, old: run_v2.Service, request: Any) -> run_v2.Service:
        """Return the service that an update asks for, with the output fields of the old one."""
        asked: run_v2.Service = copied(request.service)
        paths = list(request.update_mask.paths)
        if paths and paths != ["*"]:
            merged = copied(old)
            mask = field_mask_pb2.FieldMask(paths=paths)
            try:
                mask.MergeMessage(
                    as_message(asked),
                    as_message(merged),
                    replace_message_field=True,
                    replace_repeated_field=True,
                )
            except ValueError as error:
                raise invalid("update_mask", str(error)) from error
            asked = merged
        self._take_output(asked, old)
        return asked
