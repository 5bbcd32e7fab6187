"""The small objects of an import in its bucket: plan, worker note, progress, cancellation."""

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
"""Seconds without progress after which a running import is taken to have no worker process."""


@dataclass(frozen=True, slots=True)
class WorkerNote:
    """Which worker process carries an import out.

    Attributes
    ----------
    execution
        Resource name of the Cloud Run job's execution, or empty.
    host, pid
        Machine and process id of a worker process that is no execution; empty and 0 for an
        execution, and until the process has started.
    """

    started_at: datetime
    started_by: str = ""
    execution: str = ""
    host: str = ""
    pid: int = 0

    def to_json(self) -> str:
        """Return it as JSON text."""
        return json.dumps({**asdict(self), "started_at": self.started_at.isoformat()})

    @classmethod
    def from_json(cls, text: bytes) -> WorkerNote | None:
        """Return the note of a JSON text, ``None`` where the text is something else."""
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
        """Return which worker process carries the import out, and the note's generation."""
        found = self.objects.read(f"{self._folder}/worker.json")
        return (WorkerNote.from_json(found[0]), found[1]) if found else (None, NEW)

    def write_worker(self, note: WorkerNote, generation: int) -> int:
        """Write which worker process carries the import out; return the note's generation.

        Raises
        ------
        ConflictError
            Another start has written it since.
        """
        return self.objects.write(
            f"{self._folder}/worker.json", note.to_json(), generation=generation
        )

    def progress(self) -> ImportProgress | None:
        """Return the progress of all tasks together, ``None`` before the start."""
        stored = self.objects.list(f"{self._folder}/progress/")
        found = [self.objects.read(entry.name) for entry in stored]
        tasks = [ImportProgress.from_json(entry[0]) for entry in found if entry]
        return merged(tasks) if tasks else None

    def task_progress(self, task: int) -> tuple[ImportProgress | None, int]:
        """Return the progress that one task wrote last, and the generation of its object."""
        found = self.objects.read(self._progress_name(task))
        if not found:
            return None, NEW
        try:
            return ImportProgress.from_json(found[0]), found[1]
        except ValueError:
            return None, found[1]

    def write_progress(self, progress: ImportProgress, task: int, generation: int | None) -> int:
        """Write the progress of one task; return the generation of its object.

        Raises
        ------
        ConflictError
            Another worker process has the task.
        """
        return self.objects.write(
            self._progress_name(task), progress.to_json(), generation=generation
        )

    def forget_progress(self) -> None:
        """Delete the progress that tasks of an earlier start wrote."""
        for stored in self.objects.list(f"{self._folder}/progress/"):
            self.objects.delete(stored.name)

    @property
    def is_cancelled(self) -> bool:
        """Whether its cancellation was requested."""
        return self.objects.find(f"{self._folder}/cancel") is not None

    def request_cancellation(self) -> None:
        """Ask the worker process to cancel the import."""
        self.objects.write(f"{self._folder}/cancel", "", content_type="text/plain")

    def withdraw_cancellation(self) -> None:
        """Withdraw the request to cancel the import."""
        self.objects.delete(f"{self._folder}/cancel")

    def delete(self) -> None:
        """Delete the whole folder."""
        for stored in self.objects.list(f"{self._folder}/"):
            self.objects.delete(stored.name)

    def _progress_name(self, task: int) -> str:
        return f"{self._folder}/progress/{task}.json"


def is_silent(progress: ImportProgress | None, note: WorkerNote) -> bool:
    """Return whether a worker process has written no progress for :data:`STALE_AFTER` seconds."""
    last = max(progress.updated_at, note.started_at) if progress else note.started_at
    return (datetime.now(UTC) - last).total_seconds() > STALE_AFTER
