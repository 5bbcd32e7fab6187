"""Runs the revisions of services, and the tasks of jobs, as processes of this machine.

A revision is one process, whatever number of instances the service may have: the front end lets
through as many requests as that number of instances would take together. A new revision takes over
when its startup probe has passed; until then, and if it fails, the old one serves. The process
starts with the deployment and runs until the service is deleted or replaced: there is no scaling
to zero but the one that somebody asks for. When it ends by itself it is started again, later each
time. CPU limits, liveness probes and traffic splits are not simulated.
"""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local_cloud.errors import ApiError
from local_cloud.metrics import MetricBook
from local_cloud.runner.container import Builder, check
from local_cloud.runner.entries import Journal
from local_cloud.runner.failures import RevisionFailed, not_ready
from local_cloud.runner.front import DEFAULT_MAX_INSTANCES, QUEUE_SECONDS, Front
from local_cloud.runner.instance import Instance, StartReason
from local_cloud.runner.machine import Machine
from local_cloud.runner.meter import Meter
from local_cloud.runner.mounts import VolumeSource
from local_cloud.runner.records import Record, Records
from local_cloud.runner.tasks import run_attempt, task_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from google.cloud import run_v2
    from werkzeug import Request, Response

    from local_cloud.logs import LogBook

_REPLACED = "It was replaced by a newer revision before it was ready."


@dataclass
class _Deployed:
    """A service of this runner."""

    front: Front
    deploying: threading.Lock = field(default_factory=threading.Lock)
    pending: Instance | None = None
    serving: Instance | None = None
    is_held: bool = False


class Runner:
    """Processes of the local cloud's services and jobs.

    Parameters
    ----------
    data
        Folder of the local cloud; buckets are folders in its ``buckets``.
    log
        Takes the output of the processes.
    metrics
        Takes what is measured of the services.
    environment
        Returns the variables that stand for the metadata server, for a service account's email
        address (empty: the default one).
    machine
        What there is to run models with.
    queue_seconds
        How long a request waits for a place at an instance.

    Attributes
    ----------
    invoker
        Returns the refusal of a request to a service (full resource name), or ``None``.
    secrets
        Returns the value of a secret: (project, secret, version).
    may_mount
        Returns why a service account may not mount a bucket: (email, bucket, read only); nothing
        if it may.

    """

    def __init__(
        self,
        data: Path,
        log: LogBook,
        environment: Callable[[str], dict[str, str]],
        *,
        metrics: MetricBook | None = None,
        machine: Machine | None = None,
        queue_seconds: float = QUEUE_SECONDS,
    ) -> None:
        self.invoker: Callable[[Request, str], Response | None] = lambda _request, _service: None
        self.secrets: Callable[[str, str, str], str] = _no_secrets
        self.may_mount: Callable[[str, str, bool], str] = lambda _email, _bucket, _read_only: ""
        self._log = log
        self._metrics = metrics or MetricBook()
        self._environment = environment
        self._machine = machine or Machine.here()
        self._queue_seconds = queue_seconds
        self._buckets = data / "buckets"
        self._wrappers = data / "bin"
        self._scratch = data / "run" / "instances"
        shutil.rmtree(self._scratch, ignore_errors=True)  # of a run that was killed
        self._scratch.mkdir(parents=True)
        self._records = Records(data / "run" / "services")
        self._deployed: dict[str, _Deployed] = {}
        self._started = 0
        self._lock = threading.Lock()

    def check(self, template: run_v2.RevisionTemplate | run_v2.TaskTemplate) -> None:
        """Raise ``RevisionFailed`` if a template contradicts itself; nothing is started."""
        check(template)

    def url(self, service: str) -> str:
        """Return the address of a service (full resource name); it is listened on from now on."""
        return self._of(service).front.url

    def deploy(self, service: run_v2.Service, revision: str) -> str:
        """Start a revision, and let it take over when its startup probe has passed.

        Parameters
        ----------
        service
            With its full resource name.
        revision
            Full resource name.

        Returns
        -------
        str
            Address of the service.

        Raises
        ------
        RevisionFailed
            If it does not become ready, or is overtaken by another call; what served before goes
            on serving.

        """
        deployed = self._of(service.name)
        instance = self._instance(service, revision)
        with self._lock:
            overtaken, deployed.pending = deployed.pending, instance
        if overtaken:
            overtaken.stop(_REPLACED)
        with deployed.deploying:
            try:
                if service.template.health_check_disabled:
                    instance.start_in_background(StartReason.DEPLOYMENT_ROLLOUT)
                else:
                    instance.start(StartReason.DEPLOYMENT_ROLLOUT)
            finally:
                with self._lock:
                    deleted = self._deployed.get(service.name) is not deployed
                    if deployed.pending is instance:
                        deployed.pending = None
            if deleted:
                instance.stop()
                raise not_ready(revision, "RETIRED", "The service was deleted.")
            deployed.is_held = False
            old, deployed.serving = deployed.serving, instance
            deployed.front.direct(instance, _max_instances(service))
            self._records.put(service.name, Record(deployed.front.port, revision, service))
        if old:
            old.stop()
        return deployed.front.url

    def hold(self, service: run_v2.Service, revision: str) -> None:
        """Stop the instance of a service; its address answers that it is not available.

        A revision that was never started becomes the one that `resume` and `restore` start.
        """
        deployed = self._of(service.name)
        with deployed.deploying:
            deployed.is_held = True
            old, deployed.serving = deployed.serving, None
            deployed.front.direct(None)
            self._records.put(
                service.name, Record(deployed.front.port, revision, service, is_held=True)
            )
        if old:
            old.stop()

    def is_held(self, service: str) -> bool:
        """Return whether a service (full resource name) was stopped by `hold`."""
        return self._of(service).is_held

    def resume(self, service: run_v2.Service, revision: str) -> None:
        """Start a revision of a service that was held; requests wait until it is up."""
        deployed = self._of(service.name)
        instance = self._instance(service, revision)
        with deployed.deploying:
            deployed.is_held = False
            deployed.serving = instance
            deployed.front.direct(instance, _max_instances(service))
            self._records.put(service.name, Record(deployed.front.port, revision, service))
        instance.start_in_background(StartReason.MANUAL_OR_CUSTOMER_MIN_INSTANCE)

    def stop(self, service: str) -> None:
        """Stop a service (full resource name) and forget its address."""
        with self._lock:
            deployed = self._deployed.pop(service, None)
        if deployed:
            self._end(deployed)
        self._records.delete(service)

    def run_task(
        self, execution: run_v2.Execution, index: int, attempt: int, cancelled: threading.Event
    ) -> int:
        """Run one attempt of a task of a job to its end.

        Parameters
        ----------
        execution
            With its full resource name and its task template.
        index
            Of the task, from 0.
        attempt
            From 0.
        cancelled
            Ends the task when it is set.

        Returns
        -------
        int
            Exit code; 124 if it took longer than the task's timeout.

        Raises
        ------
        RevisionFailed
            If it cannot be started.

        """
        journal = Journal.of_task(self._log, execution.name, index, attempt)
        builder = self._builder(execution.template, journal, execution.name)
        program = builder.build(
            execution.template,
            task_environment(execution, index, attempt),
            self._environment(execution.template.service_account),
            listens=False,
        )
        try:
            return run_attempt(program, execution.template, journal, cancelled)
        finally:
            shutil.rmtree(program.scratch, ignore_errors=True)

    def restore(self, services: Iterable[run_v2.Service]) -> None:
        """Start, in the background, what served when the local cloud ended.

        Addresses are listened on when this returns; requests wait there until the process is up.
        """
        for service in services:
            record = self._records.get(service.name)
            if not record or not record.service:
                continue
            deployed = self._of(service.name)
            deployed.is_held = record.is_held
            if record.is_held:
                continue
            instance = self._instance(record.service, record.revision)
            deployed.serving = instance
            deployed.front.direct(instance, _max_instances(record.service))
            instance.start_in_background(StartReason.AUTOSCALING)

    def shutdown(self) -> None:
        """Stop all processes; the next `restore` starts the services again."""
        with self._lock:
            ending, self._deployed = list(self._deployed.values()), {}
        if ending:
            with ThreadPoolExecutor(len(ending)) as pool:
                list(pool.map(self._end, ending))

    def _of(self, service: str) -> _Deployed:
        with self._lock:
            if service not in self._deployed:
                record = self._records.get(service)
                front = Front(
                    service,
                    record.port if record else None,
                    self.invoker,
                    self._log,
                    self._metrics,
                    queue_seconds=self._queue_seconds,
                )
                if not record or record.port != front.port:
                    kept = (record.revision, record.service, record.is_held) if record else ()
                    self._records.put(service, Record(front.port, *kept))
                self._deployed[service] = _Deployed(front)
            return self._deployed[service]

    def _instance(self, service: run_v2.Service, revision: str) -> Instance:
        template = service.template
        journal = Journal.of_revision(self._log, revision)
        name = service.name.rsplit("/", 1)[-1]
        platform = {
            "K_SERVICE": name,
            "K_CONFIGURATION": name,
            "K_REVISION": revision.rsplit("/", 1)[-1],
        }
        return Instance(
            revision,
            template,
            lambda: self._builder(template, journal, revision).build(
                template, platform, self._environment(template.service_account), listens=True
            ),
            journal,
            Meter(self._metrics, journal.resource),
        )

    def _builder(
        self,
        template: run_v2.RevisionTemplate | run_v2.TaskTemplate,
        journal: Journal,
        owner: str,
    ) -> Builder:
        with self._lock:
            self._started += 1
            folder = self._scratch / f"{owner.rsplit('/', 1)[-1]}-{self._started}"
        project = owner.split("/")[1]
        volumes = VolumeSource(
            buckets=self._buckets,
            scratch=folder,
            secret=lambda name, version: self._secret(project, name, version),
            may_mount=lambda bucket, read_only: self.may_mount(
                template.service_account, bucket, read_only
            ),
            warn=lambda text: journal.system(text, "ERROR"),
        )
        return Builder(self._machine, volumes, folder, self._wrappers)

    def _secret(self, project: str, name: str, version: str) -> str:
        if name.startswith("projects/"):
            _, project, _, name = name.split("/")
        try:
            return self.secrets(project, name, version)
        except ApiError as error:
            raise RevisionFailed("SECRETS_ACCESS_CHECK_FAILED", error.message) from error

    def _end(self, deployed: _Deployed) -> None:
        for instance in (deployed.pending, deployed.serving):
            if instance:
                instance.stop()
        deployed.front.direct(None)
        deployed.front.close()


def _max_instances(service: run_v2.Service) -> int:
    limits = (service.template.scaling.max_instance_count, service.scaling.max_instance_count)
    return min([limit for limit in limits if limit] or [DEFAULT_MAX_INSTANCES])


def _no_secrets(project: str, secret: str, version: str) -> str:
    raise RevisionFailed(
        "SECRETS_ACCESS_CHECK_FAILED",
        f"Secret projects/{project}/secrets/{secret}/versions/{version} was not found.",
    )
