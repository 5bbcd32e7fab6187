"""The log of a service as it grows."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from traitlets import HasTraits, Instance, Unicode

from llm_widgets.errors import ManagerError, RateLimitError
from llm_widgets.gcp.observe import logs
from llm_widgets.manager.log_pace import LIMIT, Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from llm_widgets.gcp.observe.logs import LogEntry
    from llm_widgets.page.session import Session

    Listener = Callable[[Sequence[LogEntry]], None]

_TICK = 1.0  # seconds between two looks at whether a read is due

_FIRST = 1000
_KEPT = 2000
_LATE = timedelta(seconds=30)
"""For how long an entry may be on its way: Cloud Logging takes them in any order."""

_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


class LogEntries(HasTraits):
    """Entries of a log, and who wants to know of new ones.

    Attributes
    ----------
    error
        Why the log can't be read.
    """

    error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._lock = threading.RLock()
        self._entries: list[LogEntry] = []
        self._added: list[Listener] = []
        self._reset: list[Listener] = []

    def on_added(self, listener: Listener) -> None:
        """Have ``listener`` called with entries that have come and follow the others."""
        self._added.append(listener)

    def on_reset(self, listener: Listener) -> None:
        """Have ``listener`` called with all entries, in place of those that it knows."""
        self._reset.append(listener)

    @property
    def entries(self) -> tuple[LogEntry, ...]:
        """All entries so far, the oldest first."""
        with self._lock:
            return tuple(self._entries)

    @staticmethod
    def _tell(listeners: Iterable[Listener], entries: Sequence[LogEntry]) -> None:
        for listener in listeners:
            listener(tuple(entries))


class LogTail(LogEntries):
    """Follows the log of a service until it is closed: the one reader of it in a page.

    Attributes
    ----------
    slowed
        Why the log is read more rarely than usual, as a sentence; empty while it is not.
    """

    slowed = Unicode()

    def __init__(self, session: Session, name: str, pace: Pace | None = None) -> None:
        super().__init__(session)
        _, self._project, _, self._region, _, self._service_id = name.split("/")
        self.pace = pace or Pace()
        self._reading = threading.RLock()
        self._read_at = _BEFORE_ALL
        self._since: datetime | None = None
        self._all = False
        self._closed = False

    @property
    def has_all(self) -> bool:
        """Whether there are no older entries than these."""
        with self._lock:
            return self._all

    def close(self) -> None:
        """Look no more."""
        self._closed = True

    def start(self) -> None:
        """Begin to look, and go on until closed."""

        def failed(error: ManagerError) -> None:
            self.error = error

        self._session.background.run(self.look_if_due, lambda _: None, failed)
        self._session.background.repeat(_TICK, self._again)

    def look_if_due(self) -> None:
        """Read what has come if it is time to, and somebody sees the page."""
        with self._reading:
            if self.pace.is_due and self._session.is_seen:
                self._look_if_allowed()

    def look_after(self, time: datetime) -> None:
        """Read what has come, unless that was done after a moment or was too much before."""
        with self._reading:
            if self._read_at < time and not self.pace.is_slowed:
                self._look_if_allowed()

    def look(self) -> None:
        """Read what has come since the last time.

        Raises
        ------
        ManagerError
            The log may not be read.
        """
        with self._reading:
            begun = datetime.now(UTC)
            limit = _FIRST if self._since is None else _KEPT
            found = self.read(limit=limit, since=self._since)
            self._read_at = begun
            self.pace.read()
            new, is_late = self._taken(sorted(found, key=moment), is_all=len(found) < limit)
        self.error = None
        self._tell_pace()
        if is_late:
            self._tell(self._reset, self.entries)
        elif new:
            self._tell(self._added, new)

    def _look_if_allowed(self) -> None:
        """Read; a log that may not be read becomes the error that is shown."""
        try:
            self.look()
        except RateLimitError as error:
            self.pace.refused(error.retry_after)
            self._tell_pace()
        except ManagerError as error:
            self.pace.read()  # and ask no more often than usual
            self.error = error

    def _tell_pace(self) -> None:
        self.slowed = (
            f"Google Cloud limits log reads to {LIMIT} a minute for this project; "
            f"reading every {self.pace.seconds:.0f} seconds."
            if self.pace.is_slowed
            else ""
        )

    def read(
        self,
        *,
        limit: int,
        severity: str = "",
        text: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[LogEntry]:
        """Read the newest entries that :func:`llm_widgets.gcp.observe.logs.service_filter` finds.

        Raises
        ------
        ManagerError
            The log may not be read.
        """
        filter_ = logs.service_filter(
            self._region,
            self._service_id,
            severity=severity,
            text=text,
            since=since,
            until=until,
        )
        return logs.entries(self._session.clients, self._project, filter_, limit=limit)

    def _taken(self, found: list[LogEntry], *, is_all: bool) -> tuple[list[LogEntry], bool]:
        """Put what is new among the entries; whether some of it belongs between older ones."""
        with self._lock:
            known = {(entry.id, entry.time) for entry in self._entries}
            oldest = moment(self._entries[0]) if len(self._entries) == _KEPT else _BEFORE_ALL
            new = [e for e in found if (e.id, e.time) not in known and moment(e) >= oldest]
            is_late = bool(new and self._entries and moment(new[0]) < moment(self._entries[-1]))
            merged = sorted([*self._entries, *new], key=moment)
            if self._since is None:
                self._all = is_all
            self._all = self._all and is_all and len(merged) <= _KEPT
            self._entries = merged[-_KEPT:]
            if self._entries and self._entries[-1].time:
                self._since = self._entries[-1].time - _LATE
        return new, is_late

    def _again(self) -> bool:
        if not self._closed:
            self.look_if_due()
        return not self._closed


def moment(entry: LogEntry) -> datetime:
    """Return the time by which entries are ordered."""
    return entry.time or _BEFORE_ALL
