"""Imports under way: watched in the bucket, whoever started them, wherever they run."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from traitlets import Dict, HasTraits

from llm_widgets.gcp.client.parallel import outcomes
from llm_widgets.manager import importing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from llm_widgets.domain.progress import ImportProgress
    from llm_widgets.page.session import Session

MESSAGES_A_SECOND = 10.0
"""What the page is told at most; imports are looked at less often the more there is to draw."""

_LOOK_EVERY = 1.0  # seconds; a worker reports as often
_MESSAGES_OF_AN_IMPORT = 4  # its phase, its bars, the list of its files, its row in the table
_SMOOTHING = 0.3
_LONGEST = 7 * 24 * 3600.0  # seconds that a task may run; a longer time is no forecast


@dataclass(frozen=True, slots=True)
class WatchedImport:
    """An import that the page shows.

    Attributes
    ----------
    progress
        ``None`` until it was read once.
    is_abandoned
        Whether it is unfinished and nobody works on it: it can be resumed.
    speed
        Bytes a second of the last reports; 0 while it is not known.
    """

    id: str
    bucket: str
    model_id: str
    progress: ImportProgress | None = None
    is_abandoned: bool = False
    speed: float = 0.0

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens by itself, as far as is known."""
        return self.progress is not None and self.progress.state.is_final

    @property
    def seconds_left(self) -> float | None:
        """Seconds until all bytes are there at the present speed; ``None`` if not known."""
        if not self.progress or not self.speed:
            return None
        left = (self.progress.size - self.progress.done) / self.speed
        return left if left <= _LONGEST else None


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
        self._lock = threading.Lock()
        self._looks = False
        self._next_look = 0.0
        self._asked_for_life: dict[str, float] = {}
        self._ended: dict[str, float] = {}

    def watch(self, bucket: str, import_id: str, model_id: str) -> None:
        """Show an import and keep looking at it until it ends."""
        known = self.watched.get(import_id)
        if known and (not known.is_over or self._has_just_ended(import_id)):
            return
        self._begin(WatchedImport(import_id, bucket, model_id))

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
                lambda: importing.cancel(self._session.clients, seen.bucket, import_id),
                lambda _: None,
                self._session.report,
            )

    def resume(self, bucket: str, import_id: str, model_id: str) -> None:
        """Start an import again; it goes on where it stopped."""
        session = self._session

        def then(_: object) -> None:
            self._asked_for_life[import_id] = time.monotonic()
            self._begin(WatchedImport(import_id, bucket, model_id))
            self._finished()

        session.background.run(
            lambda: importing.resume(session.clients, session.settings, bucket, import_id),
            then,
            session.report,
        )

    def _begin(self, seen: WatchedImport) -> None:
        self._put([seen])
        self._next_look = 0.0
        with self._lock:
            if self._looks:
                return
            self._looks = True
        self._session.background.repeat(_LOOK_EVERY / 4, self._tick)

    def _has_just_ended(self, import_id: str) -> bool:
        """Return whether the bucket's list may not tell yet that an import has ended."""
        ended = self._ended.get(import_id)
        return ended is not None and time.monotonic() - ended < importing.LIVENESS_SECONDS

    def _tick(self) -> bool:
        """Look at all live imports when it is time; answer whether to go on."""
        live = [seen for seen in self.watched.values() if not seen.is_over]
        if not live:
            with self._lock:
                self._looks = any(not seen.is_over for seen in self.watched.values())
                return self._looks
        if time.monotonic() < self._next_look:
            return True
        found = [each.value for each in outcomes(self._look, live) if each.value]
        changed = [seen for seen in found if seen != self.watched.get(seen.id)]
        self._put(seen for seen in changed if seen.id in self.watched)
        self._next_look = time.monotonic() + pause(len(found))
        over = [seen.id for seen in changed if seen.is_over]
        if over:
            self._ended.update(dict.fromkeys(over, time.monotonic()))
            self._finished()
        return True

    def _look(self, seen: WatchedImport) -> WatchedImport:
        now = time.monotonic()
        for_life = now - self._asked_for_life.get(seen.id, 0.0) > importing.LIVENESS_SECONDS
        if for_life:
            self._asked_for_life[seen.id] = now
        clients = self._session.clients
        found = importing.look(clients, seen.bucket, seen.id, for_life=for_life)
        abandoned = found.is_abandoned if for_life else seen.is_abandoned
        if found.progress is None:
            return replace(seen, is_abandoned=abandoned)
        abandoned = abandoned and not found.is_over
        speed = 0.0 if found.is_over or abandoned else _speed(seen, found.progress)
        return replace(seen, progress=found.progress, is_abandoned=abandoned, speed=speed)

    def _put(self, changed: Iterable[WatchedImport]) -> None:
        new = {seen.id: seen for seen in changed}
        if new:
            self.watched = {**self.watched, **new}


def pause(shown: int) -> float:
    """Return the seconds after which the page may be told of so many imports again."""
    return max(_LOOK_EVERY, shown * _MESSAGES_OF_AN_IMPORT / MESSAGES_A_SECOND)


def _speed(seen: WatchedImport, progress: ImportProgress) -> float:
    before = seen.progress
    if before is None or progress.updated_at <= before.updated_at:
        return seen.speed
    seconds = (progress.updated_at - before.updated_at).total_seconds()
    now = max(0.0, (progress.done - before.done) / seconds)
    return now if not seen.speed else seen.speed + _SMOOTHING * (now - seen.speed)
