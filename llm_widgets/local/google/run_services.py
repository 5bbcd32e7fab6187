"""Cloud Run Admin v2: services."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from google.cloud import run_v2
from google.protobuf import field_mask_pb2

from llm_widgets.local.errors import ApiError
from llm_widgets.local.google.gapic import as_message
from llm_widgets.local.google.permissions import by_name
from llm_widgets.local.google.policies import Policies
from llm_widgets.local.google.records import Records, copied, page_of
from llm_widgets.local.google.run_conditions import (
    FAILED,
    RECONCILING,
    SUCCEEDED,
    condition,
    now,
)
from llm_widgets.local.google.run_names import check_id, invalid, parse_parent
from llm_widgets.local.google.run_templates import check_service, fill_service
from llm_widgets.local.runner.failures import RevisionFailed

if TYPE_CHECKING:
    from google.longrunning import operations_pb2

    from llm_widgets.local.access import Access
    from llm_widgets.local.google.operations import Operations
    from llm_widgets.local.google.run_dependencies import Dependencies
    from llm_widgets.local.google.run_quotas import Limits
    from llm_widgets.local.google.run_revisions import Revisions
    from llm_widgets.local.issuer import Caller
    from llm_widgets.local.runner.runner import Runner
    from llm_widgets.local.store import Store

API = "run.googleapis.com"
rule = by_name("run")
OPERATIONS = "run.operations"

KEPT_DELETED = timedelta(days=30)
"""How long a deleted service is said to be kept."""

# Fields that only Cloud Run itself sets.
_OUTPUT_ONLY = (
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


class Services(Policies):
    """Answers ServicesClient.

    Parameters
    ----------
    store
        Holds the services (kind ``run-service``).
    access
        Keeps their policies.
    operations
        Carries out deployments.
    revisions
        Keeps what deployments make.
    dependencies, limits
        Say whether a template can be deployed.
    runner
        Runs the processes.

    """

    def __init__(
        self,
        store: Store,
        access: Access,
        operations: Operations,
        *,
        revisions: Revisions,
        dependencies: Dependencies,
        limits: Limits,
        runner: Runner,
    ) -> None:
        super().__init__(access)
        self._store = store
        self._records = Records(store, "run-service", run_v2.Service)
        self._deleted = Records(store, "run-service-deleted", run_v2.Service)
        self._operations = operations
        self._revisions = revisions
        self._dependencies = dependencies
        self._limits = limits
        self._runner = runner
        operations.define("run.services.deploy", self._deploy, self._shown)
        operations.define("run.services.delete", self._delete, self._shown)

    def get_service(self, request: Any, caller: Caller) -> run_v2.Service:  # noqa: ARG002 - a handler
        """Return one service."""
        return self._get(request.name)

    def list_services(
        self,
        request: Any,
        caller: Caller,  # noqa: ARG002 - a handler
    ) -> run_v2.ListServicesResponse:
        """Return the services of a region."""
        parent = self._access.canonical(request.parent)
        parse_parent(parent)
        found = self._records.list(f"{parent}/services/")
        if request.show_deleted:
            found += self._deleted.list(f"{parent}/services/")
        page, token = page_of(found, request)
        return run_v2.ListServicesResponse(services=page, next_page_token=token)

    def create_service(self, request: Any, caller: Caller) -> operations_pb2.Operation:
        """Make a service and deploy its first revision."""
        parent = self._access.canonical(request.parent)
        parse_parent(parent)
        check_id("service_id", request.service_id)
        if request.service.name:
            raise invalid("service.name", "must be empty when a service is created")
        service = copied(request.service)
        self._clear_output(service)
        service.name = f"{parent}/services/{request.service_id}"
        service.uid, service.create_time, service.creator = str(uuid.uuid4()), now(), caller.email
        self._prepare(service, caller)
        with self._store.transaction():
            if self._records.get(service.name):
                raise ApiError("ALREADY_EXISTS", f"Resource '{request.service_id}' already exists.")
            return self._begin(service, None, caller, dry=request.validate_only)

    def update_service(self, request: Any, caller: Caller) -> operations_pb2.Operation:
        """Change a service; a changed template makes a new revision."""
        name = self._access.canonical(request.service.name)
        parent, _, short = name.rpartition("/services/")
        if request.allow_missing and self._records.get(name) is None:
            self._access.require(caller, "run.services.create", parent)
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
            service = _merged(old, request)
            service.name = name
            self._prepare(service, caller)
            return self._begin(service, old, caller, dry=request.validate_only)

    def delete_service(self, request: Any, caller: Caller) -> operations_pb2.Operation:
        """Delete a service and its revisions."""
        with self._store.transaction():
            service = self._get(request.name)
            self._check_etag(service, request.etag)
            parent = service.name.partition("/services/")[0]
            if request.validate_only:
                return self._operations.finished(
                    service, service, parent=parent, permission=OPERATIONS
                )
            service.delete_time = service.delete_time or now()
            service.expire_time = service.delete_time + KEPT_DELETED
            service.last_modifier, service.etag = caller.email, _new_etag()
            service.reconciling = True
            service.terminal_condition = condition("Ready", RECONCILING, "Deleting Service.")
            self._records.put(service.name, service)
            return self._operations.start(
                "run.services.delete", service.name, service, parent=parent, permission=OPERATIONS
            )

    def require_existing(self, resource: str) -> None:
        """Raise 404 for a service that is not there."""
        self._get(resource)

    def ready(self) -> list[run_v2.Service]:
        """Return the services that have a revision to serve, for a start."""
        return [s for s in self._records.list() if s.latest_ready_revision and not s.delete_time]

    def find(self, name: str) -> run_v2.Service | None:
        """Return a service by its full name, or None."""
        return self._records.get(name)

    # -- inside ----------------------------------------------------------------------------------

    def _get(self, asked: str) -> run_v2.Service:
        name = self._access.canonical(asked)
        service = self._records.get(name)
        if service is None:
            _, project, _, region, _, short = name.split("/")
            raise ApiError(
                "NOT_FOUND",
                f"Resource '{short}' of kind 'SERVICE' in region '{region}' in project "
                f"'{project}' does not exist.",
            )
        return service

    def _check_etag(self, service: run_v2.Service, etag: str) -> None:
        if etag and etag != service.etag:
            raise ApiError(
                "ABORTED",
                f"Conflict for resource '{service.name.rsplit('/', 1)[1]}': version {etag} was "
                f"specified but current version is {service.etag}.",
            )

    def _clear_output(self, service: run_v2.Service) -> None:
        for field in _OUTPUT_ONLY:
            as_message(service).ClearField(field)

    def _prepare(self, service: run_v2.Service, caller: Caller) -> None:
        """Refuse what cannot be deployed, and fill in what is not stated."""
        _, project, _, region, _, _ = service.name.split("/")
        check_service(service, region)
        fill_service(service, self._dependencies.default_account(project))
        instances = service.template.scaling.max_instance_count
        self._limits.check(service.template, project, region, instances)
        self._dependencies.require_act_as(caller, service.template.service_account, project)

    def _begin(
        self, service: run_v2.Service, old: run_v2.Service | None, caller: Caller, *, dry: bool
    ) -> operations_pb2.Operation:
        """Record the wish and start to carry it out; within a transaction."""
        parent = service.name.partition("/services/")[0]
        service.generation = old.generation + 1 if old else 1
        service.update_time, service.last_modifier = now(), caller.email
        service.etag = _new_etag()
        same = old is not None and old.template == service.template
        deployed = same and old and old.latest_created_revision == old.latest_ready_revision
        if not deployed:
            service.latest_created_revision = self._revisions.name_for(service)
        service.reconciling = True
        text = "Deploying Revision."
        service.terminal_condition = condition("Ready", RECONCILING, text)
        service.conditions = [
            condition("RoutesReady", RECONCILING if not old else SUCCEEDED),
            condition("ConfigurationsReady", RECONCILING, text),
        ]
        if dry:
            return self._operations.finished(service, service, parent=parent, permission=OPERATIONS)
        if not deployed:
            self._revisions.begin(service.latest_created_revision, service)
        self._records.put(service.name, service)
        target = f"{service.name}@{service.generation}"
        return self._operations.start(
            "run.services.deploy", target, service, parent=parent, permission=OPERATIONS
        )

    def _shown(self, target: str) -> run_v2.Service | None:
        return self._records.get(target.partition("@")[0])

    def _deploy(self, target: str) -> run_v2.Service:
        """Carry out one generation of a service."""
        name, _, generation = target.partition("@")
        service = self._records.get(name)
        if service is None or service.delete_time or service.generation != int(generation):
            raise ApiError("ABORTED", f"Generation {generation} of '{name}' was replaced.")
        revision = service.latest_created_revision
        _, project, _, region, _, _ = name.split("/")
        failure = None
        url = ""
        try:
            if revision != service.latest_ready_revision:
                self._dependencies.check(service.template, project, region)
                self._dependencies.check_free_gpu(service, project, region)
                self._runner.check(service.template)
                self._announce_url(name)
                self._runner.deploy(service, revision)
            url = self._runner.url(name)
        except RevisionFailed as error:
            failure = error
        return self._settle(target, revision, url, failure)

    def _announce_url(self, name: str) -> None:
        """Show the address that the service will have, as Cloud Run does at once."""
        with self._store.transaction():
            service = self._records.get(name)
            if service and not service.urls:
                service.urls = [self._runner.url(name)]
                self._records.put(name, service)

    def _settle(
        self, target: str, revision: str, url: str, failure: RevisionFailed | None
    ) -> run_v2.Service:
        """Record how a deployment ended, unless a newer one is under way."""
        name, _, generation = target.partition("@")
        message = _worded(failure, revision) if failure else ""
        reason = failure.reason if failure else ""
        with self._store.transaction():
            self._revisions.settle(revision, message, reason)
            service = self._records.get(name)
            if service and service.generation == int(generation) and not service.delete_time:
                state = FAILED if failure else SUCCEEDED
                service.reconciling, service.observed_generation = False, service.generation
                service.terminal_condition = condition("Ready", state, message, reason)
                routes = SUCCEEDED if not failure or service.latest_ready_revision else FAILED
                service.conditions = [
                    condition("RoutesReady", routes, message if routes == FAILED else "", reason),
                    condition("ConfigurationsReady", state, message, reason),
                ]
                if not failure:
                    _serve(service, revision, url)
                    self._revisions.retire_others(name, revision)
                service.etag = _new_etag()
                self._records.put(name, service)
        if failure:
            raise ApiError("FAILED_PRECONDITION", message)
        if service is None:
            raise ApiError("NOT_FOUND", f"'{name}' was deleted while it was deployed.")
        return service

    def _delete(self, name: str) -> run_v2.Service:
        service = self._records.get(name)
        if service is None:  # taken up after a crash at the very end
            raise ApiError("NOT_FOUND", f"'{name}' is deleted already.")
        self._runner.stop(name)
        with self._store.transaction():
            self._records.delete(name)
            self._revisions.forget(name)
            self._access.delete_policy(name)
            service.reconciling = False
            self._deleted.put(f"{name}@{service.uid}", service)
        return service


def _merged(old: run_v2.Service, request: Any) -> run_v2.Service:
    """Return the service that an update asks for, with the output fields of the old one."""
    asked = copied(request.service)
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
    for field in _OUTPUT_ONLY:
        as_message(asked).ClearField(field)
        if field in old:
            setattr(asked, field, getattr(old, field))
    return asked


def _serve(service: run_v2.Service, revision: str, url: str) -> None:
    service.latest_ready_revision = revision
    service.uri, service.urls = url, [url]
    service.traffic_statuses = [
        run_v2.TrafficTargetStatus(
            type_=target.type_,
            revision=target.revision,
            percent=target.percent,
            tag=target.tag,
        )
        for target in service.traffic
    ]


def _worded(failure: RevisionFailed, revision: str) -> str:
    if failure.message.startswith("Revision '"):
        return failure.message
    short = revision.rsplit("/", 1)[1]
    return f"Revision '{short}' is not ready and cannot serve traffic. {failure.message}"


def _new_etag() -> str:
    return f'"{secrets.token_urlsafe(12)}"'
