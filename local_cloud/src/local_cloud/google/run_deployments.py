"""Deployments of Cloud Run services: from a wish to a revision that serves, and to the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.cloud import run_v2

from local_cloud.errors import ApiError
from local_cloud.google.records import Records
from local_cloud.google.run_base import RunOperations, mark_changed, new_etag
from local_cloud.google.run_conditions import FAILED, RECONCILING, SUCCEEDED, condition
from local_cloud.google.run_scaling import is_stopped
from local_cloud.runner.failures import RevisionFailed

if TYPE_CHECKING:
    from google.longrunning import operations_pb2

    from local_cloud.access import Access
    from local_cloud.google.operations import Operations
    from local_cloud.google.run_dependencies import Dependencies
    from local_cloud.google.run_revisions import Revisions
    from local_cloud.issuer import Caller
    from local_cloud.runner.runner import Runner
    from local_cloud.store import Store


class Deployments:
    """Carries out what services are asked to be.

    Parameters
    ----------
    store
        Holds the services (kind ``run-service``, and ``run-service-deleted``).
    access
        Forgets the policies of deleted ones.
    operations
        Runs deployments in the background.
    revisions
        Keeps what deployments make.
    dependencies
        Says what is missing.
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
        runner: Runner,
    ) -> None:
        self._store = store
        self._records = Records(store, "run-service", run_v2.Service)
        self._deleted = Records(store, "run-service-deleted", run_v2.Service)
        self._access = access
        self._operations = RunOperations(operations)
        self._revisions = revisions
        self._dependencies = dependencies
        self._runner = runner
        operations.define("run.services.deploy", self._deploy, self._shown)
        operations.define("run.services.delete", self._delete, self._shown)

    def begin(
        self, service: run_v2.Service, old: run_v2.Service | None, caller: Caller, *, dry: bool
    ) -> operations_pb2.Operation:
        """Record the wish and start to carry it out; within a transaction."""
        text = "Deploying Revision."
        mark_changed(service, old, caller, text)
        same = old is not None and old.template == service.template
        deployed = same and old and old.latest_created_revision == old.latest_ready_revision
        if not deployed:
            service.latest_created_revision = self._revisions.name_for(service)
        service.conditions = [
            condition("RoutesReady", RECONCILING if not old else SUCCEEDED),
            condition("ConfigurationsReady", RECONCILING, text),
        ]
        if dry:
            return self._operations.finished(service)
        if not deployed:
            self._revisions.begin(service.latest_created_revision, service)
        self._records.put(service.name, service)
        target = f"{service.name}@{service.generation}@{service.latest_created_revision}"
        return self._operations.start("run.services.deploy", service, target)

    def _shown(self, target: str) -> run_v2.Service | None:
        return self._records.get(target.partition("@")[0])

    def _deploy(self, target: str) -> run_v2.Service:
        """Carry out one generation of a service."""
        name, generation, revision = target.split("@")
        service = self._records.get(name)
        if service is None or service.delete_time or service.generation != int(generation):
            message = f"Generation {generation} of '{name.rsplit('/', 1)[1]}' was replaced."
            self._revisions.settle(revision, message, "RETIRED")
            raise ApiError("ABORTED", message)
        _, project, _, region, _, _ = name.split("/")
        failure = None
        url = ""
        try:
            is_new = revision != service.latest_ready_revision
            if is_new:
                self._dependencies.check(service.template, project, region)
                self._runner.check(service.template)
                self._announce_url(name)
            if is_stopped(service):
                # The revision is ready without an instance: nothing tries whether it starts.
                self._runner.hold(service, revision)
            elif is_new:
                self._dependencies.check_free_gpu(service, project, region)
                self._runner.deploy(service, revision)
            elif self._runner.is_held(name):
                self._dependencies.check_free_gpu(service, project, region)
                self._runner.resume(service, revision)
            url = self._runner.url(name)
        except RevisionFailed as error:
            failure = error
        return self._settle(target, url, failure)

    def _announce_url(self, name: str) -> None:
        """Show the address that the service will have, as Cloud Run does at once."""
        with self._store.transaction():
            service = self._records.get(name)
            if service and not service.urls:
                service.urls = _addresses(self._runner.url(name))
                self._records.put(name, service)

    def _settle(self, target: str, url: str, failure: RevisionFailed | None) -> run_v2.Service:
        """Record how a deployment ended, unless a newer one is under way."""
        name, generation, revision = target.split("@")
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
                service.etag = new_etag()
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


def _serve(service: run_v2.Service, revision: str, url: str) -> None:
    service.latest_ready_revision = revision
    service.uri, service.urls = url, _addresses(url)
    service.traffic_statuses = [
        run_v2.TrafficTargetStatus(
            type_=target.type_,
            revision=target.revision,
            percent=target.percent,
            tag=target.tag,
        )
        for target in service.traffic
    ]


def _addresses(url: str) -> list[str]:
    """Return the addresses of a service, ``uri`` last: Cloud Run lists another one before it.

    Both lead to the same port, and both are audiences of ID tokens.
    """
    return [url.replace("//127.0.0.1:", "//localhost:"), url]


def _worded(failure: RevisionFailed, revision: str) -> str:
    if failure.message.startswith("Revision '"):
        return failure.message
    short = revision.rsplit("/", 1)[1]
    return f"Revision '{short}' is not ready and cannot serve traffic. {failure.message}"
