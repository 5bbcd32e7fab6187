"""The product without its page: the same use cases for Python."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from llm_widgets import hubs
from llm_widgets.config import Settings, settings
from llm_widgets.domain import members
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.engines import registry
from llm_widgets.errors import Fix, ManagerError, NotFoundError, TransferError
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.iam import bucket_readers
from llm_widgets.gcp.run import invoke, rollout, service_json, service_list
from llm_widgets.gcp.storage import buckets, metadata
from llm_widgets.manager import callers as who_calls
from llm_widgets.manager import change, deploy, importing, memory, projects, remove
from llm_widgets.manager.deploy import Subject
from llm_widgets.manager.import_check import ImportCheck, ImportRequest, check_import
from llm_widgets.manager.import_target import Target, TargetKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from llm_widgets.domain.imports import HubModel
    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.progress import ImportProgress
    from llm_widgets.domain.services import Deployment, ServiceSummary
    from llm_widgets.gcp.run.service_list import ServiceListing
    from llm_widgets.gcp.storage.buckets import BucketListing


class PartlyDoneWarning(UserWarning):
    """A part of what was asked for could not be done; the rest was."""


class Manager:
    """Imports, deploys and uses models in one project.

    What the page refuses is refused here too, with the same :class:`ManagerError`: message,
    cause, fix, and the field that it is about.

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
        self.project = projects.open_project(self.clients, project)

    def buckets(self) -> list[BucketListing]:
        """List the buckets of the project that hold models."""
        return buckets.list_model_buckets(self.clients, self.project.id)

    def create_bucket(self, name: str, region: str) -> BucketListing:
        """Create a bucket for models."""
        return buckets.create_bucket(self.clients, self.project.id, name, region)

    def models(self, bucket: str) -> tuple[ModelRecord, ...]:
        """List the models of a bucket."""
        file, _ = metadata.read_metadata(self.clients.storage(self.project.id), bucket)
        return file.models

    def inspect(self, source: str, model_id: str, *, revision: str = "") -> HubModel:
        """Ask a hub for a model: what would be copied, and whether it may be read.

        Parameters
        ----------
        source
            Id of the hub, for example ``"huggingface"`` or ``"ollama"``.
        """
        return hubs.inspect(source, model_id, self.settings, revision=revision)

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
            The hub's token, for gated and private models.
        files
            Paths of the files to copy; those that the engine loads when left out.
        create_in
            Region in which the bucket is created at the start; empty for a bucket that is there.
        adopt
            Whether a bucket that holds no models yet becomes one of models at the start.

        Raises
        ------
        ManagerError
            It can't be imported; see :func:`llm_widgets.manager.import_check.check_import`.
        """
        kind = TargetKind.CREATE if create_in else TargetKind.EXISTING
        target = Target(TargetKind.ADOPT if adopt and not create_in else kind, bucket, create_in)
        request = ImportRequest(source, model_id, target, revision, token)
        checked = check_import(self.clients, self.settings, self.project.id, request)
        return checked if files is None else importing.choose(checked, files)

    def import_model(
        self,
        bucket: str,
        source: str,
        model_id: str,
        *,
        watch: Callable[[ImportProgress], None] = lambda _: None,
        token: str = "",
        **choices: Any,
    ) -> ModelRecord:
        """Import a model and wait for it; it goes on if this call is interrupted.

        Parameters
        ----------
        watch
            Called about twice a second with how far it is.
        token
            The hub's token, for gated and private models; it is kept in Secret Manager for as
            long as the import runs, and nowhere else.
        **choices
            ``revision``, ``files``, ``create_in`` and ``adopt`` of :meth:`check_import`.

        Raises
        ------
        ManagerError
            The model can't be had, or the import failed.
        """
        checked = self.check_import(bucket, source, model_id, token=token, **choices)
        import_id = importing.start_import(
            self.clients, self.settings, self.project.id, checked, token.strip()
        )
        name = checked.place.target.name
        return self._imported(name, import_id, checked.model.id, watch)

    def resume_import(
        self,
        bucket: str,
        model_id: str,
        *,
        revision: str = "",
        watch: Callable[[ImportProgress], None] = lambda _: None,
    ) -> ModelRecord:
        """Go on with an import that failed, was cancelled or lost its worker, and wait for it.

        Raises
        ------
        ManagerError
            There is no such import, or it failed again.
        """
        record = self._unfinished(bucket, model_id, revision)
        importing.resume(self.clients, self.settings, bucket, record.import_id)
        return self._imported(bucket, record.import_id, model_id, watch)

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

    def deployment(
        self, bucket: str, model_id: str, *, revision: str = "", **changes: Any
    ) -> Deployment:
        """Return the deployment that a model of a bucket is offered first, with changes.

        Parameters
        ----------
        **changes
            Fields of :class:`llm_widgets.domain.services.Deployment`. What was not asked for
            follows them: the GPU the region, the engine's arguments the port and the requests at
            once. Another ``framework`` brings all that belongs to that engine.

        Raises
        ------
        NotFoundError
            The bucket has no such model that is ready.
        InvalidInputError
            The engine that is named does not serve such a model.
        """
        subject = self._subject(bucket, model_id, revision)
        return self._wanted(subject, memory.kept(self.clients, bucket, subject.record), changes)

    def deploy(
        self,
        bucket: str,
        model_id: str,
        *,
        revision: str = "",
        callers: Iterable[str] = (),
        grant_access: bool = True,
        fit_anyway: bool = False,
        **changes: Any,
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
        **changes
            See :meth:`deployment`.

        Raises
        ------
        ManagerError
            The deployment is not valid, Cloud Run refuses it, or it does not come up; see
            :func:`llm_widgets.manager.deploy.deploy`.
        """
        subject = self._subject(bucket, model_id, revision)
        manifest = memory.kept(self.clients, bucket, subject.record)
        created = deploy.deploy(
            self.clients,
            self.project,
            self._wanted(subject, manifest, changes),
            deploy.Choices(tuple(callers), grant_access, fit_anyway),
            model=memory.model_of(subject.record, manifest),
            tell=_warn,
        )
        return deploy.wait(self.clients, created)

    def change(self, service: ServiceSummary, **changes: Any) -> ServiceSummary:
        """Change a service and wait until that is deployed; what is not named stays as it is.

        Parameters
        ----------
        **changes
            Fields of :class:`llm_widgets.domain.services.Deployment`.

        Raises
        ------
        ManagerError
            The change is not valid, changes nothing, is refused, or does not come up.
        """
        document = service_json.read(self.clients, service.name)
        before = change.deployment_of(document)
        after = deploy.changed(before, changes)
        for problem in change.problems(before, after):
            raise problem
        wanted = change.prepared(document, before, after)
        change.refuse_nothing(wanted)
        change.send(self.clients, wanted)
        last = service
        for progress in rollout.follow_service(self.clients, service.name):
            last = progress.service or last
        return last

    def grant_access(self, bucket: str, service_account: str) -> None:
        """Let a service account read the models of a bucket.

        Raises
        ------
        ManagerError
            The bucket's policy may not be changed.
        """
        bucket_readers.grant_reader(
            self.clients, bucket, members.service_account(service_account), project=self.project.id
        )

    def let_in(self, service: ServiceSummary, member: str, *, everybody: bool = False) -> None:
        """Let a member call a service.

        Parameters
        ----------
        everybody
            Whether ``member`` may be ``allUsers`` or ``allAuthenticatedUsers``: everybody who
            knows the URL may use the model then, and you pay for it.

        Raises
        ------
        ManagerError
            It is no member, means everybody, or the policy may not be changed.
        """
        who_calls.add(self.clients, service.name, member, everybody=everybody)

    def services(self) -> ServiceListing:
        """List the services that this product has deployed, in all regions."""
        return service_list.list_services(self.clients, self.project.id)

    def chat(self, service: ServiceSummary, prompt: str) -> str:
        """Ask a deployed model something and return its whole answer."""
        stream = invoke.chat_stream(
            self.clients,
            service.url,
            service.served_name,
            [{"role": "user", "content": prompt}],
            path=registry.chat_of(service.framework).path,
            service=service.name,
        )
        return "".join(event.text for event in stream)

    def delete(self, service: ServiceSummary, *, with_model: bool = False) -> None:
        """Delete a service and wait until it is gone.

        Parameters
        ----------
        with_model
            Whether the model that it serves is removed from its bucket afterwards.

        Raises
        ------
        ConflictError
            The model was to go, and other services read it too; nothing was deleted.
        ManagerError
            The service is gone already, or may not be deleted.
        """
        record = remove.model_of(self.clients, service) if with_model else None
        remove.remove_service(self.clients, service, record)

    def _imported(
        self, bucket: str, import_id: str, model_id: str, watch: Callable[[ImportProgress], None]
    ) -> ModelRecord:
        """Wait for an import and return its model."""
        progress = importing.wait(self.clients, bucket, import_id, watch)
        ours = (each for each in self.models(bucket) if each.import_id == import_id)
        record = next(ours, None)
        if record is None or record.status is not ModelStatus.READY:
            raise TransferError(
                progress.message or f"{model_id} was not imported.",
                cause=progress.cause,
                fix=Fix(text=progress.fix) if progress.fix else None,
            )
        return record

    def _wanted(
        self, subject: Subject, manifest: ModelManifest | None, changes: dict[str, Any]
    ) -> Deployment:
        known = projects.defaults(self.clients, self.project)
        offered = deploy.offer(known, subject, manifest, changes.pop("framework", ""))
        return deploy.asked_for(known, offered, changes)

    def _subject(self, bucket: str, model_id: str, revision: str) -> Subject:
        record = self._find(bucket, model_id, revision)
        return Subject(bucket, self._location(bucket), record)

    def _location(self, bucket: str) -> str:
        return buckets.get_bucket(self.clients, bucket, project=self.project.id).location

    def _unfinished(self, bucket: str, model_id: str, revision: str) -> ModelRecord:
        found = [
            record
            for record in self._all(bucket, model_id, revision)
            if record.import_id and record.status is not ModelStatus.READY
        ]
        if not found:
            raise NotFoundError(f"{bucket} has no unfinished import of {model_id}.")
        return found[-1]

    def _find(self, bucket: str, model_id: str, revision: str) -> ModelRecord:
        """Find a model; of several revisions the one that was imported last, best a ready one."""
        found = self._all(bucket, model_id, revision)
        if not found:
            raise NotFoundError(f"{bucket} has no model {model_id}.")
        return max(found, key=_preference)

    def _all(self, bucket: str, model_id: str, revision: str) -> list[ModelRecord]:
        return [
            record
            for record in self.models(bucket)
            if record.id == model_id and revision in {"", record.revision}
        ]


def _preference(record: ModelRecord) -> tuple[bool, float]:
    finished = record.finished_at.timestamp() if record.finished_at else 0.0
    return record.status is ModelStatus.READY, finished


def _warn(error: ManagerError) -> None:
    warnings.warn(str(error), PartlyDoneWarning, stacklevel=2)
