"""One model: its files, who uses it, whether it is still as imported; and its removal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from traitlets import Bool, HasTraits, Instance

from llm_widgets.domain.imports import ImportPlan
from llm_widgets.domain.manifest import ModelManifest
from llm_widgets.domain.models import ModelStatus
from llm_widgets.domain.progress import ImportProgress
from llm_widgets.errors import ManagerError
from llm_widgets.gcp.storage.objects import SmallObjects
from llm_widgets.imports.store import ImportFolder
from llm_widgets.imports.usage import Usage, services_with
from llm_widgets.imports.verify import Verification, read_manifest, verify_model
from llm_widgets.manager.remove import remove_model
from llm_widgets.page.background import Latest

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.page.models.models import ModelsState
    from llm_widgets.page.session import Session


class ModelPageState(HasTraits):
    """What is known of the model that is looked at.

    Attributes
    ----------
    manifest, manifest_error
        Its files with their digests, or why they can't be told.
    plan, plan_error
        The same of a model whose import has not come to its end.
    progress, progress_error
        How far that import is.
    usage, usage_error
        The services that read it, or why they can't be told.
    verification, verification_error
        The answer of the last comparison with the bucket, or why there is none.
    verifying
        Whether it is being compared.
    """

    manifest: Instance[ModelManifest | None] = Instance(ModelManifest, allow_none=True)
    manifest_error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)
    plan: Instance[ImportPlan | None] = Instance(ImportPlan, allow_none=True)
    plan_error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)
    progress: Instance[ImportProgress | None] = Instance(ImportProgress, allow_none=True)
    progress_error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)
    usage: Instance[Usage | None] = Instance(Usage, allow_none=True)
    usage_error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)
    verification: Instance[Verification | None] = Instance(Verification, allow_none=True)
    verification_error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)
    verifying = Bool(default_value=False)

    def __init__(self, session: Session, models: ModelsState) -> None:
        super().__init__()
        self._session = session
        self._models = models
        self._latest = Latest()
        self._fresh: Callable[[], bool] = self._latest.begin()
        self._subject: tuple[str, ModelRecord] | None = None

    def open(self, bucket: str, record: ModelRecord) -> None:
        """Look at a model."""
        self._subject = bucket, record
        self._fresh = self._latest.begin()
        with self.hold_trait_notifications():
            self.manifest = self.plan = self.progress = self.usage = self.verification = None
            self.manifest_error = self.plan_error = self.progress_error = None
            self.usage_error = self.verification_error = None
            self.verifying = False
        clients = self._session.clients
        if record.status is ModelStatus.READY or not record.import_id:
            self._ask("manifest", lambda: read_manifest(clients, bucket, record))
        else:
            folder = ImportFolder(SmallObjects(clients.storage(), bucket), record.import_id)
            self._ask("plan", lambda: folder.plan(self._session.settings))
            self._ask("progress", folder.progress)
        self._ask("usage", lambda: self._usage(bucket, record))

    def verify(self) -> None:
        """Compare the model in the bucket with its manifest."""
        if self._subject is None or self.verifying:
            return
        bucket, record = self._subject
        self.verifying = True
        clients = self._session.clients
        self._ask("verification", lambda: verify_model(clients, bucket, record))

    def delete(
        self,
        bucket: str,
        record: ModelRecord,
        *,
        force: bool,
        deleted: Callable[[], None],
        failed: Callable[[ManagerError], None],
    ) -> None:
        """Remove a model's files and its entry; nothing that another model needs.

        Parameters
        ----------
        force
            Whether to remove it though services read it. Without it, ``failed`` gets a
            :class:`InUseError` that names them.
        """
        session, location = self._session, self._models.location(bucket)

        def then(_: object) -> None:
            session.notify(f"{record.id} was removed from {bucket}.", "success")
            deleted()
            self._models.refresh()

        session.background.run(
            lambda: remove_model(
                session.clients, session.project_id, bucket, location, record, force=force
            ),
            then,
            failed,
        )

    def _usage(self, bucket: str, record: ModelRecord) -> Usage:
        session = self._session
        location = self._models.location(bucket)
        return services_with(session.clients, session.project_id, bucket, location, record)

    def _ask(self, name: str, work: Callable[[], object]) -> None:
        """Set the trait ``name`` to a result, or ``name_error`` to why there is none."""
        fresh = self._fresh

        def then(value: object) -> None:
            self._answer(fresh, {name: value, f"{name}_error": None})

        def failed(error: ManagerError) -> None:
            self._answer(fresh, {name: None, f"{name}_error": error})

        self._session.background.run(work, then, failed)

    def _answer(self, fresh: Callable[[], bool], values: dict[str, object]) -> None:
        if not fresh():
            return
        with self.hold_trait_notifications():
            if "verification" in values:
                self.verifying = False
            for name, value in values.items():
                setattr(self, name, value)
