"""How far all files are, counted by the lanes and looked at by whoever reports."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.domain.imports import FileProgress, FileState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.domain.imports import HubFile


class Progress:
    """Counts bytes for each file. Safe to use from threads."""

    def __init__(self, files: Iterable[HubFile]) -> None:
        self._lock = threading.Lock()
        self._files = {file.path: FileProgress(file.path, file.size) for file in files}

    def add(self, path: str, count: int) -> None:
        """Count bytes that have arrived."""
        with self._lock:
            file = self._files[path]
            self._files[path] = replace(
                file, done=min(file.size, file.done + count), state=FileState.ACTIVE
            )

    def share(self, path: str) -> None:
        """Take note that other tasks move bytes of a file too: only this one's are counted."""
        with self._lock:
            self._files[path] = replace(self._files[path], is_shared=True)

    def start(self, path: str, done: int) -> None:
        """Take note that a file is being worked on, and how many of its bytes are there."""
        self._set(path, done, FileState.ACTIVE)

    def finish(self, path: str) -> None:
        """Take note that a file has arrived whole and is what the hub promised."""
        self._set(path, None, FileState.DONE)

    def fail(self, path: str) -> None:
        """Take note that a file failed."""
        with self._lock:
            self._files[path] = replace(self._files[path], state=FileState.FAILED)

    def snapshot(self) -> tuple[FileProgress, ...]:
        """Give all files as they are now."""
        with self._lock:
            return tuple(self._files.values())

    def done(self) -> int:
        """Give the bytes that have arrived of all files together."""
        with self._lock:
            return sum(file.done for file in self._files.values())

    def _set(self, path: str, done: int | None, state: FileState) -> None:
        with self._lock:
            file = self._files[path]
            size = file.size if done is None else done
            self._files[path] = replace(file, done=size, state=state)
