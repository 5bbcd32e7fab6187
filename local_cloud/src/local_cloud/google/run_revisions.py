"""Cloud Run Admin v2: revisions, which deployments make and people read or delete."""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING, Any

from google.cloud import run_v2

from local_cloud.errors import ApiError
from local_cloud.google.records import Records, copied, page_of
from local_cloud.google.run_base import RunOperations, not_found
from local_cloud.google.run_conditions import (
    FAILED,
    INFO,
    RECONCILING,
    SUCCEEDED,
    condition,
    now,
)
from local_cloud.google.run_names import parse_parent

if TYPE_CHECKING:
    from google.longrunning import operations_pb2

    from local_cloud.access import Access
    from local_cloud.google.operations import Operations
    from local_cloud.issuer import Caller
    from local_cloud.store import Store

_LETTERS = "bcdfghjklmnpqrstvwxz"

# Fields that a revision takes over from its template.
_TAKEN = (
    "annotations",
    "containers",
    "encryption_key",
    "execution_environment",
    "gpu_zonal_redundancy_disabled",
    "labels",
    "max_instance_request_concurrency",
    "node_selector",
    "scaling",
    "service_account",
    "session_affinity",
    "timeout",
    "volumes",
    "vpc_access",
)


class Revisions:
    """Answers RevisionsClient, and keeps the revisions that services make.

    Parameters
    ----------
    store
        Holds them (kind ``run-revision``).
    access
        Knows projects by number.
    operations
        Shows what was done.

    """

    def __init__(self, store: Store, access: Access, operations: Operations) -> None:
        self._records = Records(store, "run-revision", run_v2.Revision)
        self._services = Records(store, "run-service", run_v2.Service)
        self._access = access
        self._operations = RunOperations(operations)

    # -- for services ----------------------------------------------------------------------------

    def name_for(self, service: run_v2.Service) -> str:
        """Return the full name of the revision that a service's template makes."""
        short = service.name.rsplit("/", 1)[1]
        suffix = "".join(secrets.choice(_LETTERS) for _ in range(3))
        made = service.template.revision or f"{short}-{service.generation:05d}-{suffix}"
        return f"{service.name}/revisions/{made}"

    def begin(self, name: str, service: run_v2.Service) -> None:
        """Record a new revision that is being deployed."""
        if self._records.get(name):
            raise ApiError(
                "ALREADY_EXISTS",
                f"Revision named '{name.rsplit('/', 1)[1]}' with different configuration already "
                "exists.",
            )
        template = copied(service.template)
        self._records.put(
            name,
            run_v2.Revision(
                name=name,
                uid=str(uuid.uuid4()),
                generation=1,
                create_time=now(),
                update_time=now(),
                launch_stage=service.launch_stage,
                service=service.name.rsplit("/", 1)[1],
                reconciling=True,
                conditions=[condition("Ready", RECONCILING, "Deploying Revision.")],
                log_uri=_log_uri(name),
                creator=service.last_modifier,
                etag=f'"{secrets.token_hex(8)}"',
                **{field: getattr(template, field) for field in _TAKEN},
            ),
        )

    def settle(self, name: str, message: str = "", reason: str = "") -> None:
        """Record how the deployment of a revision ended: no message means well."""
        revision = self._records.get(name)
        if revision is None:
            return
        state = FAILED if message else SUCCEEDED
        kinds = ("Ready", "Active", "ContainerHealthy", "ContainerReady", "ResourcesAvailable")
        revision.conditions = [
            condition(kind, state, message if kind == "Ready" else "", reason) for kind in kinds
        ]
        revision.reconciling, revision.observed_generation = False, 1
        revision.update_time = now()
        self._records.put(name, revision)

    def retire_others(self, service: str, serving: str) -> None:
        """Record that only one revision of a service is active."""
        for revision in self._records.list(f"{service}/revisions/"):
            active = [c for c in revision.conditions if c.type_ == "Active"]
            if revision.name != serving and active and active[0].state == SUCCEEDED:
                rest = [c for c in revision.conditions if c.type_ != "Active"]
                retired = condition("Active", FAILED, "Revision retired.", "RETIRED")
                retired.severity = INFO
                revision.conditions = [*rest, retired]
                self._records.put(revision.name, revision)

    def forget(self, service: str) -> None:
        """Remove all revisions of a service."""
        for revision in self._records.list(f"{service}/revisions/"):
            self._records.delete(revision.name)

    # -- the service -----------------------------------------------------------------------------

    def list_revisions(
        self,
        request: Any,
        caller: Caller,  # noqa: ARG002 - a handler
    ) -> run_v2.ListRevisionsResponse:
        """Return the revisions of a service, the newest first."""
        parent = self._access.canonical(request.parent).removesuffix("/services/-")
        parse_parent(parent.partition("/services/")[0])
        found = sorted(self._records.list(f"{parent}/"), key=lambda r: r.create_time, reverse=True)
        page, token = page_of(found, request)
        return run_v2.ListRevisionsResponse(revisions=page, next_page_token=token)

    def get_revision(self, request: Any, caller: Caller) -> run_v2.Revision:  # noqa: ARG002 - a handler
        """Return one revision."""
        return self._get(request.name)

    def delete_revision(self, request: Any, caller: Caller) -> operations_pb2.Operation:  # noqa: ARG002 - a handler
        """Delete a revision that does not serve."""
        revision = self._get(request.name)
        service = self._services.get(revision.name.partition("/revisions/")[0])
        if service and revision.name in {
            service.latest_ready_revision,
            service.latest_created_revision,
        }:
            raise ApiError(
                "FAILED_PRECONDITION",
                f"Revision '{revision.name.rsplit('/', 1)[1]}' is the latest of its service and "
                "cannot be deleted.",
            )
        if not request.validate_only:
            self._records.delete(revision.name)
        revision.delete_time = now()
        return self._operations.finished(revision)

    def _get(self, asked: str) -> run_v2.Revision:
        name = self._access.canonical(asked)
        revision = self._records.get(name)
        if revision is None:
            raise not_found("REVISION", name)
        return revision


def _log_uri(name: str) -> str:
    parts = name.split("/")
    return (
        f"https://console.cloud.google.com/logs/viewer?project={parts[1]}&resource="
        f"cloud_run_revision/service_name/{parts[5]}/revision_name/{parts[7]}"
    )
