"""The product without its page: the same use cases for Python."""

from __future__ import annotations

import asyncio
import difflib
import functools
import logging
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from llm_widgets import hubs
from llm_widgets.checks.context import Context
from llm_widgets.config import Settings, settings
from llm_widgets.domain import members, storage_use
from llm_widgets.domain.found_models import LIMIT
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.services import ServiceState
from llm_widgets.domain.tables import Listing
from llm_widgets.errors import DeploymentError, Fix, ManagerError, NotFoundError, TransferError
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.iam import propagation
from llm_widgets.gcp.run import rollout, service_json
from llm_widgets.gcp.storage import buckets, metadata
from llm_widgets.manager import (
    adopting,
    bars,
    bucket_access,
    bucket_models,
    change,
    deploy,
    estimating,
    explaining,
    importing,
    interrupting,
    managed,
    measuring,
    memory,
    model_search,
    options,
    pausing,
    projects,
    remove,
    spreading,
    tidying,
)
from llm_widgets.manager import callers as who_calls
from llm_widgets.manager.deploy import Subject
from llm_widgets.manager.import_check import ImportCheck, ImportRequest, check_import
from llm_widgets.manager.import_target import Target, TargetKind, create_bucket
from llm_widgets.manager.interrupting import Work
from llm_widgets.manager.load_test_calls import LoadTestCalls
from llm_widgets.manager.service_calls import Named, ServiceCalls
from llm_widgets.serving import gpu_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Unpack

    from llm_widgets.domain.adoption import LabelChange
    from llm_widgets.domain.checklist import Row
    from llm_widgets.domain.imports import HubModel
    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.memory.measured import MeasuredStart
    from llm_widgets.domain.progress import ImportProgress
    from llm_widgets.domain.services import Deployment, ServiceSummary
    from llm_widgets.domain.storage_use import BucketUse, Finding
    from llm_widgets.engines.proposals import Proposal
    from llm_widgets.gcp.project.projects import Project
    from llm_widgets.gcp.storage.buckets import BucketListing
    from llm_widgets.manager.options import DeployOptions

T = TypeVar("T")

_log = logging.getLogger(__name__)
_SHORTEST_REVISION = 7
"""Characters by which git, too, tells commits apart."""


class PartlyDoneWarning(UserWarning):
    """A part of what was asked for could not be done; the rest was."""


class Manager(ServiceCalls, LoadTestCalls):
    """Imports, deploys and uses models in one project.

    A service, a model and a bucket are named by their names, or by what was listed of them. What
    the page refuses is refused here too, with the same :class:`ManagerError`: message,
    cause, fix, and the field that it is about.

    What takes a grant that was made moments ago is tried again until that has its effect; the log
    says so.

    Parameters
    ----------
    project
        Id of the project; when left out, the one that the environment names.
    chosen
        Settings; those of the process when left out.

    Raises
    ------
    InvalidInputError
        No project is named anywhere, or ``LLM_WIDGETS_PROJECT`` allows another one only.

    Examples
    --------
    >>> manager = Manager("my-project")
    >>> manager.create_bucket("my-project-models", "europe-west1")
    >>> manager.import_model("my-project-models", "ollama", "smollm2:135m")
    >>> service = manager.deploy("my-project-models", "smollm2:135m")
    >>> print(manager.chat(service, "Say hello."))
    """

    def __init__(self, project: str = "", chosen: Settings | None = None) -> None:
        self.settings = chosen or settings()
        hubs.check_endpoints(self.settings)
        self.clients = Clients(self.settings)
        propagation.of(self.clients).on_wait(lambda sentence: _log.warning("%s", sentence))
        self.project = projects.open_project(self.clients, project)

    def __repr__(self) -> str:
        """Return how it was made."""
        return f"Manager({self.project.id!r})"

    def projects(self, text: str = "") -> Listing[Project]:
        """List the projects that you can see, whose ID or name begins with a text."""
        return projects.visible(self.clients, text)

    def doctor(self) -> Listing[Row]:
        """Check what the project lacks, as the General tab does."""
        rows, _ = projects.checklist(Context(self.clients, self.project))
        return Listing(rows, ("check", "state", "found", "fix"))

    def buckets(self) -> Listing[BucketListing]:
        """List the buckets of the project that hold models."""
        found = buckets.list_model_buckets(self.clients, self.project.id)
        return Listing(found, ("name", "location", "created_at", "reason"))

    def create_bucket(self, name: str, region: str, *, exist_ok: bool = False) -> BucketListing:
        """Create a bucket for models.

        Parameters
        ----------
        exist_ok
            Whether a bucket of models of that name, in the project, is returned as it is.
        """
        if exist_ok:
            found = next((each for each in self.buckets() if each.name == name), None)
            if found:
                return found
        return create_bucket(self.clients, self.project.id, name, region)

    def storage_use(self, bucket: str | BucketListing = "") -> Listing[BucketUse]:
        """Tell what the buckets of models store, by kind, and when deleting saves something.

        What can't be read is unknown, and never 0.

        Parameters
        ----------
        bucket
            The one to read; all buckets of models when left out.

        Raises
        ------
        ManagerError
            The bucket that is named can't be opened, or buckets can't be listed.
        """
        clients, project = self.clients, self.project.id
        if bucket:
            found = [tidying.read(clients, project, _bucket(bucket))]
        else:
            found = tidying.read_all(clients, project, [each.name for each in self.buckets()])
        return Listing(found, storage_use.COLUMNS)

    def tidy(self, bucket: str | BucketListing) -> Listing[Finding]:
        """List what may be superfluous in a bucket; nothing is deleted.

        These are models that no service of any region reads, leftovers of imports, folders without
        an entry in the list of models, and copies of a model within its own folder. Delete one
        with :meth:`delete_model` or :meth:`delete_folder`.

        Raises
        ------
        ManagerError
            The bucket can't be read.
        """
        found = tidying.findings(self.clients, self.project.id, _bucket(bucket))
        return Listing(found, storage_use.FINDINGS)

    def delete_folder(self, bucket: str | BucketListing, folder: str) -> None:
        """Delete a folder that :meth:`tidy` lists and that is no model's.

        Raises
        ------
        ManagerError
            It is a model's, it may be in use, something was written there in the last 24 hours, or
            the bucket refuses; nothing was deleted.
        """
        tidying.delete_folder(self.clients, self.project.id, _bucket(bucket), folder)

    def delete_bucket(self, bucket: str | BucketListing) -> None:
        """Delete a bucket of models that holds no model and nothing else.

        Raises
        ------
        ManagerError
            It is not empty, also by noncurrent versions; a service may mount it; or it can't be
            deleted.
        """
        tidying.delete_bucket(self.clients, self.project.id, _bucket(bucket))

    def find(
        self,
        text: str = "",
        *,
        source: str = "",
        task: str = "",
        sort: str = "downloads",
        limit: int = LIMIT,
        token: str = "",
        fits: bool = True,
    ) -> Listing[model_search.FoundFit]:
        """Search the hubs for models, with the GPUs that each fits into.

        See :func:`.model_search.find`, which takes no account of Google Cloud.
        """
        return model_search.find(
            text,
            source=source,
            task=task,
            sort=sort,
            limit=limit,
            token=token,
            fits=fits,
            chosen=self.settings,
        )

    def siblings_that_fit(
        self, source: str, model_id: str, *, accelerator: str = "", token: str = ""
    ) -> Listing[model_search.FoundFit]:
        """Return quantized versions of a model of a hub that fit into a GPU.

        See :func:`.model_search.siblings_that_fit`.
        """
        return model_search.siblings_that_fit(
            source, model_id, accelerator=accelerator, token=token, chosen=self.settings
        )

    def models(self, bucket: str | BucketListing) -> Listing[ModelRecord]:
        """List the models of a bucket."""
        file, _ = metadata.read_metadata(self.clients.storage(self.project.id), _bucket(bucket))
        return Listing(file.models, ("id", "status", "source", "size", "imported_at"))

    def repair_models(self, bucket: str) -> Listing[ModelRecord]:
        """Repair the list of models of a bucket; the damaged one is kept beside it.

        Raises
        ------
        ManagerError
            The bucket refuses.
        """
        bucket_models.repair(self.clients, bucket)
        return self.models(bucket)

    def inspect(
        self,
        source: str,
        model_id: str,
        *,
        revision: str = "",
        token: str = "",
        files: Iterable[str] | None = None,
    ) -> HubModel:
        """Ask a hub for a model: what would be copied, and whether it may be read.

        Parameters
        ----------
        source
            Id of the hub, for example ``"huggingface"`` or ``"ollama"``.
        token
            The hub's token, for gated and private models; ``"HF_TOKEN"`` for the one of that
            variable, ``"hf auth login"`` for the one that was signed in with.
        files
            Paths of the files to copy; those that the engine loads when left out.

        Raises
        ------
        ManagerError
            The model can't be had, or has no such file.
        """
        given = hubs.token(source, token, self.settings)
        found = hubs.inspect(source, model_id, self.settings, token=given, revision=revision)
        return found if files is None else importing.with_files(found, files)

    def check_import(
        self,
        bucket: str,
        source: str,
        model_id: str,
        *,
        revision: str = "",
        token: str = "",
        files: Iterable[str] | None = None,
        create_in: str = "",
        adopt: bool = False,
    ) -> ImportCheck:
        """Prove that a model can be imported; nothing is made, and no byte moves.

        Parameters
        ----------
        source
            Id of the hub, for example ``"huggingface"`` or ``"ollama"``.
        token
            The hub's token, for gated and private models; see :meth:`inspect`.
        files
            Paths of the files to copy; those that the engine loads when left out.
        create_in
            Region in which the bucket is created at the start, where it is missing; empty for a
            bucket that is there.
        adopt
            Whether a bucket that holds no models yet becomes one of models at the start.

        Raises
        ------
        ManagerError
            It can't be imported; see :func:`llm_widgets.manager.import_check.check_import`.
        """
        is_new = bool(create_in) and not self._has(bucket)
        there = TargetKind.ADOPT if adopt else TargetKind.EXISTING
        target = Target(TargetKind.CREATE if is_new else there, bucket, create_in)
        given = hubs.token(source, token, self.settings)
        request = ImportRequest(source, model_id, target, revision, given)
        checked = check_import(self.clients, self.settings, self.project.id, request)
        return checked if files is None else importing.choose(checked, files)

    def import_model(
        self,
        bucket: str | BucketListing,
        source: str,
        model_id: str,
        *,
        watch: Callable[[ImportProgress], None] = lambda _: None,
        progress: bool = True,
        wait: bool = True,
        exist_ok: bool = False,
        token: str = "",
        **choices: Any,
    ) -> ModelRecord:
        """Import a model and wait for it; it goes on if this call is interrupted.

        Calling it again joins an import that runs, and compares the files of one that is done.

        Parameters
        ----------
        watch
            Called about twice a second with how far it is.
        progress
            Whether a bar is shown, in a notebook or on a terminal.
        wait
            Whether to wait until it is done.
        exist_ok
            Whether a model that is in the bucket already is returned without a comparison.
        token
            The hub's token, for gated and private models, see :meth:`inspect`; it is kept in
            Secret Manager for as long as the import runs, and nowhere else.
        **choices
            ``revision``, ``files``, ``create_in`` and ``adopt`` of :meth:`check_import`.

        Raises
        ------
        ManagerError
            The model can't be had, or the import failed.
        """
        given = hubs.token(source, token, self.settings)
        checked = self.check_import(_bucket(bucket), source, model_id, token=given, **choices)
        if exist_ok and checked.there and checked.is_ready and not checked.is_changed:
            return checked.there
        with interrupting.completed(_import_of(checked.place.target.name, checked.model)):
            import_id = importing.start_import(
                self.clients, self.settings, self.project.id, checked, given
            )
        name = checked.place.target.name
        if not wait:
            return next(each for each in self.models(name) if each.import_id == import_id)
        return self._imported(name, import_id, checked.model, watch, progress=progress)

    def resume_import(
        self,
        bucket: str,
        model_id: str,
        *,
        revision: str = "",
        watch: Callable[[ImportProgress], None] = lambda _: None,
        progress: bool = True,
    ) -> ModelRecord:
        """Go on with an import that failed, was cancelled or lost its worker, and wait for it.

        Raises
        ------
        ManagerError
            There is no such import, or it failed again.
        """
        record = self._unfinished(bucket, model_id, revision)
        with interrupting.completed(_import_of(bucket, record)):
            importing.resume(self.clients, self.settings, bucket, record.import_id)
        return self._imported(bucket, record.import_id, record, watch, progress=progress)

    def cancel_import(self, bucket: str, model_id: str, *, revision: str = "") -> None:
        """End an import; what it copied so far is thrown away.

        Raises
        ------
        ManagerError
            There is no such import, or it may not be cancelled.
        """
        record = self._unfinished(bucket, model_id, revision)
        importing.cancel(self.clients, bucket, record.import_id)

    def delete_model(
        self, bucket: str, model_id: str, *, revision: str = "", force: bool = False
    ) -> None:
        """Remove a model's files and its entry; nothing that another model needs.

        Parameters
        ----------
        force
            Whether to remove it though services read it, or that can't be told.

        Raises
        ------
        InUseError
            Services read it.
        ManagerError
            There is no such model, it is being imported, or the bucket refuses.
        """
        record = self._find(bucket, model_id, revision)
        location = "" if force else self._location(bucket)
        remove.remove_model(self.clients, self.project.id, bucket, location, record, force=force)

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
        return deploy.proposal(subject, manifest, offered.framework)

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
            see :class:`PartlyDoneWarning`.
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
        wanted = deploy.with_code(wanted, runs=trust_remote_code)
        wanted = deploy.with_start(wanted, start)
        if not family_arguments:
            proposed = deploy.proposal(subject, manifest, wanted.framework)
            wanted = deploy.with_proposal(wanted, proposed, told=False)
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
        after = deploy.changed(before, options.checked(changes))
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

    def pause(
        self, service: Named, *, wait: bool = True, watch: Callable[[str], None] = lambda _: None
    ) -> ServiceSummary:
        """Pause a service: it runs no instances, and its callers are refused.

        Nothing of it is deleted, no revision is made, and what it scaled between is kept with it.
        Requests that run may go on for some time.

        Parameters
        ----------
        wait
            Whether to wait until Cloud Run has carried it out.
        watch
            Called with what Cloud Run says of it, at each look.

        Raises
        ------
        ManagerError
            It may not be changed.

        Examples
        --------
        >>> manager.pause("my-service").state
        <ServiceState.PAUSED: 'Paused'>
        """
        name = self._name(service)
        pausing.pause(self.clients, name)
        if wait:
            pausing.settle(self.clients, name, watch)
        return self.service(name)

    def resume(
        self, service: Named, *, wait: bool = True, watch: Callable[[str], None] = lambda _: None
    ) -> ServiceSummary:
        """Resume a service that is paused: it scales by itself again, as it did before.

        Parameters
        ----------
        wait, watch
            See :meth:`pause`.

        Raises
        ------
        InvalidInputError
            It is not paused.
        ManagerError
            It may not be changed.
        """
        name = self._name(service)
        pausing.resume(self.clients, name)
        if wait:
            pausing.settle(self.clients, name, watch)
        return self.service(name)

    def adopt(
        self, service: Named, *, engine: str = "", dry_run: bool = False
    ) -> Listing[LabelChange]:
        """Adopt a service that others deployed, so that it can be paused, changed and deleted here.

        Only its labels change: no revision is made, and nothing restarts. :meth:`release` undoes
        it. What others deploy it with may set its labels back.

        Parameters
        ----------
        engine
            Id of its engine; the one that is recognised when left out.
        dry_run
            Whether to tell only what would be changed.

        Returns
        -------
        Listing
            The labels that were changed.

        Raises
        ------
        InvalidInputError
            It is managed here already, or its engine is not known.
        ManagerError
            It may not be changed.

        Examples
        --------
        >>> print(manager.adopt("my-service", dry_run=True))
        """
        found = self.service(service)
        if dry_run:
            return adopting.planned(self.clients, found, engine)
        return adopting.adopt(self.clients, found.name, engine)

    def release(self, service: Named) -> Listing[LabelChange]:
        """Undo the adoption of a service: its labels are what they were before.

        Returns
        -------
        Listing
            The labels that were changed.

        Raises
        ------
        InvalidInputError
            It was not adopted.
        ManagerError
            It may not be changed.
        """
        return adopting.release(self.clients, self._name(service))

    def grant_access(self, bucket: str, service_account: str) -> None:
        """Let a service account read the models of a bucket.

        Raises
        ------
        ManagerError
            The bucket's policy may not be changed.
        """
        member = members.service_account(service_account)
        bucket_access.let_read(self.clients, self.project.id, bucket, member)

    def let_in(self, service: Named, member: str, *, everybody: bool = False) -> None:
        """Let a member call a service.

        Parameters
        ----------
        everybody
            Whether ``member`` may be ``allUsers`` or ``allAuthenticatedUsers``: everybody who
            knows the URL may use the model then, and you pay for it.

        Raises
        ------
        ManagerError
            It is no member, means everybody, or the policy may not be changed; others deployed the
            service, and nobody adopted it.
        """
        found = self.service(service)
        managed.refuse_unmanaged(found.name, is_managed=found.managed)
        who_calls.add(self.clients, found.name, member, everybody=everybody)

    def delete(
        self,
        service: Named,
        *more: Named,
        with_model: bool = False,
        ended: Callable[[ServiceSummary, ManagerError | None], object] = lambda _, _error: None,
    ) -> None:
        """Delete one service or several at the same time, and wait until they are gone.

        One that can't be deleted stops no other.

        Parameters
        ----------
        with_model
            Whether the models that they serve are removed from their buckets afterwards.
        ended
            Called for each service once it is gone, or with why it failed; in any thread.

        Raises
        ------
        NotFoundError
            There is no service of one of the names; nothing was deleted.
        ConflictError
            A model was to go, and other services read it too; nothing was deleted.
        ManagerError
            A service is gone already, or may not be deleted. Of several, it tells which, and why.

        Examples
        --------
        >>> manager.delete("gemma", "qwen")
        """
        named = [self.service(each) if isinstance(each, str) else each for each in (service, *more)]
        found = list({each.name: each for each in named}.values())
        records = {each.name: remove.model_of(self.clients, each) for each in found if with_model}
        failed = remove.remove_services(self.clients, found, records, ended)
        failure = remove.failure_of(failed, len(found))
        if failure:
            raise failure

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

    @functools.wraps(import_model)
    async def aimport_model(self, *args: Any, **keywords: Any) -> ModelRecord:
        """Do what :meth:`import_model` does, without blocking the event loop."""
        return await asyncio.to_thread(self.import_model, *args, **keywords)

    @functools.wraps(deploy)
    async def adeploy(self, *args: Any, **keywords: Any) -> ServiceSummary:
        """Do what :meth:`deploy` does, without blocking the event loop."""
        return await asyncio.to_thread(self.deploy, *args, **keywords)

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
                yield _both(bar, watch)
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

    def _imported(
        self,
        bucket: str,
        import_id: str,
        model: HubModel | ModelRecord,
        watch: Callable[[ImportProgress], None],
        *,
        progress: bool,
    ) -> ModelRecord:
        """Wait for an import and return its model."""
        with (
            bars.of_import(model.id, shown=progress) as bar,
            interrupting.keeps_running(_import_of(bucket, model)),
        ):
            told = importing.wait(self.clients, bucket, import_id, _both(bar, watch))
        ours = (each for each in self.models(bucket) if each.import_id == import_id)
        record = next(ours, None)
        if record is None or record.status is not ModelStatus.READY:
            raise TransferError(
                told.message or f"{model.id} was not imported.",
                cause=told.cause,
                fix=Fix(text=told.fix) if told.fix else None,
            )
        return record

    def _wanted(
        self, subject: Subject, manifest: ModelManifest | None, asked: DeployOptions
    ) -> Deployment:
        changes = options.checked(asked)
        known = projects.defaults(self.clients, self.project)
        offered = deploy.offer(known, subject, manifest, changes.pop("framework", ""))
        return deploy.asked_for(known, offered, changes)

    def _subject(
        self, bucket: str | BucketListing, model: str | ModelRecord, revision: str
    ) -> Subject:
        name = _bucket(bucket)
        record = self._find(name, model, revision) if isinstance(model, str) else model
        return Subject(name, self._location(name), record)

    def _has(self, bucket: str) -> bool:
        """Return whether the project has a bucket."""
        listed = buckets.list_buckets(self.clients, self.project.id)
        return any(each.name == bucket.strip() for each in listed)

    def _location(self, bucket: str) -> str:
        return buckets.get_bucket(self.clients, bucket, project=self.project.id).location

    def _unfinished(self, bucket: str, model_id: str, revision: str) -> ModelRecord:
        found = [
            record
            for record in self._all(bucket, model_id, revision)
            if record.import_id and record.status not in {ModelStatus.READY, ModelStatus.UNKNOWN}
        ]
        if not found:
            raise NotFoundError(f"{bucket} has no unfinished import of {model_id}.")
        return found[-1]

    def _find(self, bucket: str, model_id: str, revision: str) -> ModelRecord:
        """Find a model; of several revisions the one that was imported last, best a ready one."""
        found = self._all(bucket, model_id, revision)
        if not found:
            near = difflib.get_close_matches(model_id, [m.id for m in self.models(bucket)], n=1)
            fix = Fix(text=f"Did you mean {near[0]}?") if near else None
            raise NotFoundError(f"{bucket} has no model {model_id}.", fix=fix)
        return max(found, key=_preference)

    def _all(self, bucket: str, model_id: str, revision: str) -> list[ModelRecord]:
        return [
            record
            for record in self.models(bucket)
            if record.id == model_id and _is_revision(record, revision)
        ]


def _is_revision(record: ModelRecord, wanted: str) -> bool:
    """Return whether a revision is the record's, or the beginning of it that is long enough."""
    is_short = len(wanted) >= _SHORTEST_REVISION and record.revision.startswith(wanted)
    return wanted in {"", record.revision} or is_short


def _preference(record: ModelRecord) -> tuple[bool, float]:
    finished = record.finished_at.timestamp() if record.finished_at else 0.0
    return record.status is ModelStatus.READY, finished


def _bucket(bucket: str | BucketListing) -> str:
    return bucket if isinstance(bucket, str) else bucket.name


def _both(one: Callable[[T], object], other: Callable[[T], object]) -> Callable[[T], None]:
    def tell(value: T) -> None:
        one(value)
        other(value)

    return tell


def _import_of(bucket: str, model: HubModel | ModelRecord) -> Work:
    return Work(
        f"The import of {model.id} keeps running.",
        python=f"manager.import_model({bucket!r}, {model.source!r}, {model.id!r})",
        command=f"llm-widgets import {model.source} {model.id} --bucket {bucket}",
    )


def _deployment_of(name: str) -> Work:
    _, _, _, region, _, id_ = name.split("/")
    return Work(
        f"{id_} is still being deployed.",
        python=f"manager.service({id_!r}, region={region!r})",
        command=f"llm-widgets services describe {id_} --region {region}",
    )


def _warn(error: ManagerError) -> None:
    warnings.warn(str(error), PartlyDoneWarning, stacklevel=2)
