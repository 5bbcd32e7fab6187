"""What buckets store, measured when it is asked for, and deleting what nobody seems to need."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from traitlets import Dict, HasTraits

from llm_widgets.manager import tidying
from llm_widgets.page.background import Latest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from llm_widgets.domain.storage_use import BucketUse, Finding
    from llm_widgets.errors import ManagerError
    from llm_widgets.manager.bucket_models import BucketModels
    from llm_widgets.page.session import Session


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known of a bucket that is being looked at.

    Attributes
    ----------
    use
        What it stores, as it was measured last; ``None`` until it was.
    error
        Why it can't be measured.
    """

    use: BucketUse | None = None
    error: ManagerError | None = None
    is_measuring: bool = True

    def finding(self, key: str) -> Finding | None:
        """Return what may be superfluous, by its key."""
        found = (self.use.findings if self.use else None) or ()
        return next((each for each in found if each.key == key), None)


class StorageState(HasTraits):
    """The buckets that were asked for, and what they store.

    Parameters
    ----------
    changed
        Called when a bucket is gone.
    now
        Returns the time that age is counted from.

    Attributes
    ----------
    measured
        By the names of the buckets.
    """

    measured: Dict[str, Measured] = Dict()

    def __init__(
        self,
        session: Session,
        changed: Callable[[], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        self._session = session
        self._changed = changed
        self._now = now
        self._latest: dict[str, Latest] = {}
        self._lock = threading.RLock()

    def measure(self, bucket: str) -> None:
        """Measure a bucket, and show it; what was measured before stays until then."""
        fresh = self._latest.setdefault(bucket, Latest()).begin()
        session = self._session
        clients, project = session.clients, session.project_id
        with self._lock:
            before = self.measured.get(bucket, Measured())
            self._set(bucket, replace(before, is_measuring=True))

        def answered(now: Measured) -> None:
            with self._lock:
                if fresh() and bucket in self.measured:
                    self._set(bucket, now)

        session.background.run(
            lambda: tidying.read(clients, project, bucket, now=self._now()),
            lambda use: answered(Measured(use, is_measuring=False)),
            lambda error: answered(Measured(error=error, is_measuring=False)),
        )

    def look(self, buckets: Iterable[BucketModels]) -> None:
        """Measure again what is shown, for the buckets were listed again."""
        there = {bucket.name for bucket in buckets}
        for name in list(self.measured):
            if name in there:
                self.measure(name)
            else:
                self.dismiss(name)

    def dismiss(self, bucket: str) -> None:
        """Show a bucket's storage no longer."""
        with self._lock:
            self.measured = {key: each for key, each in self.measured.items() if key != bucket}

    def clear(self) -> None:
        """Show none, for another project."""
        with self._lock:
            self.measured = {}

    def delete_folder(
        self,
        bucket: str,
        folder: str,
        *,
        deleted: Callable[[], None],
        failed: Callable[[ManagerError], None],
    ) -> None:
        """Delete a folder that no model owns."""
        session = self._session

        def then(_: object) -> None:
            session.notify(f"{folder} was deleted from {bucket}.", "success")
            deleted()
            self.measure(bucket)

        session.background.run(
            lambda: tidying.delete_folder(
                session.clients, session.project_id, bucket, folder, now=self._now()
            ),
            then,
            failed,
        )

    def delete_bucket(
        self,
        bucket: str,
        *,
        deleted: Callable[[], None],
        failed: Callable[[ManagerError], None],
    ) -> None:
        """Delete a bucket that holds nothing."""
        session = self._session

        def then(_: object) -> None:
            session.notify(f"The bucket {bucket} was deleted.", "success")
            deleted()
            self.dismiss(bucket)
            self._changed()

        session.background.run(
            lambda: tidying.delete_bucket(session.clients, session.project_id, bucket),
            then,
            failed,
        )

    def _set(self, bucket: str, now: Measured) -> None:
        self.measured = {**self.measured, bucket: now}
