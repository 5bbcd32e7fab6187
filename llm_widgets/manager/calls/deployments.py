"""What Python asks of deployments: what one would be, making one, changing one."""

from __future__ import annotations

import asyncio
import functools
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.services import ServiceState
from llm_widgets.errors import DeploymentError
from llm_widgets.gcp.run import rollout, service_json
from llm_widgets.manager import (
    bars,
    change,
    deploy,
    estimating,
    explaining,
    finding,
    interrupting,
    managed,
    measuring,
    memory,
    offering,
    options,
    projects,
    spreading,
)
from llm_widgets.manager.calls.services import ServiceCalls
from llm_widgets.manager.interrupting import Work
from llm_widgets.manager.offering import Subject
from llm_widgets.serving import gpu_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Unpack

    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.memory.measured import MeasuredStart
    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.domain.services import Deployment, ServiceSummary
    from llm_widgets.engines.proposals import Proposal
    from llm_widgets.errors import ManagerError
    from llm_widgets.gcp.storage.buckets import BucketListing
    from llm_widgets.manager.calls.base import Named
    from llm_widgets.manager.options import DeployOptions


class PartlyDoneWarning(UserWarning):
    """A part of what was asked for could not be done; the rest was."""


class DeployCalls(ServiceCalls):
    """The part of :class:`.Manager` that deploys models, and changes what is deployed."""

    @options.documented
    def deployment(
        self,
        bucket: str | BucketListing,
        model_id: str | ModelRecord,
        *,
        revision: str = "",
        **changes: Unpack[DeployOptions],
    ) -> Deployment:
        """Return the deployment that a model of a bucket is offered first, with changes.

        Parameters
        ----------
        **options

        Notes
        -----
        What was not asked for follows what was: the GPU the region, the engine's arguments the
        port and the concurrency. Another ``framework`` brings all that belongs to that engine.

        Raises
        ------
        NotFoundError
            The bucket has no such model that is ready.
        InvalidInputError
            The engine that is named does not serve such a model.
        """
        subject = self._subject(bucket, model_id, revision)
        return self._wanted(
            subject, memory.kept(self.clients, subject.bucket, subject.record), changes
        )

    def family(
        self,
        bucket: str | BucketListing,
        model_id: str | ModelRecord,
        *,
        revision: str = "",
        framework: str = "",
    ) -> Proposal | None:
        """Return what an engine is told because of a model's family, with the reason.

        :meth:`deployment` has these arguments already.

        Parameters
        ----------
        framework
            Id of the engine; the one that is preferred for the model's hub when empty.

        Returns
        -------
        Proposal | None
            ``None`` where nothing is known of the family, or nothing has to be told.

        Raises
        ------
        NotFoundError
            The bucket has no such model that is ready.
        """
        subject = self._subject(bucket, model_id, revision)
        manifest = memory.kept(self.clients, subject.bucket, subject.record)
        offered = self._wanted(subject, manifest, {"framework": framework} if framework else {})
        return offering.proposal(subject, manifest, offered.framework)

    def estimate(
        self,
        bucket: str | BucketListing,
        model_id: str | ModelRecord,
        *,
        revision: str = "",
        **changes: Unpack[DeployOptions],
    ) -> estimating.Fit:
        """Tell whether a model of a bucket fits into the GPU that it would be deployed with.

        For a model of a hub, without an account, see :func:`.estimating.estimate`.

        Parameters
        ----------
        **changes
            See :meth:`deployment`.
        """
        subject = self._subject(bucket, model_id, revision)
        manifest = memory.kept(self.clients, subject.bucket, subject.record)
        wanted = self._wanted(subject, manifest, changes)
        known = memory.model_of(subject.record, manifest)
        return estimating.Fit(subject.record.id, wanted, gpu_memory.estimate(known, wanted))

    @options.documented
    def deploy(
        self,
        bucket: str | BucketListing,
        model_id: str | ModelRecord,
        *,
        revision: str = "",
        callers: Iterable[str] = (),
        grant_access: bool = True,
        fit_anyway: bool = False,
        trust_remote_code: bool | None = None,
        start: str = "",
        stream_weights: bool | None = None,
        family_arguments: bool = True,
        exist_ok: bool = False,
        progress: bool = True,
        wait: bool = True,
        watch: Callable[[str], None] = lambda _: None,
        **changes: Unpack[DeployOptions],
    ) -> ServiceSummary:
        """Deploy a model and wait until it is ready.

        Parameters
        ----------
        callers
            Who may call the service beside whoever deploys it: ``user:``, ``group:``,
            ``serviceAccount:`` or ``domain:`` and who it is. Who can't be let in is warned of,
            see :class:`.PartlyDoneWarning`.
        grant_access
            Whether the service's account is let read the bucket, unless it may already by the
            policy of the bucket or the project.
        fit_anyway
            Whether to deploy a model that surely does not fit into the GPU's memory.
        trust_remote_code
            Whether the engine runs code that the model brings along; as the engine's arguments
            say when ``None``, and never by default.
        start
            What the engine's start is traded for: ``fast-start``, ``balanced`` or ``fast-answers``;
            balanced by default.
        stream_weights
            Whether the engine reads weights from ``gs://`` and not through the mount; where that is
            known to be faster when ``None``.
        family_arguments
            Whether the engine is told what models of this family are served with; see
            :meth:`family`.
        exist_ok
            Whether a service of that name that serves the same model is changed to what is asked
            for, where it differs, and waited for.
        progress
            Whether it is shown how far the service is, in a notebook or on a terminal.
        wait
            Whether to wait until it is ready.
        watch
            Called every two seconds with what Cloud Run says of the service.
        **options

        Raises
        ------
        ManagerError
            The deployment is not valid, Cloud Run refuses it, or it does not come up; see
            :func:`llm_widgets.manager.deploy.deploy`.
        """
        subject = self._subject(bucket, model_id, revision)
        manifest = memory.kept(self.clients, subject.bucket, subject.record)
        wanted = self._wanted(subject, manifest, changes)
        wanted = offering.with_code(wanted, runs=trust_remote_code)
        wanted = offering.with_start(wanted, start)
        wanted = offering.with_streaming(wanted, on=stream_weights)
        if not family_arguments:
            proposed = offering.proposal(subject, manifest, wanted.framework)
            wanted = offering.with_proposal(wanted, proposed, told=False)
        there = deploy.found(self.clients, wanted) if exist_ok else None
        if there:
            return self._again(there, changes, watch, wait=wait, progress=progress)
        with interrupting.completed(_deployment_of(deploy.name_of(wanted))):
            created = deploy.deploy(
                self.clients,
                self.project,
                wanted,
                deploy.Choices(tuple(callers), grant_access, fit_anyway),
                model=memory.model_of(subject.record, manifest),
                tell=_warn,
            )
        if not wait:
            return self.service(created.name)
        with self._waiting(created.name, watch, progress=progress) as take:
            ready = deploy.wait(self.clients, created, take)
        measuring.after_start(self.clients, created.name)
        return ready

    @functools.wraps(deploy)
    async def adeploy(self, *args: Any, **keywords: Any) -> ServiceSummary:
        """Do what :meth:`deploy` does, without blocking the event loop."""
        return await asyncio.to_thread(self.deploy, *args, **keywords)

    def measured(self, service: Named) -> MeasuredStart | None:
        """Return what the engine of a service measured of the GPU's memory when it started.

        It is kept with the model, and goes before the estimate for deployments with the same GPU,
        image and settings.

        Raises
        ------
        ManagerError
            The log can't be read, or the bucket's list of models can't be changed.
        """
        return measuring.of_service(self.clients, self._name(service))

    @options.documented
    def change(
        self,
        service: Named,
        *,
        fit_anyway: bool = False,
        progress: bool = True,
        wait: bool = True,
        watch: Callable[[str], None] = lambda _: None,
        **changes: Unpack[DeployOptions],
    ) -> ServiceSummary:
        """Change a service and wait until that is deployed; what is not named stays as it is.

        Parameters
        ----------
        fit_anyway
            Whether to deploy a model that surely does not fit into the GPU's memory any more.
        progress, wait, watch
            See :meth:`deploy`.
        **options

        Notes
        -----
        :meth:`.diff` tells what would be changed.

        Raises
        ------
        ManagerError
            The change is not valid, changes nothing, is refused, or does not come up.
        """
        name = self._name(service)
        managed.refuse_edit(self.service(name))
        document = service_json.read(self.clients, name)
        before = change.deployment_of(document)
        after = offering.changed(before, options.checked(changes))
        for problem in change.problems(before, after):
            raise problem
        wanted = change.prepared(document, before, after)
        change.refuse_nothing(wanted)
        model = None if fit_anyway else memory.of_deployment(self.clients, after)
        if model:
            memory.refuse_too_large(model, after, before)
        with interrupting.completed(_deployment_of(name)):
            change.send(self.clients, wanted)
        return self._settled(name, watch, progress=progress) if wait else self.service(name)

    @functools.wraps(change)
    async def achange(self, *args: Any, **keywords: Any) -> ServiceSummary:
        """Do what :meth:`change` does, without blocking the event loop."""
        return await asyncio.to_thread(self.change, *args, **keywords)

    def _again(
        self,
        there: ServiceSummary,
        changes: DeployOptions,
        watch: Callable[[str], None],
        *,
        wait: bool,
        progress: bool,
    ) -> ServiceSummary:
        """Change a service that is there to what is asked for, or deploy it again if it failed."""
        fixed: Any = {k: v for k, v in changes.items() if k not in change.FIXED}
        if fixed and self.diff(there, **fixed):
            return self.change(there, watch=watch, wait=wait, progress=progress, **fixed)
        if there.state in (ServiceState.ERROR, ServiceState.OLD_SERVING):
            document = service_json.read(self.clients, there.name)
            before = change.deployment_of(document)
            with interrupting.completed(_deployment_of(there.name)):
                change.send(self.clients, change.again(change.prepared(document, before, before)))
        return self._settled(there.name, watch, progress=progress) if wait else there

    @contextmanager
    def _waiting(
        self, name: str, watch: Callable[[str], None], *, progress: bool
    ) -> Iterator[Callable[[str], None]]:
        """Show how a service comes up, why it did not, and that it still does."""
        with (
            bars.of_service(name.rsplit("/", 1)[-1], shown=progress) as bar,
            interrupting.keeps_running(_deployment_of(name)),
        ):
            try:
                yield bars.both(bar, watch)
            except DeploymentError as error:
                raise explaining.with_remedy(self.clients, name, error) from error

    def _settled(
        self, name: str, watch: Callable[[str], None], *, progress: bool
    ) -> ServiceSummary:
        """Wait until a service that changes is ready."""
        with self._waiting(name, watch, progress=progress) as take:
            followed = rollout.follow_service(self.clients, name)
            ready = spreading.settled(self.clients, name, followed, take)
        measuring.after_start(self.clients, name)
        return ready or self.service(name)

    def _wanted(
        self, subject: Subject, manifest: ModelManifest | None, asked: DeployOptions
    ) -> Deployment:
        changes = options.checked(asked)
        known = projects.defaults(self.clients, self.project)
        offered = offering.offer(known, subject, manifest, changes.pop("framework", ""))
        return offering.asked_for(known, offered, changes, subject.record.size)

    def _subject(
        self, bucket: str | BucketListing, model: str | ModelRecord, revision: str
    ) -> Subject:
        name = finding.bucket_name(bucket)
        if isinstance(model, str):
            model = finding.model(self.clients, self.project.id, name, model, revision)
        return Subject(name, self._location(name), model)


def _deployment_of(name: str) -> Work:
    _, _, _, region, _, id_ = name.split("/")
    return Work(
        f"{id_} is still being deployed.",
        python=f"manager.service({id_!r}, region={region!r})",
        command=f"llm-widgets services describe {id_} --region {region}",
    )


def _warn(error: ManagerError) -> None:
    warnings.warn(str(error), PartlyDoneWarning, stacklevel=2)
