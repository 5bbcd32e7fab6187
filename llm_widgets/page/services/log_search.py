"""Entries of a service's log by severity and text: the server is asked, new ones are followed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from traitlets import Bool, Unicode

from llm_widgets.page.background import Latest
from llm_widgets.page.services.service_logs import LogEntries, moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from llm_widgets.errors import ManagerError
    from llm_widgets.gcp.observe.logs import LogEntry
    from llm_widgets.page.services.service_logs import Listener, LogTail
    from llm_widgets.page.session import Session

PAGE = 500
"""Entries that are asked for at once."""

MOST = 10_000
"""Entries that are shown; then the oldest give way to new ones."""

# Times have microseconds here, and nanoseconds there.
_SAME_MOMENT = timedelta(microseconds=1)


class LogSearch(LogEntries):
    """What is shown of a service's log.

    Attributes
    ----------
    severity
        Lowest severity that is shown; empty for all.
    search
        Text that an entry must have to be shown.
    paused
        Whether new entries wait; none is lost.
    loading
        Whether an answer is waited for.
    has_earlier
        Whether there may be older ones than those shown.
    """

    severity = Unicode()
    search = Unicode()
    paused = Bool(default_value=False)
    loading = Bool(default_value=False)
    has_earlier = Bool(default_value=False)

    def __init__(self, session: Session, tail: LogTail) -> None:
        super().__init__(session)
        self._tail = tail
        self._latest = Latest()
        self._waiting: list[LogEntry] = []
        self._asked = False  # for entries as they are looked for now
        self._earlier: list[Listener] = []
        tail.on_added(self._come)
        tail.on_reset(self._come)
        self.observe(lambda _: self._begin(), ["severity", "search"])
        self.observe(lambda _: self._resume(), "paused")

    def on_earlier(self, listener: Listener) -> None:
        """Have ``listener`` called with entries that are to be shown before the others."""
        self._earlier.append(listener)

    def show_earlier(self) -> None:
        """Read older entries; they go before those that are shown."""
        oldest = self.entries[0].time if self.entries else None
        until = oldest + _SAME_MOMENT if oldest else None
        known = sum(1 for entry in self.entries if until and entry.time and entry.time <= until)
        self._ask(PAGE + known, until)

    def _begin(self) -> None:
        """Show what is known of what is looked for now, and ask for the rest."""
        with self._lock:
            fresh = [entry for entry in self._tail.entries if self._is_wanted(entry)]
            self._entries, self._waiting, self._asked = fresh, [], False
            self._tell(self._reset, fresh)
        self.error = None
        if self.severity or self.search:
            self._ask(PAGE, None)
        else:
            self._latest.begin()
            with self.hold_trait_notifications():
                self.loading = False
                self.has_earlier = bool(fresh) and not self._tail.has_all

    def _ask(self, limit: int, until: datetime | None) -> None:
        fresh = self._latest.begin()
        self._asked = True
        self.loading = True

        def then(found: list[LogEntry]) -> None:
            with self._lock:
                if not fresh():
                    return
                self._take(found)
            with self.hold_trait_notifications():
                self.loading = False
                self.error = None
                self.has_earlier = len(found) == limit and len(self.entries) < MOST

        def failed(error: ManagerError) -> None:
            if fresh():
                with self.hold_trait_notifications():
                    self.loading = False
                    self.error = error

        severity, text = self.severity, self.search
        self._session.background.run(
            lambda: self._tail.read(limit=limit, severity=severity, text=text, until=until),
            then,
            failed,
        )

    def _come(self, entries: Sequence[LogEntry]) -> None:
        """Take entries that the tail has found."""
        with self._lock:
            wanted = [entry for entry in entries if self._is_wanted(entry)]
            if self.paused:
                self._waiting += wanted
            else:
                self._take(wanted)
            if not (self._asked or self.severity or self.search):
                self.has_earlier = not self._tail.has_all

    def _resume(self) -> None:
        with self._lock:
            if not self.paused:
                waiting, self._waiting = self._waiting, []
                self._take(waiting)

    def _take(self, found: Iterable[LogEntry]) -> None:
        """Show what is new: after the others, before them, or all again where it is between."""
        known = {(entry.id, entry.time) for entry in self._entries}
        new = sorted((e for e in found if (e.id, e.time) not in known), key=moment)
        if not new:
            return
        before = self._entries
        self._entries = sorted([*before, *new], key=moment)[-MOST:]
        if not before or moment(new[0]) >= moment(before[-1]):
            self._tell(self._added, new)
        elif moment(new[-1]) < moment(before[0]):
            self._tell(self._earlier, new)
        else:
            self._tell(self._reset, self._entries)

    def _is_wanted(self, entry: LogEntry) -> bool:
        loud = not self.severity or _RANK.get(entry.severity, 0) >= _RANK[self.severity]
        return loud and self.search.lower() in entry.text.lower()


_RANK = {
    name: rank
    for rank, name in enumerate(
        (
            *("DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING"),
            *("ERROR", "CRITICAL", "ALERT", "EMERGENCY"),
        )
    )
}
