"""Starts, resumes, lists and cancels imports. A second start of a running import joins it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llm_widgets.domain import folders
from llm_widgets.domain.imports import IMPORTS_PREFIX
from llm_widgets.domain.metadata import MetadataFileError
from llm_widgets.domain.models import ModelStatus
from llm_widgets.domain.progress import FileProgress, ImportProgress, ImportState
from llm_widgets.errors import ConflictError, DocumentError, Fix, ManagerError
from llm_widgets.gcp.storage.buckets import project_of
from llm_widgets.gcp.storage.metadata import read_metadata, update_metadata
from llm_widgets.gcp.storage.objects import SmallObjects
from llm_widgets.imports import launch, token
from llm_widgets.imports.store import ImportFolder, WorkerNote, is_silent
from llm_widgets.imports.worker import clean_up

if TYPE_CHECKING:
    from llm_widgets.config import Settings
    from llm_widgets.domain.imports import ImportPlan
    from llm_widgets.gcp.client.clients import Clients

_CANCELLED_WITHIN = 20.0
"""Seconds that a worker process is given to clean up after itself."""

_LOOK_EVERY = 0.5
_AT_ONCE = 16


def start_import(clients: Clients, settings: Settings, plan: ImportPlan) -> bool:
    """Start an import, resume it where it stopped, or join it where it runs.

    Returns
    -------
    bool
        Whether a worker process was started; ``False`` when one runs already.

    Raises
    ------
    ConflictError
        The same revision is being imported with another choice of files.
    ManagerError
        The bucket can't be written to, or no worker process can be started.
    """
    folder = _folder(clients, plan.bucket, plan.id)
    note, generation = folder.worker()
    if note and _is_alive(clients, folder, note):
        return False
    _refuse_other_choice(clients, plan)
    mine = WorkerNote(datetime.now(UTC), plan.created_by)
    try:
        generation = folder.write_worker(mine, generation)
    except ConflictError:
        return False  # somebody else has started it in this very moment
    folder.withdraw_cancellation()
    folder.write_plan(plan)
    _record(clients, plan, ModelStatus.IMPORTING)
    _write_first_progress(folder, plan)
    try:
        started = launch.start_worker(clients, settings, plan)
    except ManagerError as error:
        _record_failure(clients, folder, plan, error)
        raise
    known = WorkerNote(
        mine.started_at,
        mine.started_by,
        execution=str(started.get("execution", "")),
        host=str(started.get("host", "")),
        pid=int(started.get("pid", 0)),
    )
    folder.write_worker(known, generation)
    return True


def resume_import(clients: Clients, settings: Settings, bucket: str, import_id: str) -> bool:
    """Resume an import that failed, was cancelled, or lost its worker process.

    Returns
    -------
    bool
        See :func:`start_import`.

    Raises
    ------
    ManagerError
        There is no such import, or see :func:`start_import`.
    """
    folder = _folder(clients, bucket, import_id)
    plan = folder.plan(settings)
    # It is carried out in the project of its bucket, whatever it says.
    return start_import(clients, settings, replace(plan, project=project_of(clients, bucket)))


def read_progress(clients: Clients, bucket: str, import_id: str) -> ImportProgress | None:
    """Return the progress of an import, ``None`` when there is no such import.

    Raises
    ------
    ManagerError
        The bucket can't be read.
    """
    return _folder(clients, bucket, import_id).progress()


def is_running(clients: Clients, bucket: str, import_id: str) -> bool:
    """Return whether a worker process runs an import; if not, an unfinished one can be resumed.

    Raises
    ------
    ManagerError
        The bucket can't be read.
    """
    folder = _folder(clients, bucket, import_id)
    note, _ = folder.worker()
    return note is not None and _is_alive(clients, folder, note)


def list_imports(clients: Clients, bucket: str) -> list[ImportProgress]:
    """Return the progress of all imports of a bucket, the newest first.

    Raises
    ------
    ManagerError
        The bucket can't be read.
    """
    objects = SmallObjects(clients.storage(), bucket)
    names = (stored.name for stored in objects.list(f"{IMPORTS_PREFIX}/"))
    told = (
        name.removeprefix(f"{IMPORTS_PREFIX}/").partition("/")[0]
        for name in names
        if "/progress/" in name
    )
    ids = dict.fromkeys(filter(folders.is_import_id, told))
    with ThreadPoolExecutor(_AT_ONCE, "progress") as pool:
        found = list(pool.map(lambda key: ImportFolder(objects, key).progress(), ids))
    known = [progress for progress in found if progress]
    return sorted(known, key=lambda progress: progress.started_at, reverse=True)


def cancel_import(clients: Clients, bucket: str, import_id: str) -> None:
    """Cancel an import and remove what it has stored so far; none of it was visible.

    Takes as long as the worker process takes to clean up, at most about 20 seconds.

    Raises
    ------
    ManagerError
        There is no such import, or it may not be cancelled.
    """
    folder = _folder(clients, bucket, import_id)
    try:
        plan = folder.plan(clients.settings)
    except DocumentError:
        plan = None  # all the same nobody is to carry it out
    folder.request_cancellation()
    note, _ = folder.worker()
    until = time.monotonic() + _CANCELLED_WITHIN
    while note and time.monotonic() < until:
        progress = folder.progress()
        if progress and progress.state.is_final:
            break
        if not _is_alive(clients, folder, note):
            break
        time.sleep(_LOOK_EVERY)
    progress = folder.progress()
    if progress and progress.state.is_final and progress.state is not ImportState.FAILED:
        if plan:
            token.delete(clients, plan)  # with its secret, which its job can't
        return
    if note:
        launch.cancel(clients, note, bucket, import_id)
    clean_up(clients, folder, plan)  # no worker process is left to do it


def _folder(clients: Clients, bucket: str, import_id: str) -> ImportFolder:
    return ImportFolder(SmallObjects(clients.storage(), bucket), import_id)


def _is_alive(clients: Clients, folder: ImportFolder, note: WorkerNote) -> bool:
    progress = folder.progress()
    fresh = progress is not None and progress.updated_at >= note.started_at
    if progress and progress.state.is_final and fresh:
        return False
    silent = is_silent(progress, note)
    return launch.is_alive(clients, note, folder.objects.bucket, folder.import_id, silent=silent)


def _refuse_other_choice(clients: Clients, plan: ImportPlan) -> None:
    """Refuse to write other files of the same revision into the same folder at the same time."""
    try:
        file, _ = read_metadata(clients.storage(), plan.bucket)
    except MetadataFileError:
        return  # the first update repairs it
    other = file.find((plan.source, plan.model_id, plan.revision))
    if (
        other
        and other.status is ModelStatus.IMPORTING
        and other.import_id not in ("", plan.id)
        and is_running(clients, plan.bucket, other.import_id)
    ):
        raise ConflictError(
            f"{plan.model_id} is being imported with other files selected.",
            fix=Fix(text="Wait for that import to finish, or cancel it."),
        )


def _record(clients: Clients, plan: ImportPlan, status: ModelStatus, error: str = "") -> None:
    record = plan.record(status, error)
    update_metadata(clients.storage(), plan.bucket, lambda file: file.with_unfinished(record))


def _write_first_progress(folder: ImportFolder, plan: ImportPlan) -> None:
    """Write the first progress, which is shown while the worker process starts."""
    before = folder.progress()
    files = tuple(FileProgress(file.path, file.size, part=file.part) for file in plan.files)
    if before and before.size == plan.size and before.state is not ImportState.CANCELLED:
        files = before.files
    folder.forget_progress()
    now = datetime.now(UTC)
    first = ImportProgress(
        plan.id, ImportState.STARTING, files, now, now, message="The worker is starting."
    )
    folder.write_progress(first, 0, None)


def _record_failure(
    clients: Clients, folder: ImportFolder, plan: ImportPlan, error: ManagerError
) -> None:
    progress = folder.progress()
    if progress:
        fix = error.fix.text if error.fix else ""
        failed = replace(
            progress,
            state=ImportState.FAILED,
            updated_at=datetime.now(UTC),
            message=error.message,
            cause=error.cause,
            fix=fix,
        )
        folder.write_progress(failed, 0, None)
    _record(clients, plan, ModelStatus.FAILED, error.message)
