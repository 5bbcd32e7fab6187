"""Records of the local cloud: JSON values under a kind and a name, in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, name)
) WITHOUT ROWID
"""

#: Sorts after every character that a name may hold.
_LAST = "\U0010ffff"


class Store:
    """Key-value records that survive the process, however it ends.

    One connection is shared by all threads under a lock; the write-ahead log makes each
    change atomic, so that a process killed in the middle leaves the last whole state.

    Parameters
    ----------
    path
        The SQLite file; its folder is made when missing.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        # A killed process loses nothing with synchronous=NORMAL; only a power cut may.
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("PRAGMA busy_timeout=5000")
        self._db.execute(_SCHEMA)

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """Give one record, or ``None``; the caller owns the copy."""
        with self._lock:
            row = self._db.execute(
                "SELECT value FROM record WHERE kind = ? AND name = ?", (kind, name)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, kind: str, name: str, value: dict[str, Any]) -> None:
        """Write one record, replacing what stood there."""
        text = json.dumps(value, separators=(",", ":"))
        with self._lock:
            self._db.execute("REPLACE INTO record VALUES (?, ?, ?)", (kind, name, text))

    def delete(self, kind: str, name: str) -> None:
        """Remove one record; a missing one is no error."""
        with self._lock:
            self._db.execute("DELETE FROM record WHERE kind = ? AND name = ?", (kind, name))

    def list(
        self, kind: str, prefix: str = "", start: str = "", limit: int | None = None
    ) -> list[tuple[str, dict[str, Any]]]:
        """Give records of a kind, ordered by the UTF-8 bytes of their names.

        Parameters
        ----------
        kind
            The kind of record.
        prefix
            Only names that begin with it.
        start
            Only names from this one on (it included).
        limit
            At most so many; ``None`` for all.
        """
        clause, values = "kind = ? AND name >= ?", [kind, max(prefix, start)]
        if prefix:
            clause += " AND name < ?"
            values.append(prefix + _LAST)
        with self._lock:
            rows = self._db.execute(
                f"SELECT name, value FROM record WHERE {clause} ORDER BY name LIMIT ?",  # noqa: S608 -- the clause holds placeholders only
                (*values, -1 if limit is None else limit),
            ).fetchall()
        return [(name, json.loads(value)) for name, value in rows]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the changes inside atomic, and keep other threads out until they are done.

        May be nested: the outermost block commits, and an exception undoes all of it.
        """
        with self._lock:
            if self._depth == 0:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._db.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        with self._lock:
            self._db.close()
