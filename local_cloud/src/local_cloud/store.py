"""Records of the local cloud: JSON values under a kind and a name, in one SQLite file."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from local_cloud import database

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

_TO_BE_SWEPT = 1
"""The file's ``user_version`` from the commit of an erasure until its copies are gone."""


class Store:
    """Key-value records that survive the process, however it ends.

    One connection is shared by all threads under a lock; the write-ahead log makes each
    change atomic, so that a process killed in the middle leaves the last whole state. On a full
    disk, every method raises ``OSError``.

    Parameters
    ----------
    path
        The SQLite file; its folder is made when missing.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._lock = threading.RLock()
        self._depth = 0
        self._db = database.opened(path)
        with self._used():
            self._db.execute(_SCHEMA)
            if self._is_to_be_swept():  # the last process ended in between
                self._sweep()

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """Return one record, or ``None``; the caller owns the copy."""
        with self._used():
            row = self._db.execute(
                "SELECT value FROM record WHERE kind = ? AND name = ?", (kind, name)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, kind: str, name: str, value: dict[str, Any]) -> None:
        """Write one record, replacing what stood there."""
        text = json.dumps(value, separators=(",", ":"))
        with self._used():
            self._db.execute("REPLACE INTO record VALUES (?, ?, ?)", (kind, name, text))

    def delete(self, kind: str, name: str) -> None:
        """Remove one record; a missing one is no error."""
        with self._used():
            self._db.execute("DELETE FROM record WHERE kind = ? AND name = ?", (kind, name))

    def erase(self, kind: str, name: str) -> None:
        """Remove one record, and every copy of it that the file or its log still holds.

        It takes a moment for each megabyte of records; inside a transaction, the copies go at its
        end.
        """
        with self.transaction():
            self.delete(kind, name)
            self._db.execute(f"PRAGMA user_version={_TO_BE_SWEPT}")

    def list(
        self, kind: str, prefix: str = "", start: str = "", limit: int | None = None
    ) -> list[tuple[str, dict[str, Any]]]:
        """Return records of a kind, ordered by the UTF-8 bytes of their names.

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
        with self._used():
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
        with self._used():
            if self._depth == 0:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
                if self._depth == 1:
                    self._db.execute("COMMIT")
            except BaseException:
                # A full disk has undone it already.
                if self._depth == 1 and self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1
            if self._depth == 0 and self._is_to_be_swept():
                self._sweep()

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _used(self) -> Iterator[None]:
        with self._lock, database.told(self._path):
            yield

    def _is_to_be_swept(self) -> bool:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        return bool(version == _TO_BE_SWEPT)

    def _sweep(self) -> None:
        """Write the file anew, without the rest of what was deleted, and empty its log.

        ``secure_delete`` alone is not enough: a page whose records were moved to another one may
        keep copies of them. Writing anew takes space: on a full disk it is left to the next
        transaction.
        """
        try:
            with database.told(self._path):
                self._db.execute("VACUUM")
                self._db.execute("PRAGMA user_version=0")
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except OSError as error:
            if not database.is_disk_full(error):
                raise
