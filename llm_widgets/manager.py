"""The product without its page: the same verbs for Python."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from llm_widgets import hubs
from llm_widgets.config import Settings, settings
from llm_widgets.domain import members
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.errors import (
    DeploymentError,
    Fix,
    InvalidInputError,
    ManagerError,
    NotFoundError,
    TransferError,
)
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.iam import bucket_readers
from llm_widgets.gcp.project import projects as project_api
from llm_widgets.gcp.run import invoke, rollout, service_list, services
from llm_widgets.gcp.storage import buckets, metadata
from llm_widgets.imports import plan, start, verify
from llm_widgets.serving import checks, codec, hardware, recipes

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.imports import HubModel
    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.progress import ImportProgress
    from llm_widgets.domain.services import Deployment, ServiceSummary
    from llm_widgets.gcp.run.service_list import ServiceListing
    from llm_widgets.gcp.storage.buckets import BucketListing

_POLL_SECONDS = 0.5


class Manager:
    """Imports, deploys and uses models in one project.

    Parameters
    ----------
    project
        Id of the project; when left out, the one that the environment names.
    chosen
        Settings; those of the process when left out.

    Raises
    ------
    InvalidInputError
        No project is named anywhere.

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
        wanted = project or self.settings.default_project
        if not wanted:
            raise InvalidInputError(
                "No project is chosen.",
                field="project",
                fix=Fix(text="Give its ID, or set GOOGLE_CLOUD_PROJECT."),
            )
        self.project = project_api.get(self.clients, wanted)

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

    def import_model(
        self,
        bucket: str,
        source: str,
        model_id: str,
        *,
        revision: str = "",
        watch: Callable[[ImportProgress], None] = lambda _: None,
    ) -> ModelRecord:
        """Import a model and wait for it; it goes on if this call is interrupted.

        Parameters
        ----------
        watch
            Called about twice a second with how far it is.

        Raises
        ------
        ManagerError
            The model can't be had, or the import failed.
        """
        found = self.inspect(source, model_id, revision=revision)
        who = identity.current(self.clients)
        planned = plan.plan_import(
            found, bucket=bucket, project=self.project.id, requested_by=who.email
        )
        start.start_import(self.clients, self.settings, planned)
        while True:
            progress = start.read_progress(self.clients, bucket, planned.id)
            if progress:
                watch(progress)
                if progress.state.is_final:
                    break
            time.sleep(_POLL_SECONDS)
        record = self._find(bucket, found.id, planned.revision)
        if record is None or record.status is not ModelStatus.READY:
            raise TransferError(
                progress.message or f"{found.id} was not imported.",
                cause=progress.cause,
                fix=Fix(text=progress.fix) if progress.fix else None,
            )
        return record

    def deployment(self, bucket: str, model_id: str, **changes: Any) -> Deployment:
        """Give the deployment that a model of a bucket is offered first, to be changed.

        Parameters
        ----------
        **changes
            Fields of :class:`llm_widgets.domain.services.Deployment`.

        Raises
        ------
        NotFoundError
            The bucket has no such model that is ready.
        """
        record = self._find(bucket, model_id)
        if record is None or record.status is not ModelStatus.READY:
            raise NotFoundError(f"{bucket} has no model {model_id} that is ready.")
        place = buckets.get_bucket(self.clients, bucket, project=self.project.id)
        offered = recipes.defaults(
            record,
            project=self.project.id,
            region=place.location if place.is_regional else self.settings.region,
            bucket=bucket,
            service_account=self.project.default_service_account,
            manifest=self._manifest(bucket, record),
        )
        return hardware.adapted(offered, replace(offered, **changes))

    def _manifest(self, bucket: str, record: ModelRecord) -> ModelManifest | None:
        try:
            return verify.read_manifest(self.clients, bucket, record)
        except ManagerError:
            return None  # another application imported it: its size has to do

    def deploy(self, bucket: str, model_id: str, **changes: Any) -> ServiceSummary:
        """Deploy a model and wait until it is ready.

        The service's account gets read access to the bucket.

        Raises
        ------
        ManagerError
            The deployment is not valid, Cloud Run refuses it, or it does not come up.
        """
        wanted = self.deployment(bucket, model_id, **changes)
        problems = checks.problems(wanted)
        if problems:
            raise problems[0]
        member = members.service_account(wanted.service_account)
        bucket_readers.grant_reader(self.clients, bucket, member, project=self.project.id)
        operation = services.create_from(self.clients, codec.document(wanted))
        last = None
        for progress in rollout.follow(self.clients, operation):
            last = progress.service or last
        if last is None:
            raise DeploymentError(f"Cloud Run tells nothing of {wanted.name}.")
        return last

    def services(self) -> ServiceListing:
        """List the services that this product has deployed, in all regions."""
        return service_list.list_services(self.clients, self.project.id)

    def chat(self, service: ServiceSummary, prompt: str) -> str:
        """Ask a deployed model something and give its whole answer."""
        stream = invoke.chat_stream(
            self.clients,
            service.url,
            service.served_name,
            [{"role": "user", "content": prompt}],
            service=service.name,
        )
        return "".join(event.text for event in stream)

    def delete(self, service: ServiceSummary) -> None:
        """Delete a service and wait until it is gone; the model's files stay."""
        for _ in rollout.follow(self.clients, services.delete(self.clients, service.name)):
            pass

    def _find(self, bucket: str, model_id: str, revision: str = "") -> ModelRecord | None:
        return next(
            (
                record
                for record in self.models(bucket)
                if record.id == model_id and revision in {"", record.revision}
            ),
            None,
        )
