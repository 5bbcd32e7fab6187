"""Objects as plain files, changed together with their records so that no crash parts them."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from local_cloud.httpd import BLOCK

if TYPE_CHECKING:
    from local_cloud.store import Store

_NAME_BYTES = 255  # the longest file name of Linux's file systems
_PATH_BYTES = 3000  # an object's name has at most 1024 bytes; leaves room for the data folder
_JOURNAL = "storage-journal"
_NOT_SUPPORTED = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}


@dataclass
class Change:
    """Files and records that change as one.

    Attributes
    ----------
    keeps
        Pairs of paths: a file that is about to be replaced, and an unused place for it. They come
        before all others.
    renames
        Pairs of paths: a finished upload, and the place of its object.
    removes
        Paths of files to remove.
    puts
        Records to write: kind, name, value.
    drops
        Records to delete: kind, name.
    """

    keeps: list[tuple[str, str]] = field(default_factory=list)
    renames: list[tuple[str, str]] = field(default_factory=list)
    removes: list[str] = field(default_factory=list)
    puts: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    drops: list[tuple[str, str]] = field(default_factory=list)


class Content:
    """The folder of buckets, and the protocol that changes it.

    All paths in records are relative to the data folder, so that it can be moved. A change is
    first written to a journal; a process killed after that finds it at the next start and
    carries it out again, which does no harm to what was done already.

    Parameters
    ----------
    data
        The local cloud's data folder: objects are ``buckets/<bucket>/<object>`` in it. Objects
        whose names cannot be files are in ``unmountable/``, noncurrent versions in ``versions/``,
        unfinished uploads in ``uploads/``.
    store
        Where the journal and the records are.
    """

    def __init__(self, data: Path, store: Store) -> None:
        #: Held from reading a record to changing it, or to opening the file that it names.
        #: No transaction of the store may be open around `apply`: the journal comes first.
        self.lock = threading.RLock()
        self._data = data
        self._store = store
        self._generation = 0
        for folder in ("buckets", "unmountable", "versions", "uploads"):
            (data / folder).mkdir(parents=True, exist_ok=True)
        for name, change in store.list(_JOURNAL):
            self._carry_out(name, Change(**change))

    def path(self, relative: str) -> Path:
        """Return the absolute path of a file named in a record."""
        return self._data / relative

    def open(self, relative: str) -> BinaryIO:
        """Open a file named in a record for reading, without a buffer."""
        return self.path(relative).open("rb", buffering=0)

    def new_upload(self) -> str:
        """Return an unused path for bytes that come in."""
        return f"uploads/{secrets.token_hex(16)}"

    def new_generation(self) -> int:
        """Return the number of a new object: microseconds since 1970, and never the same twice."""
        self._generation = max(time.time_ns() // 1000, self._generation + 1)
        return self._generation

    def place(self, bucket: str, name: str) -> str:
        """Choose the file of an object: its name in the bucket's folder, if that can be."""
        parts = name.split("/")
        relative = f"buckets/{bucket}/{name}"
        possible = (
            all(part not in {"", ".", ".."} for part in parts)
            and all(len(part.encode()) <= _NAME_BYTES for part in parts)
            and "\0" not in name
            and len(relative.encode()) <= _PATH_BYTES
            and not self.path(relative).is_dir()
            and not any(
                self.path(f"buckets/{bucket}/{'/'.join(parts[:depth])}").is_file()
                for depth in range(1, len(parts))
            )
        )
        if possible:
            return relative
        return f"unmountable/{bucket}/{hashlib.sha256(name.encode()).hexdigest()}"

    def apply(self, change: Change) -> None:
        """Carry out a change as a whole, now or, after a crash, at the next start."""
        entry = secrets.token_hex(8)
        self._store.put(_JOURNAL, entry, asdict(change))
        self._carry_out(entry, change)

    def add_bucket(self, bucket: str) -> None:
        """Make the folder of a bucket."""
        self.path(f"buckets/{bucket}").mkdir(exist_ok=True)

    def remove_bucket(self, bucket: str) -> None:
        """Remove the folder of a bucket with everything in it."""
        for folder in ("buckets", "unmountable", "versions"):
            shutil.rmtree(self.path(f"{folder}/{bucket}"), ignore_errors=True)

    def _carry_out(self, entry: str, change: Change) -> None:
        try:
            self._move_files(change)
        except OSError:
            self._store.delete(_JOURNAL, entry)  # the client is told that it failed
            raise
        with self._store.transaction():
            for kind, name, value in change.puts:
                self._store.put(kind, name, value)
            for kind, name in change.drops:
                self._store.delete(kind, name)
            self._store.delete(_JOURNAL, entry)

    def _move_files(self, change: Change) -> None:
        for source, target in change.keeps:
            # After a crash in between, a new file is in the place of one that is kept already.
            if not self.path(target).exists():
                self._rename(source, target)
        for source, target in change.renames:
            self._rename(source, target)
        targets = {target for _, target in change.renames}
        for relative in set(change.removes) - targets:
            self.path(relative).unlink(missing_ok=True)
            self._prune(relative)

    def _rename(self, source: str, target: str) -> None:
        if self.path(source).exists():  # otherwise it was renamed before the crash
            self.path(target).parent.mkdir(parents=True, exist_ok=True)
            self.path(source).replace(self.path(target))
            self._prune(source)

    def _prune(self, relative: str) -> None:
        """Remove the folders that an object leaves empty: in a bucket there are none."""
        parts = Path(relative).parts
        if parts[0] == "uploads":
            return
        for depth in range(len(parts) - 1, 2, -1):
            try:
                self.path("/".join(parts[:depth])).rmdir()
            except OSError:
                return


def append(
    source: BinaryIO, target: BinaryIO, size: int, *, start: int = 0, at: int | None = None
) -> None:
    """Copy bytes of a file to another inside the kernel.

    Parameters
    ----------
    source, target
        Open files without buffers.
    size
        Bytes to copy.
    start
        Where they begin in the source.
    at
        Where they go in the target; ``None`` for its present position.
    """
    if at is not None:
        target.seek(at)
    done = _append_in_kernel(source, target, size, start)
    source.seek(start + done)
    while done < size and (block := source.read(min(BLOCK, size - done))):
        target.write(block)
        done += len(block)
    if done < size:
        raise OSError(errno.EIO, "an object's file is shorter than its record says")


def _append_in_kernel(source: BinaryIO, target: BinaryIO, size: int, start: int) -> int:
    """Copy what the kernel can copy by itself; give the number of bytes."""
    if not hasattr(os, "copy_file_range"):  # only Linux has it
        return 0
    done = 0
    try:
        while copied := os.copy_file_range(
            source.fileno(), target.fileno(), size - done, start + done
        ):
            done += copied
    except OSError as error:
        if error.errno not in _NOT_SUPPORTED:  # some file systems cannot
            raise
    return done
