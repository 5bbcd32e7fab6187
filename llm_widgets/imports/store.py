"""The small objects of an import in its bucket: plan, worker, progress, the wish to cancel."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llm_widgets.domain.imports import IMPORTS_PREFIX, ImportPlan
from llm_widgets.domain.progress import ImportProgress, merged
from llm_widgets.errors import NotFoundError
from llm_widgets.gcp.storage.objects import NEW

if TYPE_CHECKING:
    from llm_widgets.gcp.storage.objects import SmallObjects

STALE_AFTER = 60.0
"""Seconds of silence after which a running import is taken to have no worker."""


@dataclass(frozen=True, slots=True)
class WorkerNote:
    """Who carries an import out.

    Attributes
    ----------
    execution
        Resource name of the Cloud Run job's execution, or empty.
    host, pid
        Machine and process id of a local worker; empty and 0 for an execution, and until the
        worker is there.
    """

    started_at: datetime
    started_by: str = ""
    execution: str = ""
    host: str = ""
    pid: int = 0

    def to_json(self) -> str:
        """Write it as JSON text."""
        return json.dumps({**asdict(self), "started_at": self.started_at.isoformat()})

    @classmethod
    def from_json(cls, text: bytes) -> WorkerNote | None:
        """Read it; ``None`` for what is none."""
        try:
            data = json.loads(text)
            data["started_at"] = datetime.fromisoformat(data["started_at"])
            return cls(**data)
        except (ValueError, TypeError, KeyError):
            return None


class ImportFolder:
    """The folder of an import in its bucket."""

    def __init__(self, objects: SmallObjects, import_id: str) -> None:
        self.objects = objects
        self.import_id = import_id
        self._folder = f"{IMPORTS_PREFIX}/{import_id}"

    def plan(self) -> ImportPlan:
        """Read the plan.

        Raises
        ------
        NotFoundError
            There is no such import.
        """
        found = self.objects.read(f"{self._folder}/plan.json")
        if not found:
            raise NotFoundError(
                f"There is no import {self.import_id} in gs://{self.objects.bucket}."
            )
        return ImportPlan.from_json(found[0])

    def write_plan(self, plan: ImportPlan) -> None:
        """Write the plan."""
        self.objects.write(f"{self._folder}/plan.json", plan.to_json())

    def worker(self) -> tuple[WorkerNote | None, int]:
        """Read who carries the import out, and the generation of that note."""
        found = self.objects.read(f"{self._folder}/worker.json")
        return (WorkerNote.from_json(found[0]), found[1]) if found else (None, NEW)

    def write_worker(self, note: WorkerNote, generation: int) -> int:
        """Write who carries the import out; give the generation of the note.

        Raises
        ------
        ConflictError
            Somebody else has written it since.
        """
        return self.objects.write(
            f"{self._folder}/worker.json", note.to_json(), generation=generation
        )

    def progress(self) -> ImportProgress | None:
        """Read how far all tasks together are; ``None`` before the start."""
        stored = self.objects.list(f"{self._folder}/progress/")
        found = [self.objects.read(entry.name) for entry in stored]
        told = [ImportProgress.from_json(entry[0]) for entry in found if entry]
        return merged(told) if told else None

    def task_progress(self, task: int) -> tuple[ImportProgress | None, int]:
        """Read what one task wrote last, and the generation of that."""
        found = self.objects.read(self._progress_name(task))
        if not found:
            return None, NEW
        try:
            return ImportProgress.from_json(found[0]), found[1]
        except ValueError:
            return None, found[1]

    def write_progress(self, progress: ImportProgress, task: int, generation: int | None) -> int:
        """Write how far one task is; give the generation of that.

        Raises
        ------
        ConflictError
            Another worker has the task.
        """
        return self.objects.write(
            self._progress_name(task), progress.to_json(), generation=generation
        )

    def forget_progress(self) -> None:
        """Remove what tasks of an earlier start wrote."""
        for stored in self.objects.list(f"{self._folder}/progress/"):
            self.objects.delete(stored.name)

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody wants the import to end."""
        return self.objects.find(f"{self._folder}/cancel") is not None

    def cancel(self) -> None:
        """Ask for the import to end."""
        self.objects.write(f"{self._folder}/cancel", "", content_type="text/plain")

    def uncancel(self) -> None:
        """Take the wish back."""
        self.objects.delete(f"{self._folder}/cancel")

    def delete(self) -> None:
        """Remove the whole folder."""
        for stored in self.objects.list(f"{self._folder}/"):
            self.objects.delete(stored.name)

    def _progress_name(self, task: int) -> str:
        return f"{self._folder}/progress/{task}.json"


def is_silent(progress: ImportProgress | None, note: WorkerNote) -> bool:
    """Tell whether nothing was heard of a worker for long."""
    last = max(progress.updated_at, note.started_at) if progress else note.started_at
    return (datetime.now(UTC) - last).total_seconds() > STALE_AFTER
