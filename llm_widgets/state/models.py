"""The Models tab: the buckets of the project and the models in them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from traitlets import Bool, HasTraits, Instance, Tuple

from llm_widgets.cloud.buckets import create_bucket, list_model_buckets
from llm_widgets.cloud.metadata import read_metadata
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.errors import ManagerError
from llm_widgets.jobs.remove import remove_model
from llm_widgets.state.background import Latest
from llm_widgets.state.imports import ImportsState

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.cloud.buckets import BucketListing
    from llm_widgets.state.session import Session


@dataclass(frozen=True, slots=True)
class BucketModels:
    """A bucket and what it holds.

    Attributes
    ----------
    location
        Region or multi-region, in lower case.
    problem
        Why its models can't be told; ``models`` is empty then.
    warning
        What to know about it before something is deployed from it.
    """

    name: str
    location: str
    models: tuple[ModelRecord, ...] = ()
    problem: ManagerError | None = None
    warning: str = ""


class ModelsState(HasTraits):
    """Buckets, their models, and the imports under way.

    Attributes
    ----------
    loaded
        Whether there has been an answer for this project.
    error
        Why the buckets can't be listed.
    """

    buckets: Tuple = Tuple()
    loading = Bool(default_value=False)
    loaded = Bool(default_value=False)
    error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._latest = Latest()
        self.imports = ImportsState(session, finished=self.refresh)
        session.observe(self._project_changed, "project")

    def find(self, bucket: str, key: str) -> ModelRecord | None:
        """Give the model of a bucket whose key, joined by ``|``, is ``key``."""
        models = next((b.models for b in self.buckets if b.name == bucket), ())
        return next((record for record in models if "|".join(record.key) == key), None)

    def location(self, bucket: str) -> str:
        """Give the location of a bucket, or empty."""
        return next((b.location for b in self.buckets if b.name == bucket), "")

    def refresh(self) -> None:
        """Ask for all buckets and their models."""
        project = self._session.project_id
        if not project:
            return
        fresh = self._latest.begin()
        self.loading = True

        def then(found: tuple[BucketModels, ...]) -> None:
            if fresh():
                self.buckets = found
                self.error = None
                self._loaded()
                self._watch_imports()

        def failed(error: ManagerError) -> None:
            if fresh():
                self.error = error
                self._loaded()

        self._session.background.run(lambda: self._list(project), then, failed)

    def create_bucket(
        self,
        name: str,
        region: str,
        created: Callable[[str], None],
        failed: Callable[[ManagerError], None],
    ) -> None:
        """Create a bucket for models; then list again and call ``created`` with its name."""
        project = self._session.project_id

        def then(_: object) -> None:
            self._session.notify(f"Bucket {name} is ready.", "success")
            created(name)
            self.refresh()

        self._session.background.run(
            lambda: create_bucket(self._session.clients, project, name, region),
            then,
            failed,
        )

    def delete_model(
        self,
        bucket: str,
        record: ModelRecord,
        deleted: Callable[[], None],
        failed: Callable[[ManagerError], None],
    ) -> None:
        """Remove a model's files and its entry."""

        def then(_: object) -> None:
            self._session.notify(f"{record.id} was removed from {bucket}.", "success")
            deleted()
            self.refresh()

        self._session.background.run(
            lambda: remove_model(self._session.clients, bucket, record), then, failed
        )

    def _project_changed(self, _: object) -> None:
        self.buckets = ()
        self.error = None
        self.loaded = False
        self.imports.clear()
        self.refresh()

    def _loaded(self) -> None:
        self.loading = False
        self.loaded = True

    def _watch_imports(self) -> None:
        for bucket in self.buckets:
            for record in bucket.models:
                if record.status is ModelStatus.IMPORTING and record.import_id:
                    self.imports.watch(bucket.name, record.import_id, record.id)

    def _list(self, project: str) -> tuple[BucketModels, ...]:
        listings = list_model_buckets(self._session.clients, project)
        with ThreadPoolExecutor(max(1, min(32, len(listings)))) as pool:
            return tuple(pool.map(self._read, listings))

    def _read(self, listing: BucketListing) -> BucketModels:
        if listing.reason:
            return BucketModels(listing.name, listing.location, problem=listing.reason)
        try:
            client = self._session.clients.storage(self._session.project_id)
            file, _ = read_metadata(client, listing.name)
        except ManagerError as error:
            return BucketModels(listing.name, listing.location, problem=error)
        return BucketModels(listing.name, listing.location, file.models)
