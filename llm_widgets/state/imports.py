"""Imports under way: watched in the bucket, whoever started them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from traitlets import Dict, HasTraits

from llm_widgets.jobs import start

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.imports import ImportProgress
    from llm_widgets.state.session import Session

POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class WatchedImport:
    """An import that the page shows; ``progress`` is ``None`` until it was read once."""

    id: str
    bucket: str
    model_id: str
    progress: ImportProgress | None = None


class ImportsState(HasTraits):
    """The imports that the page shows, by their ids.

    Parameters
    ----------
    finished
        Called when one of them came to its end.
    """

    watched: Dict[str, WatchedImport] = Dict()

    def __init__(self, session: Session, finished: Callable[[], None]) -> None:
        super().__init__()
        self._session = session
        self._finished = finished

    def watch(self, bucket: str, import_id: str, model_id: str) -> None:
        """Show an import and keep looking at it until it ends."""
        known = self.watched.get(import_id)
        if known and not (known.progress and known.progress.state.is_final):
            return
        self._put(WatchedImport(import_id, bucket, model_id))
        self._session.background.run(
            lambda: self._poll(import_id), lambda _: None, self._session.report
        )
        self._session.background.repeat(POLL_SECONDS, lambda: self._poll(import_id))

    def dismiss(self, import_id: str) -> None:
        """Show an import no longer."""
        self.watched = {key: value for key, value in self.watched.items() if key != import_id}

    def clear(self) -> None:
        """Show none, for another project."""
        self.watched = {}

    def cancel(self, import_id: str) -> None:
        """End an import; what it copied so far is thrown away."""
        seen = self.watched.get(import_id)
        if seen:
            self._session.background.run(
                lambda: start.cancel_import(self._session.clients, seen.bucket, import_id),
                lambda _: None,
                self._session.report,
            )

    def retry(self, import_id: str) -> None:
        """Start an import again; it goes on where it stopped."""
        seen = self.watched.get(import_id)
        if not seen:
            return
        session = self._session
        session.background.run(
            lambda: start.resume_import(session.clients, session.settings, seen.bucket, import_id),
            lambda _: self.watch(seen.bucket, import_id, seen.model_id),
            self._session.report,
        )

    def _poll(self, import_id: str) -> bool:
        """Look once; answer whether to look again."""
        seen = self.watched.get(import_id)
        if not seen:
            return False
        progress = start.read_progress(self._session.clients, seen.bucket, import_id)
        if progress is None:
            return True
        if progress != seen.progress and import_id in self.watched:
            self._put(WatchedImport(seen.id, seen.bucket, seen.model_id, progress))
        if progress.state.is_final:
            self._finished()
            return False
        return True

    def _put(self, watched: WatchedImport) -> None:
        self.watched = {**self.watched, watched.id: watched}
