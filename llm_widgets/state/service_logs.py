"""The log of a service as it grows."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from traitlets import Bool, HasTraits, Instance, Unicode

from llm_widgets.cloud import logs
from llm_widgets.errors import ManagerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from llm_widgets.cloud.logs import LogEntry
    from llm_widgets.state.session import Session

PERIOD = 2.5
"""Seconds between two looks at the log."""

_FIRST = 1000
_KEPT = 2000
_LATE = timedelta(seconds=30)
"""For how long an entry may be on its way: Cloud Logging takes them in any order."""

_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


class LogTail(HasTraits):
    """Follows the log of a service until it is closed.

    Attributes
    ----------
    severity
        Lowest severity that is shown; empty for all.
    search
        Text that an entry must have to be shown.
    paused
        Whether new entries wait; none is lost.
    """

    severity = Unicode()
    search = Unicode()
    paused = Bool(default_value=False)
    error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)

    def __init__(self, session: Session, name: str) -> None:
        super().__init__()
        self._session = session
        _, self._project, _, self._region, _, self._service_id = name.split("/")
        self._lock = threading.Lock()
        self._entries: list[LogEntry] = []
        self._since: datetime | None = None
        self._closed = False
        self._waiting: list[LogEntry] = []
        self._added: list[Callable[[Sequence[LogEntry]], None]] = []
        self._reset: list[Callable[[Sequence[LogEntry]], None]] = []
        self.observe(lambda _: self._show_again(), ["severity", "search"])
        self.observe(self._resume, "paused")

    def on_added(self, listener: Callable[[Sequence[LogEntry]], None]) -> None:
        """Have ``listener`` called with entries that have come and are to be shown."""
        self._added.append(listener)

    def on_reset(self, listener: Callable[[Sequence[LogEntry]], None]) -> None:
        """Have ``listener`` called with all entries to show when what is looked for changes."""
        self._reset.append(listener)

    @property
    def entries(self) -> tuple[LogEntry, ...]:
        """All entries so far, the oldest first."""
        with self._lock:
            return tuple(self._entries)

    def close(self) -> None:
        """Look no more."""
        self._closed = True

    def start(self) -> None:
        """Begin to look, and go on until closed."""

        def failed(error: ManagerError) -> None:
            self.error = error

        self._session.background.run(self.look, lambda _: None, failed)
        self._session.background.repeat(PERIOD, self._again)

    def look(self) -> None:
        """Read what has come since the last time.

        Raises
        ------
        ManagerError
            The log may not be read.
        """
        found = logs.entries(
            self._session.clients,
            self._project,
            logs.service_filter(self._region, self._service_id, since=self._since),
            limit=_FIRST if self._since is None else _KEPT,
            newest_first=True,
        )
        new, is_late = self._taken(sorted(found, key=_moment))
        self.error = None
        shown = [entry for entry in new if self._is_shown(entry)]
        if is_late and not self.paused:
            self._show_again()
        elif self.paused:
            self._waiting += shown
        elif shown:
            for listener in self._added:
                listener(shown)

    def look_if_allowed(self) -> None:
        """Do the same; a log that may not be read becomes the error that is shown."""
        try:
            self.look()
        except ManagerError as error:
            self.error = error

    def _taken(self, found: list[LogEntry]) -> tuple[list[LogEntry], bool]:
        """Put what is new among the entries; whether some of it belongs between older ones."""
        with self._lock:
            known = {(entry.id, entry.time) for entry in self._entries}
            oldest = _moment(self._entries[0]) if len(self._entries) == _KEPT else _BEFORE_ALL
            new = [e for e in found if (e.id, e.time) not in known and _moment(e) >= oldest]
            is_late = bool(new and self._entries and _moment(new[0]) < _moment(self._entries[-1]))
            self._entries = sorted([*self._entries, *new], key=_moment)[-_KEPT:]
            if self._entries and self._entries[-1].time:
                self._since = self._entries[-1].time - _LATE
        return new, is_late

    def _again(self) -> bool:
        if not self._closed:
            self.look_if_allowed()
        return not self._closed

    def _resume(self, _: object) -> None:
        if self.paused:
            return
        if self._waiting:
            self._show_again()

    def _show_again(self) -> None:
        self._waiting = []
        shown = [entry for entry in self.entries if self._is_shown(entry)]
        for listener in self._reset:
            listener(shown)

    def _is_shown(self, entry: LogEntry) -> bool:
        loud = not self.severity or _RANK.get(entry.severity, 0) >= _RANK[self.severity]
        return loud and self.search.lower() in entry.text.lower()


def _moment(entry: LogEntry) -> datetime:
    return entry.time or _BEFORE_ALL


_RANK = {
    name: rank
    for rank, name in enumerate(
        (
            *("DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING"),
            *("ERROR", "CRITICAL", "ALERT", "EMERGENCY"),
        )
    )
}
