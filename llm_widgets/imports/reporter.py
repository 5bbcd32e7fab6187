"""Writes the progress of a worker process once a second, and checks for a cancellation."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llm_widgets.domain.progress import ImportProgress, ImportState
from llm_widgets.errors import ConflictError, ManagerError

if TYPE_CHECKING:
    from llm_widgets.imports.store import ImportFolder
    from llm_widgets.transfer.transfer import Transfer

EVERY = 1.0
"""Seconds between two reports: Cloud Storage allows one write of an object a second."""

_HEARTBEAT = 10.0
"""Seconds after which progress is written though nothing has changed."""

_CANCEL_EVERY = 2
"""Reports between two checks for a cancellation."""

_log = logging.getLogger(__name__)


class Reporter:
    """Writes the progress of a transfer while it runs; stops it when the import is cancelled.

    Attributes
    ----------
    is_cancelled
        Whether the import's cancellation was requested.
    is_taken_over
        Whether another worker process has the task now.
    """

    def __init__(self, folder: ImportFolder, transfer: Transfer, task: int) -> None:
        self._folder = folder
        self._transfer = transfer
        self._task = task
        self._before, _ = folder.task_progress(task)
        # The first report takes the task from whoever has it; the later ones only go on from it.
        self._generation: int | None = None
        now = datetime.now(UTC)
        going_on = self._before is not None and not self._before.state.is_final
        self._started = self._before.started_at if self._before and going_on else now
        self._state = ImportState.RUNNING
        self._message = ""
        self._last: ImportProgress | None = None
        self._lock = threading.Lock()
        self._finished = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)
        self.is_cancelled = False
        self.is_taken_over = False

    def start(self) -> None:
        """Write the first report, then one a second.

        Raises
        ------
        ManagerError
            It can't be written.
        """
        self._write()
        self._thread.start()

    def phase(self, state: ImportState, message: str) -> None:
        """Set what the next report says that the worker process does."""
        self._state, self._message = state, message

    def finish(
        self, state: ImportState, message: str = "", *, cause: str = "", fix: str = ""
    ) -> None:
        """Write the last report, unless another worker process has the task.

        Raises
        ------
        ManagerError
            It can't be written.
        """
        self.end()
        self._state, self._message = state, message
        if self.is_taken_over:
            return
        try:
            self._write(cause=cause, fix=fix)
        except ConflictError:
            self.is_taken_over = True

    def end(self) -> None:
        """Stop writing reports."""
        self._finished.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        ticks = 0
        while not self._finished.wait(EVERY):
            ticks += 1
            try:
                self._write()
                if ticks % _CANCEL_EVERY == 0 and self._folder.is_cancelled:
                    self.is_cancelled = True
                    self._transfer.stop()
            except ConflictError:
                self.is_taken_over = True
                self._transfer.stop()
                return
            except ManagerError as error:
                _log.warning("The progress could not be written: %s", error)

    def _write(self, *, cause: str = "", fix: str = "") -> None:
        now = datetime.now(UTC)
        with self._lock:
            report = ImportProgress(
                import_id=self._folder.import_id,
                state=self._state,
                files=self._transfer.progress.snapshot(),
                started_at=self._started,
                updated_at=now,
                message=self._message or self._trouble,
                cause=cause,
                fix=fix,
            )
            if self._is_unchanged(report):
                return
            self._generation = self._put(report)
            self._last = report

    @property
    def _trouble(self) -> str:
        is_moving = self._state is ImportState.RUNNING
        return self._transfer.progress.trouble if is_moving else ""

    def _put(self, report: ImportProgress) -> int:
        try:
            return self._folder.write_progress(report, self._task, self._generation)
        except ConflictError:
            found, generation = self._folder.task_progress(self._task)
            if found == report:  # our own write, whose response was lost
                return generation
            raise

    def _is_unchanged(self, report: ImportProgress) -> bool:
        last = self._last
        if not last or (report.updated_at - last.updated_at).total_seconds() > _HEARTBEAT:
            return False
        return (report.state, report.message, report.files) == (
            last.state,
            last.message,
            last.files,
        )
