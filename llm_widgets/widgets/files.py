"""Progress of many files."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import traitlets as t

from llm_widgets.widgets._batch import Batch
from llm_widgets.widgets._component import Component

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

RowState = Literal["waiting", "active", "verifying", "stopped", "done", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file as it is shown.

    Attributes
    ----------
    name
        Path within the model, unique.
    total
        Size in bytes.
    bytes
        Bytes that have arrived.
    state
        Where it stands.
    error
        Why it failed.
    """

    name: str
    total: int = 0
    bytes: int = 0
    state: RowState = "waiting"
    error: str = ""


class FileProgress(Component, module="files"):
    """A list of files with a bar each: one model, however many files, changed rows only.

    `update` and `show` may be called from any thread as often as needed; the page is told at
    most four times a second.

    Parameters
    ----------
    label
        Name of the list, for screen readers.
    """

    label = t.Unicode("Files").tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self._lock = threading.Lock()
        self._files: dict[str, FileRow] = {}
        self._changed: dict[str, None] = {}  # in the order in which they are to be shown
        self._reset = False
        self._batch = Batch(self._send_changes, every=0.25)
        super().__init__(**traits)

    @property
    def files(self) -> Mapping[str, FileRow]:
        """The files by their names. A copy."""
        with self._lock:
            return dict(self._files)

    def show(self, files: Iterable[FileRow]) -> None:
        """Replace the whole list."""
        with self._lock:
            self._files = {file.name: file for file in files}
            self._reset = True
        self._batch.now()

    def update(self, files: Iterable[FileRow]) -> None:
        """Change or add files; those that have not changed cost nothing."""
        with self._lock:
            changed = {file.name: file for file in files if self._files.get(file.name) != file}
            self._files.update(changed)
            self._changed.update(dict.fromkeys(changed))
        if changed:
            self._batch.touch()

    def _send_changes(self) -> None:
        with self._lock:
            kind = "reset" if self._reset else "change"
            names = list(self._files if self._reset else self._changed)
            rows = [asdict(self._files[name]) for name in names]
            self._changed.clear()
            was_reset, self._reset = self._reset, False
        if rows or was_reset:
            self.send({"type": kind, "files": rows})

    def _on_ready_message(self, _content: dict[str, Any]) -> None:
        """Send a page that has just opened the whole list."""
        with self._lock:
            self._reset = True
        self._batch.now()
