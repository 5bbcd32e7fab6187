"""The progress of all files, counted by the workers and read by the reporter."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from llm_widgets.domain.progress import FileProgress, FileState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.domain.imports import HubFile


class _Counter:
    """The count of one file; mutable, because it changes with every block."""

    __slots__ = ("done", "is_shared", "part", "size", "state")

    def __init__(self, file: HubFile) -> None:
        self.size = file.size
        self.part = file.part
        self.done = 0
        self.state = FileState.WAITING
        self.is_shared = False


class Progress:
    """Counts bytes for each file. Safe to use from threads.

    Attributes
    ----------
    trouble
        What fails and is tried again, in one sentence; empty once anything has arrived since.
    """

    def __init__(self, files: Iterable[HubFile]) -> None:
        self._lock = threading.Lock()
        self._files = {file.path: _Counter(file) for file in files}
        self.trouble = ""

    def retry(self, trouble: str) -> None:
        """Record what failed and is tried again."""
        with self._lock:
            self.trouble = trouble

    def add(self, path: str, count: int) -> None:
        """Count bytes that have arrived."""
        with self._lock:
            file = self._files[path]
            file.done = min(file.size, file.done + count)
            file.state = FileState.ACTIVE
            self.trouble = ""

    def share(self, path: str) -> None:
        """Record that other tasks move bytes of a file too: only this one's are counted."""
        with self._lock:
            self._files[path].is_shared = True

    def start(self, path: str, done: int) -> None:
        """Record that a file is being moved, and how many of its bytes are stored already."""
        with self._lock:
            file = self._files[path]
            file.done, file.state = done, FileState.ACTIVE

    def finish(self, path: str) -> None:
        """Record that a file is complete and verified."""
        with self._lock:
            file = self._files[path]
            file.done, file.state = file.size, FileState.DONE
            self.trouble = ""

    def fail(self, path: str) -> None:
        """Record that a file failed."""
        with self._lock:
            self._files[path].state = FileState.FAILED

    def snapshot(self) -> tuple[FileProgress, ...]:
        """Return the present progress of all files."""
        with self._lock:
            return tuple(
                FileProgress(path, file.size, file.done, file.state, file.is_shared, file.part)
                for path, file in self._files.items()
            )

    def done(self) -> int:
        """Return the bytes that have arrived of all files together."""
        with self._lock:
            return sum(file.done for file in self._files.values())
