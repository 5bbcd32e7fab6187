"""SQLite files of the data folder: opened in one way, and a full disk told as such."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT}

# What SQLite calls a write that failed where it does not look at the reason: https://sqlite.org/rescode.html
_FAILED_WRITES = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
_PRIMARY = 0xFF  # the bits of a primary result code
_LEAST_FREE = 1 << 20  # bytes; with fewer, a write that failed is taken for one without space


def is_disk_full(error: BaseException) -> bool:
    """Check whether an error says that a disk, or somebody's share of it, is full."""
    return isinstance(error, OSError) and error.errno in _FULL


def opened(path: Path) -> sqlite3.Connection:
    """Open an SQLite file that all threads share, and make it if it is not there.

    A process that is killed loses nothing that was committed; a power cut may take the last
    commits. What is deleted is overwritten.

    Raises
    ------
    OSError
        The disk is full.

    """
    with told(path):
        database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute("PRAGMA busy_timeout=5000")
        database.execute("PRAGMA secure_delete=ON")
        # No copy of records lies in a folder that others can read, not even for a moment.
        database.execute("PRAGMA temp_store=MEMORY")
    return database


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn SQLite's errors that stand for a full disk into ``OSError``, as files have it.

    Parameters
    ----------
    path
        The SQLite file.

    """
    try:
        yield
    except sqlite3.OperationalError as error:
        if not _is_full(error, path):
            raise
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error


def _is_full(error: sqlite3.Error, path: Path) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    if code in _FAILED_WRITES:
        return shutil.disk_usage(path.parent).free < _LEAST_FREE
    return code == sqlite3.SQLITE_FULL
