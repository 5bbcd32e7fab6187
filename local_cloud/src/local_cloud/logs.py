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

if TYPE_CHECKING:
    from pathlib import Path

LogEntry = Mapping[str, Any]
"""A LogEntry of Cloud Logging v2 as JSON: logName, resource, timestamp, severity, a payload."""

_FLUSH_SECONDS = 0.1  # entries wait this long for others, so that one transaction takes them all
_READ_ROWS = 500

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
    """Log entries of all projects, bounded in number: the oldest give way.

    Parameters
    ----------
    path
        SQLite file; it is made if it is not there.
    limit
        Number of entries that are kept (it may be exceeded by a tenth).

    """

    def __init__(self, path: Path, *, limit: int = 200_000) -> None:
        self._limit = limit
        self._waiting: list[LogEntry] = []
        self._lock = threading.Lock()  # guards _waiting
        self._database_lock = threading.RLock()
        self._wake = threading.Event()
        self._closed = False
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(_SCHEMA)
        self._count: int = self._database.execute("SELECT count(*) FROM entries").fetchone()[0]
        self._writer = threading.Thread(target=self._write_batches, name="log-writer", daemon=True)
        self._writer.start()

    def append(self, entries: Iterable[LogEntry]) -> None:
        """Add entries; they are on disk soon, and visible to the next query at once.

        An entry without ``timestamp`` or ``insertId`` is given one.
        """
        now = timestamp()
        complete = [
            {
                "receiveTimestamp": now,
                **entry,
                "timestamp": entry.get("timestamp") or now,
                "insertId": entry.get("insertId") or uuid.uuid4().hex[:20],
            }
            for entry in entries
        ]
        with self._lock:
            self._waiting += complete
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
        while True:
            sql, values = _select(wanted, bounds, last, newest_first=newest_first)
            with self._database_lock:
                rows = self._database.execute(sql, values).fetchall()
            for number, moment, text in rows:
                entry = json.loads(text)
                if matches is None or matches(entry):
                    if len(found) == limit:
                        return found, f"{last[0]}.{last[1]}" if last else ""
                    found.append(entry)
                last = (moment, number)
            if len(rows) < _READ_ROWS:
                return found, ""

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
            if batch and not self._closed:
                self._insert(batch)

    def close(self) -> None:
        """Write what is waiting and close the file; later entries are dropped."""
        self.flush()
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
            self.flush()
            time.sleep(_FLUSH_SECONDS)

    def _insert(self, batch: list[LogEntry]) -> None:
        rows = [
            (
                nanoseconds(entry["timestamp"]),
                project_of(entry),
                subject_of(entry),
                entry.get("logName", ""),
                json.dumps(entry, separators=(",", ":")),
            )
            for entry in batch
        ]
        with self._database:  # commits, or takes all back
            self._database.execute("BEGIN")
            self._database.executemany(
                "INSERT INTO entries (time, project, subject, log, entry) VALUES (?, ?, ?, ?, ?)",
                rows,
            )
            count = self._count + len(rows)
            if count > self._limit * 1.1:
                count -= self._database.execute(
                    "DELETE FROM entries WHERE number <= "
                    "(SELECT number FROM entries ORDER BY number DESC LIMIT 1 OFFSET ?)",
                    (self._limit,),
                ).rowcount
        self._count = count


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
    return int(moment), int(number)


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
        values.append(bounds.since)
    if bounds.until is not None:
        where.append("time <= ?")
        values.append(bounds.until)
    comparison, order = ("<", "DESC") if newest_first else (">", "ASC")
    if last:
        where.append(f"(time, number) {comparison} (?, ?)")
        values += last
    return (
        "SELECT number, time, entry FROM entries "  # noqa: S608 - nothing of a caller's is in it
        f"WHERE {' AND '.join(where)} ORDER BY time {order}, number {order} LIMIT {_READ_ROWS}"
    ), values
