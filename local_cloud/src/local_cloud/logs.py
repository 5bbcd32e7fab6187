"""The log entries of the local cloud: appended in batches to one SQLite file, read in pages."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local_cloud import database
from local_cloud.printing import say

if TYPE_CHECKING:
    from pathlib import Path

LogEntry = Mapping[str, Any]
"""A LogEntry of Cloud Logging v2 as JSON: logName, resource, timestamp, severity, a payload."""

_FLUSH_SECONDS = 0.1  # entries wait this long for others, so that one transaction takes them all
_READ_ROWS = 500
_READ_BYTES = 4 << 20  # of entries that are looked at together
_PAGE_BYTES = 8 << 20  # of entries in a page; a longer one is cut, and its token tells where
_WAITING_BYTES = 8 << 20  # of entries not yet written, beyond which who writes has to wait
_LARGEST_TIME = 2**63 - 1  # of SQLite's integers: nanoseconds until the year 2262

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    number INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    project TEXT NOT NULL,
    subject TEXT NOT NULL,
    log TEXT NOT NULL,
    entry TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS by_time ON entries (project, time, number);
CREATE INDEX IF NOT EXISTS by_subject ON entries (project, subject, time, number);
"""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What narrows a query before entries are looked at one by one.

    Attributes
    ----------
    subject
        Name of the Cloud Run service or job that wrote the entries; empty for all.
    since, until
        Nanoseconds since 1970, both inclusive; ``None`` for no bound.

    """

    subject: str = ""
    since: int | None = None
    until: int | None = None


class LogBook:
    """Log entries of all projects, bounded in number and size: the oldest give way.

    Parameters
    ----------
    path
        SQLite file; it is made if it is not there.
    limit
        Number of entries that are kept (it may be exceeded by a tenth).
    size_limit
        Bytes of the file that entries may take.

    """

    def __init__(self, path: Path, *, limit: int = 200_000, size_limit: int = 512 << 20) -> None:
        self._path = path
        self._limit = limit
        self._size_limit = size_limit
        self._waiting: list[_Row] = []
        self._waiting_bytes = 0
        self._lock = threading.Lock()  # guards _waiting
        self._database_lock = threading.RLock()
        self._wake = threading.Event()
        self._closed = False
        self._database = database.opened(path)
        with database.told(path):
            self._database.executescript(_SCHEMA)
            self._count: int = self._database.execute("SELECT count(*) FROM entries").fetchone()[0]
        self._writer = threading.Thread(target=self._write_batches, name="log-writer", daemon=True)
        self._writer.start()

    def append(self, entries: Iterable[LogEntry]) -> None:
        """Add entries; they are on disk soon, and visible to the next query at once.

        An entry without ``timestamp`` or ``insertId`` is given one. Who writes faster than the
        disk takes it has to wait, so that a flood of entries takes no memory.
        """
        now = timestamp()
        for entry in entries:
            row = _row(
                {
                    "receiveTimestamp": now,
                    **entry,
                    "timestamp": entry.get("timestamp") or now,
                    "insertId": entry.get("insertId") or uuid.uuid4().hex[:20],
                }
            )
            with self._lock:
                self._waiting.append(row)
                self._waiting_bytes += len(row[-1])
                is_much = self._waiting_bytes > _WAITING_BYTES
            if is_much:
                self._flush_or_drop()
        self._wake.set()

    def query(
        self,
        projects: Iterable[str],
        *,
        matches: Callable[[LogEntry], bool] | None = None,
        bounds: Bounds | None = None,
        newest_first: bool = False,
        limit: int = 50,
        page_token: str = "",
    ) -> tuple[list[dict[str, Any]], str]:
        """Return a page of entries and the token of the next page (empty: no more).

        Parameters
        ----------
        projects
            Project ids.
        matches
            Keeps the entries for which it is true.
        bounds
            Narrows the search; entries beyond it are not looked at.
        newest_first
            Order of time; entries of the same time keep the order in which they came.
        limit
            Entries in a page.
        page_token
            What the previous call gave.

        Raises
        ------
        ValueError
            If the token is not one of this log book's.

        """
        self.flush()
        bounds = bounds or Bounds()
        wanted = sorted(set(projects))
        last = _position(page_token) if page_token else None
        found: list[dict[str, Any]] = []
        size = 0
        while True:
            rows = self._rows(*_select(wanted, bounds, last, newest_first=newest_first))
            for number, moment, text in rows:
                entry = json.loads(text)
                if matches is None or matches(entry):
                    if len(found) == limit or (found and size + len(text) > _PAGE_BYTES):
                        return found, f"{last[0]}.{last[1]}" if last else ""
                    found.append(entry)
                    size += len(text)
                last = (moment, number)
            if not rows:
                return found, ""

    def _rows(self, sql: str, values: list[Any]) -> list[tuple[int, int, str]]:
        """Return the first rows of a query, at least one if there are any."""
        rows, size = [], 0
        with self._database_lock, database.told(self._path):
            for row in self._database.execute(sql, values):
                rows.append(row)
                size += len(row[-1])
                if size > _READ_BYTES:
                    break
        return rows

    def delete_log(self, project: str, log_name: str) -> int:
        """Delete the entries of one log; return how many there were."""
        self.flush()
        with self._database_lock:
            deleted = self._database.execute(
                "DELETE FROM entries WHERE project = ? AND log = ?", (project, log_name)
            ).rowcount
            self._count -= deleted
        return deleted

    def flush(self) -> None:
        """Write what is waiting."""
        # The database lock is taken first: a flush that finds nothing waiting has to wait for
        # the one that took it.
        with self._database_lock:
            with self._lock:
                batch, self._waiting = self._waiting, []
                self._waiting_bytes = 0
            if batch and not self._closed:
                self._insert(batch)

    def close(self) -> None:
        """Write what is waiting and close the file; later entries are dropped."""
        self._flush_or_drop()
        with self._database_lock:
            if self._closed:
                return
            self._closed = True
            self._database.close()
        self._wake.set()
        self._writer.join(timeout=5)

    def _write_batches(self) -> None:
        while not self._closed:
            self._wake.wait()
            self._wake.clear()
            self._flush_or_drop()
            time.sleep(_FLUSH_SECONDS)

    def _flush_or_drop(self) -> None:
        """Write what is waiting; where it can't be written, say so and go on without it."""
        try:
            self.flush()
        except (OSError, sqlite3.Error) as error:
            say(f"Log entries were lost: {error}")

    def _insert(self, batch: list[_Row]) -> None:
        with database.told(self._path), self._database:  # commits, or takes all back
            self._database.execute("BEGIN")
            self._database.executemany(
                "INSERT INTO entries (time, project, subject, log, entry) VALUES (?, ?, ?, ?, ?)",
                batch,
            )
            count = self._count + len(batch)
            if count > self._limit * 1.1:
                count -= self._drop_all_but(self._limit)
            elif self._size() > self._size_limit:
                count -= self._drop_all_but(count // 2)
        self._count = count

    def _size(self) -> int:
        """Return the bytes of the file that are in use."""
        numbers = (
            self._database.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        pages, free, page_size = numbers
        return int((pages - free) * page_size)

    def _drop_all_but(self, kept: int) -> int:
        """Delete the oldest entries; return how many there were."""
        return self._database.execute(
            "DELETE FROM entries WHERE number <= "
            "(SELECT number FROM entries ORDER BY number DESC LIMIT 1 OFFSET ?)",
            (kept,),
        ).rowcount


_Row = tuple[int, str, str, str, str]


def _row(entry: LogEntry) -> _Row:
    """Return an entry as its row, under the nearest time that a row can have."""
    return (
        _storable(nanoseconds(entry["timestamp"])),
        project_of(entry),
        subject_of(entry),
        str(entry.get("logName", "")),
        json.dumps(entry, separators=(",", ":")),
    )


def _storable(number: int) -> int:
    """Return the nearest number that SQLite can hold."""
    return max(-_LARGEST_TIME, min(number, _LARGEST_TIME))


def timestamp() -> str:
    """Return the present time as Google's APIs write it, in UTC with microseconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def nanoseconds(text: str) -> int:
    """Return nanoseconds since 1970 of an RFC 3339 time or date.

    Raises
    ------
    ValueError
        If it is neither.

    """
    head, _, rest = text.partition(".")
    fraction = ""
    if rest:
        digits = len(rest) - len(rest.lstrip("0123456789"))
        fraction, zone = rest[:digits], rest[digits:]
        head += zone
    moment = datetime.fromisoformat(head)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 10**9 + int(f"{fraction:0<9.9}")


def project_of(entry: LogEntry) -> str:
    """Return the project id that an entry belongs to."""
    parts = str(entry.get("logName", "")).split("/")
    if len(parts) > 1 and parts[0] == "projects":
        return parts[1]
    return str(entry.get("resource", {}).get("labels", {}).get("project_id", ""))


def subject_of(entry: LogEntry) -> str:
    """Return the name of the Cloud Run service or job that an entry is about, or nothing."""
    labels = entry.get("resource", {}).get("labels", {})
    return str(labels.get("service_name") or labels.get("job_name") or "")


def _position(token: str) -> tuple[int, int]:
    moment, _, number = token.partition(".")
    return _storable(int(moment)), _storable(int(number))


def _select(
    projects: list[str],
    bounds: Bounds,
    last: tuple[int, int] | None,
    *,
    newest_first: bool,
) -> tuple[str, list[Any]]:
    """Return the statement and its values; names and comparisons are fixed, values are bound."""
    where = [f"project IN ({', '.join('?' * len(projects))})"]
    values: list[Any] = [*projects]
    if bounds.subject:
        where.append("subject = ?")
        values.append(bounds.subject)
    if bounds.since is not None:
        where.append("time >= ?")
        values.append(_storable(bounds.since))
    if bounds.until is not None:
        where.append("time <= ?")
        values.append(_storable(bounds.until))
    comparison, order = ("<", "DESC") if newest_first else (">", "ASC")
    if last:
        where.append(f"(time, number) {comparison} (?, ?)")
        values += last
    return (
        "SELECT number, time, entry FROM entries "  # noqa: S608 - nothing of a caller's is in it
        f"WHERE {' AND '.join(where)} ORDER BY time {order}, number {order} LIMIT {_READ_ROWS}"
    ), values
