"""Cloud Run Admin v2: services."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from google.cloud import run_v2
from google.protobuf import field_mask_pb2

from local_cloud.google.gapic import as_message
from local_cloud.google.permissions import by_name
from local_cloud.google.records import Records, copied
from local_cloud.google.run_base import RunResources
from local_cloud.google.run_conditions import RECONCILING, condition
from local_cloud.google.run_names import invalid
from local_cloud.google.run_scaling import settle
from local_cloud.google.run_templates import FROM_EVERYWHERE, check_service, fill_service

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
    outputs = (
        "urls",
        "latest_ready_revision",
        "latest_created_revision",
        "traffic_statuses",
        "uri",
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
        deleted = (self._deleted,) if request.show_deleted else ()
        page, token = self._page(request, *deleted)
        return run_v2.ListServicesResponse(services=page, next_page_token=token)

    def create_service(self, request: Any, caller: Caller) -> operations_pb2.Operation:
        """Make a service and deploy its first revision."""
        return self._create(request, caller)

    def update_service(self, request: Any, caller: Caller) -> operations_pb2.Operation:
        """Change a service; a changed template makes a new revision."""
        return self._update(request, caller)

    def delete_service(self, request: Any, caller: Caller) -> operations_pb2.Operation:
        """Delete a service and its revisions."""
        return self._delete_later(request, caller)

    def ready(self) -> list[run_v2.Service]:
        """Return the services that have a revision to serve, for a start."""
        return [s for s in self._records.list() if s.latest_ready_revision and not s.delete_time]

    def find(self, name: str) -> run_v2.Service | None:
        """Return a service by its full name, or None."""
        return self._records.get(name)

    # -- inside ----------------------------------------------------------------------------------

    def _prepare(self, wanted: run_v2.Service, caller: Caller) -> None:
        _, project, _, region, _, _ = wanted.name.split("/")
        check_service(wanted, region)
        settle(wanted, wanted)
        fill_service(wanted, self._dependencies.default_account(project))
        ingress = "all" if wanted.ingress == FROM_EVERYWHERE else "internal"
        self._access.organization.require_service(wanted.name, region, ingress)
        instances = wanted.template.scaling.max_instance_count
        self._limits.check(wanted.template, project, region, instances)
        self._dependencies.require_act_as(caller, wanted.template.service_account, project)

    def _begin(
        self, wanted: run_v2.Service, old: run_v2.Service | None, caller: Caller, *, dry: bool
    ) -> operations_pb2.Operation:
        return self._deployments.begin(wanted, old, caller, dry=dry)

    def _wanted(self, old: run_v2.Service, request: Any) -> run_v2.Service:
        asked = super()._wanted(old, request)
        paths = list(request.update_mask.paths)
        if not paths or paths == ["*"]:
            settle(asked, old)
            return asked
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
        settle(merged, old)
        return merged

    def _mark_deleted(self, found: run_v2.Service) -> None:
        found.expire_time = found.delete_time + KEPT_DELETED
        found.terminal_condition = condition("Ready", RECONCILING, "Deleting Service.")
