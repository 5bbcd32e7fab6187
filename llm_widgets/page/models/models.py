"""The Models tab: the buckets of the project and the models in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from traitlets import Bool, HasTraits, Instance, Int, Tuple

from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.errors import ManagerError
from llm_widgets.manager import bucket_models
from llm_widgets.manager.bucket_models import BucketModels, ProjectBuckets, read_project
from llm_widgets.page.background import Latest
from llm_widgets.page.models.imports import ImportsState
from llm_widgets.page.models.newer_revisions import NewerRevisionsState
from llm_widgets.page.models.storage import StorageState
from llm_widgets.page.places import Place, View

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.page.session import Session

__all__ = ["BucketModels", "ModelsState"]


def row_id(record: ModelRecord) -> str:
    """Return what tells a model from others in its bucket: no two keys, whatever is in them."""
    return json.dumps(record.key)


def place_of(
    bucket: str, record: ModelRecord, models: Iterable[ModelRecord], view: View = View.MODEL
) -> Place:
    """Return the place of a model among those of its bucket."""
    is_one_of_several = sum(each.id == record.id for each in models) > 1
    names = (bucket, record.id)
    return Place(view, (*names, record.revision) if is_one_of_several else names)


class ModelsState(HasTraits):
    """Buckets, their models, and the imports under way.

    Attributes
    ----------
    buckets
        Those that hold models, and those of which that can't be told.
    others
        Those that hold none.
    waiting
        How many buckets have not been looked into yet.
    loaded
        Whether there has been an answer for this project.
    error
        Why the buckets can't be listed.
    """

    buckets: Tuple = Tuple()
    others: Tuple = Tuple()
    waiting = Int()
    loading = Bool(default_value=False)
    loaded = Bool(default_value=False)
    error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._latest = Latest()
        self.imports = ImportsState(session, finished=self.refresh)
        self.updates = NewerRevisionsState(session)
        self.storage = StorageState(session, changed=self.refresh)
        session.observe(self._project_changed, "project")

    def bucket(self, name: str) -> BucketModels | None:
        """Return a bucket that holds models."""
        found: BucketModels | None = next((b for b in self.buckets if b.name == name), None)
        return found

    def find(self, bucket: str, key: str) -> ModelRecord | None:
        """Return the model of a bucket whose key, joined by ``|``, is ``key``."""
        models = next((b.models for b in self.buckets if b.name == bucket), ())
        return next((record for record in models if row_id(record) == key), None)

    def place(self, bucket: str, record: ModelRecord, view: View = View.MODEL) -> Place:
        """Return the place of a model; its revision is named where the bucket has several."""
        return place_of(bucket, record, getattr(self.bucket(bucket), "models", ()), view)

    def location(self, bucket: str) -> str:
        """Return the location of a bucket, or empty."""
        return next((b.location for b in self.buckets if b.name == bucket), "")

    def refresh(self) -> None:
        """Ask for all buckets and their models."""
        project = self._session.project_id
        if not project:
            return
        fresh = self._latest.begin()
        self.loading = True

        def partly(found: ProjectBuckets) -> None:
            if fresh() and not self.loaded:
                self._show(found)

        def then(found: ProjectBuckets) -> None:
            if fresh():
                self._show(found)
                self.loading = False
                self.updates.look(self.buckets)
                self.storage.look(self.buckets)

        def failed(error: ManagerError) -> None:
            if fresh():
                self.error = error
                self.loading = False
                self.loaded = True

        clients = self._session.clients
        self._session.background.run(lambda: read_project(clients, project, partly), then, failed)

    def repair(self, bucket: str) -> None:
        """Rebuild a damaged metadata file; the damaged one is kept beside it."""
        self._session.background.run(
            lambda: bucket_models.repair(self._session.clients, bucket),
            lambda _: self.refresh(),
            self._session.report,
        )

    def _project_changed(self, _: object) -> None:
        self.buckets = self.others = ()
        self.waiting = 0
        self.error = None
        self.loaded = False
        self.imports.clear()
        self.storage.clear()
        self.refresh()

    def _show(self, found: ProjectBuckets) -> None:
        with self.hold_trait_notifications():
            self.others = found.others
            self.waiting = found.waiting
            self.buckets = found.models
            self.error = None
            self.loaded = True
        for bucket in found.models:
            for record in bucket.models:
                if record.status is ModelStatus.IMPORTING and record.import_id:
                    self.imports.watch(bucket.name, record.import_id, record.id)
