"""The small objects of an import in its bucket: plan, worker note, progress, cancellation."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import msgspec

from llm_widgets.documents import plans, progress, reading
from llm_widgets.documents.reading import Line
from llm_widgets.domain import folders
from llm_widgets.domain.imports import IMPORTS_PREFIX
from llm_widgets.domain.names import shown
from llm_widgets.domain.progress import merged
from llm_widgets.errors import DocumentError, NotFoundError
from llm_widgets.gcp.storage.objects import NEW
from llm_widgets.imports.plan import checked

if TYPE_CHECKING:
    from llm_widgets.config import Settings
    from llm_widgets.domain.imports import ImportPlan
    from llm_widgets.domain.progress import ImportProgress
    from llm_widgets.gcp.storage.objects import SmallObjects

JOB = "llm-manager-import"
"""Name of the Cloud Run job whose executions carry imports out."""

_EXECUTION = rf"projects/[a-z0-9:.-]+/locations/[a-z0-9-]+/jobs/{JOB}/executions/[a-z0-9-]+"

STALE_AFTER = 60.0
"""Seconds without progress after which a running import is taken to have no worker process."""

_MOST_TASKS = 100
"""Tasks whose progress is read; no job has more."""


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
            found = reading.read(text, _Note, name="The note of the worker")
            started_at = reading.time(found.started_at, name="The note of the worker")
        except DocumentError:
            return None
        return cls(started_at, found.started_by, found.execution, found.host, found.pid)


class _Note(msgspec.Struct, frozen=True):
    started_at: datetime
    started_by: Line = ""
    execution: Annotated[str, msgspec.Meta(pattern=rf"^(?:{_EXECUTION})?\Z")] = ""
    host: Line = ""
    pid: Annotated[int, msgspec.Meta(ge=0, lt=1 << 22)] = 0  # Linux has no larger ones


class ImportFolder:
    """The folder of an import in its bucket.

    Raises
    ------
    NotFoundError
        The id can't be one, so that there is no such folder.
    """

    def __init__(self, objects: SmallObjects, import_id: str) -> None:
        if not folders.is_import_id(import_id):
            raise _no_import(import_id, objects.bucket)
        self.objects = objects
        self.import_id = import_id
        self._folder = f"{IMPORTS_PREFIX}/{import_id}"

    def plan(self, settings: Settings, *, project: str = "") -> ImportPlan:
        """Read the plan, and check that it is one that this product would make.

        Parameters
        ----------
        project
            That of the bucket, where it is known.

        Raises
        ------
        NotFoundError
            There is no such import.
        DocumentError
            It can't be read, or is not of this bucket, this import and the hub.
        """
        return replace(checked(self.plan_as_told(), settings), project=project)

    def plan_as_told(self) -> ImportPlan:
        """Read the plan to learn of which model it is, and not to carry it out.

        Raises
        ------
        NotFoundError
            There is no such import.
        DocumentError
            It can't be read.
        """
        found = self.objects.read(f"{self._folder}/plan.json")
        if not found:
            raise _no_import(self.import_id, self.objects.bucket)
        return plans.read(found[0], bucket=self.objects.bucket, import_id=self.import_id)

    def write_plan(self, plan: ImportPlan) -> None:
        """Write the plan."""
        self.objects.write(f"{self._folder}/plan.json", plan.to_json())

    def worker(self) -> tuple[WorkerNote | None, int]:
        """Return which worker process carries the import out, and the note's generation.

        A note that can't be read, or that claims to be from the future, names none.
        """
        found = self.objects.read(f"{self._folder}/worker.json")
        if not found:
            return None, NEW
        note = WorkerNote.from_json(found[0])
        ahead = (note.started_at - datetime.now(UTC)).total_seconds() if note else 0.0
        return (None if ahead > STALE_AFTER else note), found[1]

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
        """Return the progress of all tasks together; what can't be read counts as not there."""
        stored = self.objects.list(f"{self._folder}/progress/")[:_MOST_TASKS]
        found = [self._read_progress(entry.name)[0] for entry in stored]
        tasks = [task for task in found if task]
        return merged(tasks) if tasks else None

    def task_progress(self, task: int) -> tuple[ImportProgress | None, int]:
        """Return the progress that one task wrote last, and the generation of its object."""
        return self._read_progress(self._progress_name(task))

    def _read_progress(self, name: str) -> tuple[ImportProgress | None, int]:
        found = self.objects.read(name)
        if not found:
            return None, NEW
        try:
            return progress.read(found[0], import_id=self.import_id), found[1]
        except DocumentError:
            return None, found[1]

    def write_progress(self, told: ImportProgress, task: int, generation: int | None) -> int:
        """Write the progress of one task; return the generation of its object.

        Raises
        ------
        ConflictError
            Another worker process has the task.
        """
        return self.objects.write(self._progress_name(task), told.to_json(), generation=generation)

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


def is_silent(told: ImportProgress | None, note: WorkerNote) -> bool:
    """Return whether a worker process has written no progress for ``STALE_AFTER`` seconds.

    One that claims to have written in the future has not.
    """
    times = [told.updated_at, note.started_at] if told else [note.started_at]
    ages = [abs((datetime.now(UTC) - time).total_seconds()) for time in times]
    return min(ages) > STALE_AFTER


def _no_import(import_id: str, bucket: str) -> NotFoundError:
    named = import_id if folders.is_import_id(import_id) else shown(import_id)
    return NotFoundError(f"There is no import {named} in gs://{bucket}.")
