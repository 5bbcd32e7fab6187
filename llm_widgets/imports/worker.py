"""The worker process: carries one import out and writes the result into its bucket."""

from __future__ import annotations

import logging
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llm_widgets.config import Settings
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.progress import FileProgress, ImportProgress, ImportState
from llm_widgets.errors import DocumentError, Fix, ManagerError, NotFoundError, UnavailableError
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.iam import propagation
from llm_widgets.gcp.storage.metadata import update_metadata
from llm_widgets.gcp.storage.objects import SmallObjects
from llm_widgets.imports import token
from llm_widgets.imports.reporter import Reporter
from llm_widgets.imports.store import ImportFolder
from llm_widgets.transfer.checkpoint import TakenOverError
from llm_widgets.transfer.retry import GaveUpError, Stopped
from llm_widgets.transfer.share import Task
from llm_widgets.transfer.transfer import Transfer

if TYPE_CHECKING:
    from llm_widgets.domain.imports import ImportPlan
    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.transfer.options import Options

CANCELLED = "The import was cancelled."
WAITING = "Waiting for access to the token: the grant takes effect within minutes."

_log = logging.getLogger(__name__)


def worker_main(bucket: str, import_id: str, *, project: str = "") -> int:
    """Carry out an import as the only work of this process; return the exit code.

    Parameters
    ----------
    project
        Where the hub's token is kept, for an import that has one.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    clients = Clients(Settings.from_environment())
    task = Task.from_environment()
    try:
        state = run_import(clients, bucket, import_id, project=project, task=task)
    except (DocumentError, NotFoundError) as error:
        _log.error("%s", error)
        return 1
    return 0 if state in (ImportState.DONE, ImportState.VERIFYING, ImportState.CANCELLED) else 1


def run_import(
    clients: Clients,
    bucket: str,
    import_id: str,
    *,
    project: str = "",
    task: Task | None = None,
    options: Options | None = None,
) -> ImportState:
    """Carry out an import, or one task's share of it.

    Parameters
    ----------
    project
        Where the hub's token is kept, for an import that has one.

    Returns
    -------
    ImportState
        ``DONE``; ``VERIFYING`` while other tasks still run; ``CANCELLED``; ``FAILED`` with the
        reason in the bucket; ``RUNNING`` when the next attempt can resume it.

    Raises
    ------
    ManagerError
        The bucket can't be read or written at all, so that the result could not be written; or
        the plan is not one that this product makes.
    """
    task = task or Task()
    objects = SmallObjects(clients.storage(), bucket)
    folder = ImportFolder(objects, import_id)
    # A person's rights are there or not; those of a job were granted moments before it began.
    patience = propagation.LONGEST if task.is_of_a_job and not task.attempt else 0.0
    plan = propagation.until_effective(
        lambda: folder.plan(clients.settings, project=project), longest=patience
    )
    before, _ = folder.task_progress(task.index)
    if task.attempt and before and before.state is ImportState.FAILED:
        return ImportState.FAILED  # for a reason that the next attempt would not change
    transfer = Transfer(plan, clients, objects, options=options, task=task)
    reporter = Reporter(folder, transfer, task.index)
    propagation.until_effective(reporter.start, longest=patience)
    _stop_on_signals(transfer)
    return _Work(clients, plan, folder, transfer, reporter, task, patience).run()


@dataclass(frozen=True, slots=True)
class _Work:
    clients: Clients
    plan: ImportPlan
    folder: ImportFolder
    transfer: Transfer
    reporter: Reporter
    task: Task
    patience: float

    def run(self) -> ImportState:
        _log.info("Import %s of %s begins", self.plan.id, self.plan.model_id)
        try:
            self.transfer.token = self._token()
            manifest = self.transfer.run(
                lambda: self.reporter.phase(ImportState.VERIFYING, "All files are verified.")
            )
            return self._done(manifest) if manifest else self._wait_for_others()
        except Stopped:
            return self._stopped()
        except TakenOverError:
            self.folder.plan(
                self.clients.settings
            )  # raises when the whole import is gone, with its bucket
            self.reporter.is_taken_over = True
            return self._stopped()
        except ManagerError as error:
            return self.fail(error)
        except Exception as error:  # noqa: BLE001 - the page waits for a result
            _log.exception("The import failed")
            return self.fail(
                ManagerError(
                    "Unexpected error in the import.",
                    cause=f"{type(error).__name__}: {error}",
                    fix=Fix(
                        text="Resume the import. If it fails again, report the error with the log."
                    ),
                )
            )
        finally:
            self.reporter.end()

    def _token(self) -> str:
        found = propagation.until_effective(
            lambda: token.read(self.clients, self.plan, by_job=self.task.is_of_a_job),
            tell=lambda _: self.reporter.phase(ImportState.RUNNING, WAITING),
            wait=self.transfer.pause,
            longest=self.patience,
        )
        self.reporter.phase(ImportState.RUNNING, "")
        return found

    def fail(self, error: ManagerError) -> ImportState:
        """Write why it failed, unless the next attempt may succeed."""
        if self.reporter.is_taken_over or self._is_cancelled():
            return self._stopped()
        _log.error("%s", error)
        may_pass = isinstance(error, (GaveUpError, UnavailableError))
        if may_pass and not self.task.is_last_attempt:
            self.reporter.finish(ImportState.RUNNING, f"Trying again: {error.message}")
            return ImportState.RUNNING
        fix = error.fix
        words = [fix.text, fix.command, fix.url] if fix else []
        try:
            self.reporter.finish(
                ImportState.FAILED,
                error.message,
                cause=error.cause,
                fix=" ".join(filter(None, words)),
            )
        except ManagerError as other:
            raise error from other  # the bucket can't be written: the log must do
        self._record(self.plan.record(ModelStatus.FAILED, error.message))
        return ImportState.FAILED

    def _done(self, manifest: ModelManifest) -> ImportState:
        update_metadata(
            self.clients.storage(), self.plan.bucket, lambda f: f.with_model(manifest.record())
        )
        self.transfer.forget()
        self.reporter.finish(ImportState.DONE)
        self._end_token()
        _log.info("Import %s is done", self.plan.id)
        return ImportState.DONE

    def _end_token(self) -> None:
        token.end(self.clients, self.plan, by_job=self.task.is_of_a_job)

    def _wait_for_others(self) -> ImportState:
        self.reporter.finish(ImportState.RUNNING)
        return ImportState.VERIFYING

    def _stopped(self) -> ImportState:
        if self.reporter.is_taken_over:
            _log.warning("Another worker process has taken the import over; this one ends")
            return ImportState.RUNNING
        if self._is_cancelled():
            self.transfer.discard()
            self._record(self.plan.record(ModelStatus.FAILED, CANCELLED))
            self.reporter.finish(ImportState.CANCELLED, CANCELLED)
            self._end_token()
            return ImportState.CANCELLED
        self.reporter.finish(
            ImportState.RUNNING, "The worker was stopped; the import can be resumed."
        )
        return ImportState.RUNNING

    def _is_cancelled(self) -> bool:
        if self.reporter.is_cancelled:
            return True
        with suppress(ManagerError):
            return self.folder.is_cancelled
        return False

    def _record(self, record: ModelRecord) -> None:
        with suppress(ManagerError):  # the progress says it too
            update_metadata(
                self.clients.storage(), self.plan.bucket, lambda f: f.with_unfinished(record)
            )


def clean_up(clients: Clients, folder: ImportFolder, plan: ImportPlan | None) -> None:
    """Remove what a cancelled import without a worker process has stored.

    Parameters
    ----------
    plan
        ``None`` for one that can't be read: what it has stored is thrown away by Cloud Storage.

    Raises
    ------
    ManagerError
        The bucket can't be written to.
    """
    files: tuple[FileProgress, ...] = ()
    if plan:
        transfer = Transfer(plan, clients, folder.objects)
        transfer.discard()
        files = transfer.progress.snapshot()
    now = datetime.now(UTC)
    cancelled = ImportProgress(
        folder.import_id, ImportState.CANCELLED, files, now, now, message=CANCELLED
    )
    folder.forget_progress()
    folder.write_progress(cancelled, 0, None)
    bucket = folder.objects.bucket
    if plan:
        record = plan.record(ModelStatus.FAILED, CANCELLED)
        update_metadata(clients.storage(), bucket, lambda f: f.with_unfinished(record))
        token.delete(clients, plan)
    else:
        import_id = folder.import_id
        update_metadata(clients.storage(), bucket, lambda f: f.with_failed(import_id, CANCELLED))


def _stop_on_signals(transfer: Transfer) -> None:
    """Stop the transfer when Cloud Run, or a person, sends a signal to end."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: transfer.stop())
