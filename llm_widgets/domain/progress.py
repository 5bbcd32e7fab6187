"""How far an import is, as it stands in the bucket."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class FileState(StrEnum):
    """How far one file is."""

    WAITING = "waiting"
    ACTIVE = "active"
    DONE = "done"
    FAILED = "failed"


class ImportState(StrEnum):
    """How far an import is."""

    STARTING = "starting"
    RUNNING = "running"
    VERIFYING = "verifying"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens by itself."""
        return self in (ImportState.DONE, ImportState.FAILED, ImportState.CANCELLED)


@dataclass(frozen=True, slots=True)
class FileProgress:
    """How far one file is; ``done`` and ``size`` in bytes.

    Attributes
    ----------
    is_shared
        Whether several tasks move it: ``done`` is what one of them has moved.
    part
        What it is, where its path does not tell.
    """

    path: str
    size: int
    done: int = 0
    state: FileState = FileState.WAITING
    is_shared: bool = False
    part: str = ""


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import is, as whoever asks the bucket sees it.

    Attributes
    ----------
    updated_at
        When a worker last wrote; a running import that is silent for long has no worker.
    message
        One sentence: the phase, what fails and is tried again, or why it failed.
    cause, fix
        For a failed import: see :class:`llm_widgets.errors.ManagerError`.
    """

    import_id: str
    state: ImportState
    files: tuple[FileProgress, ...]
    started_at: datetime
    updated_at: datetime
    message: str = ""
    cause: str = ""
    fix: str = ""

    @property
    def trouble(self) -> str:
        """What it waits for, or what fails and is tried again, while it goes on; else empty."""
        return self.message if self.state is ImportState.RUNNING else ""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def done(self) -> int:
        """Bytes that have arrived."""
        return sum(file.done for file in self.files)

    def to_json(self) -> str:
        """Write the progress as JSON text."""
        data = asdict(self)
        data["started_at"] = self.started_at.isoformat()
        data["updated_at"] = self.updated_at.isoformat()
        return json.dumps(data)


_FILE_STATES = (FileState.WAITING, FileState.ACTIVE, FileState.FAILED, FileState.DONE)
_STATES = (
    ImportState.STARTING,
    ImportState.RUNNING,
    ImportState.VERIFYING,
    ImportState.FAILED,
    ImportState.CANCELLED,
    ImportState.DONE,
)


def merged(told: Sequence[ImportProgress]) -> ImportProgress:
    """Return the progress of all tasks of an import: of each file, the furthest state."""
    files: dict[str, FileProgress] = {}
    for progress in told:
        for file in progress.files:
            other = files.get(file.path)
            files[file.path] = _together(other, file) if other else file
    lead = max(told, key=lambda progress: (_STATES.index(progress.state), progress.message != ""))
    return ImportProgress(
        import_id=lead.import_id,
        state=lead.state,
        files=tuple(files.values()),
        started_at=min(progress.started_at for progress in told),
        updated_at=max(progress.updated_at for progress in told),
        message=lead.message,
        cause=lead.cause,
        fix=lead.fix,
    )


def _together(one: FileProgress, other: FileProgress) -> FileProgress:
    further = max(one, other, key=_how_far)
    if one.is_shared and other.is_shared and further.state is not FileState.DONE:
        return replace(further, done=min(further.size, one.done + other.done))
    return further


def _how_far(file: FileProgress) -> tuple[int, int]:
    return _FILE_STATES.index(file.state), file.done
