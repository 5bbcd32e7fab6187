"""The transfer of a plan's files from their hub into a bucket: resumable and verified."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.errors import ManagerError
from llm_widgets.transfer.checkpoint import (
    CheckpointObject,
    TakenOverError,
    checkpoint_name,
    latest_handovers,
)
from llm_widgets.transfer.connections import Connections
from llm_widgets.transfer.file_transfer import FileTransfer
from llm_widgets.transfer.options import Options, max_workers
from llm_widgets.transfer.part_queue import PartQueue
from llm_widgets.transfer.part_transfer import FileContext
from llm_widgets.transfer.parts import part_count
from llm_widgets.transfer.progress import Progress
from llm_widgets.transfer.publish import MissingPartsError, Publisher, is_held
from llm_widgets.transfer.range_reader import RangeReader
from llm_widgets.transfer.retry import RateLimit, Stopped
from llm_widgets.transfer.shards import leased_shards
from llm_widgets.transfer.share import Task, sharded_files, task_files
from llm_widgets.transfer.slow_servers import ServerRates
from llm_widgets.transfer.workers import WorkerCount, WorkerPool
from llm_widgets.transfer.xml_api import ENDPOINT, Authorizer, Bucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.imports import HubFile, ImportPlan
    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.storage.objects import SmallObjects

_ROUNDS = 3
"""Attempts at an import whose stored parts vanish from the bucket before they are published."""

_AT_ONCE = 8

_log = logging.getLogger(__name__)


class Transfer:
    """Moves the files of one import, or one task's share of them.

    Parameters
    ----------
    clients
        How to reach the bucket.
    token
        The hub's token, or empty. It goes to the hub and to nobody else.
    task
        Which task of a job this is: it moves its share of the import.

    Attributes
    ----------
    token
        May be set until :meth:`run` is called.
    """

    def __init__(
        self,
        plan: ImportPlan,
        clients: Clients,
        objects: SmallObjects,
        *,
        token: str = "",
        options: Options | None = None,
        task: Task | None = None,
    ) -> None:
        self._plan = plan
        self._objects = objects
        self._options = options or Options()
        self._stop = threading.Event()
        self._error: Exception | None = None
        self._lock = threading.Lock()
        self.token = token
        self._remote = [file for file in plan.files if not is_held(file)]
        self._task = task or Task()
        self._sharded = sharded_files(self._remote, self._task.count, self._options.shard_from)
        others = [file for file in self._remote if file not in self._sharded]
        self._own = task_files(others, self._task)
        self._rates, self._rate_limit = ServerRates(), RateLimit(self._stop)
        self.progress = Progress(plan.files)
        self._bucket = Bucket(
            plan.bucket,
            clients.settings.google_endpoint or ENDPOINT,
            Authorizer(clients.credentials),
            self._options,
            self._stop,
            self.progress.retry,
        )
        self._publisher = Publisher(plan, objects, self._bucket, self._options)

    def pause(self, seconds: float) -> None:
        """Wait before the transfer begins.

        Raises
        ------
        Stopped
            :meth:`stop` was called.
        """
        if self._stop.wait(seconds):
            raise Stopped

    def stop(self) -> None:
        """Make :meth:`run` return soon; the import can be resumed later."""
        self._stop.set()

    def run(self, publishing: Callable[[], None] = lambda: None) -> ModelManifest | None:
        """Move this task's files; publish the model when all files of all tasks are there.

        Parameters
        ----------
        publishing
            Called when all bytes are there and verified.

        Returns
        -------
        ModelManifest or None
            ``None`` while other tasks are still at work.

        Raises
        ------
        ManagerError
            What failed; :class:`TakenOverError` when another worker process carries it out.
        Stopped
            :meth:`stop` was called.
        """
        manifest = self._publisher.published()
        own, sharded = self._own, self._sharded
        for _ in range(_ROUNDS):
            if manifest:
                break
            transfers = self._open(own)
            self._move([t for t in transfers if not t.is_verified])
            self._move_sharded(sharded)
            if self._task.count > 1:
                transfers = self._open(self._remote)  # also what other tasks have moved
            try:
                manifest = self._publish(transfers, publishing)
            except MissingPartsError as error:
                _log.warning("The parts of %s are gone from the bucket; it is moved again", error)
                self._discard([error.file])
                own, sharded = self._remote, []  # whichever task it belonged to
            else:
                break
        if manifest:
            for file in self._plan.files:
                self.progress.finish(file.path)
        return manifest

    def discard(self) -> None:
        """Remove all that is not published: unfinished uploads and checkpoints."""
        # With a stop of its own: workers that still hang in a stalled connection stay stopped.
        self._bucket = replace(self._bucket, stop=threading.Event())
        self._discard(self._remote)

    def forget(self) -> None:
        """Delete the checkpoints of an import that is published."""
        self._objects.delete_all(f"{self._plan.folder}/files/")

    def _open(self, files: list[HubFile]) -> list[FileTransfer]:
        """Load the checkpoints of files."""
        stored = self._objects.list(f"{self._plan.folder}/files/") if files else []
        known = {each.name for each in stored}
        latest = latest_handovers(known)

        def load(file: HubFile) -> FileTransfer:
            name = checkpoint_name(self._plan.folder, file)
            checkpoint = CheckpointObject(self._objects, name)
            saved = checkpoint.load(latest.get(name, "")) if name in known else None
            context = FileContext(
                file,
                self._plan.object_name(file),
                reader=RangeReader(
                    file,
                    token=self.token,
                    rates=self._rates,
                    rate_limit=self._rate_limit,
                    options=self._options,
                    stop=self._stop,
                    tell=self.progress.retry,
                ),
                bucket=self._bucket,
                checkpoint=checkpoint,
                saved=saved if saved and saved.fits(file.size) else None,
                progress=self.progress,
            )
            return FileTransfer(context)

        with ThreadPoolExecutor(_AT_ONCE, "checkpoint") as pool:
            return list(pool.map(load, files))

    def _move(self, transfers: list[FileTransfer]) -> None:
        """Move files that are this task's alone."""
        if not transfers:
            return
        options = self._options
        most = max_workers(max(min(t.context.part_size, t.file.size) for t in transfers), options)
        parts = sum(part_count(t.file, t.context.part_size) for t in transfers)
        queue = PartQueue(transfers, options.open_files, self._stop)
        finished = threading.Event()
        saver = threading.Thread(target=self._save_often, args=(transfers, finished), name="saver")
        saver.start()
        try:
            self._run_pool(queue, WorkerCount(options.min_workers, min(most, parts)))
        finally:
            finished.set()
            saver.join()
        self._raise()

    def _move_sharded(self, files: list[HubFile]) -> None:
        """Move shards of files that other tasks move too."""
        sharded = [t.sharded(self._task) for t in self._open(files) if not t.is_verified]
        if not sharded:
            return
        # Workers that wait for other tasks say nothing about the network: all run all the time.
        count = max_workers(max(file.part_size for file in sharded), self._options)
        queue = PartQueue(leased_shards(sharded, self._task.index), 1, self._stop)
        self._run_pool(queue, WorkerCount(count, count))
        self._raise()

    def _run_pool(self, queue: PartQueue, count: WorkerCount) -> None:
        WorkerPool(queue, count, self._options, self._stop, self._fail).run(self.progress.done)

    def _raise(self) -> None:
        if self._error:
            raise self._error
        if self._stop.is_set():
            raise Stopped

    def _save_often(self, transfers: list[FileTransfer], finished: threading.Event) -> None:
        done = False
        while not done:
            done = finished.wait(self._options.save_every)
            for transfer in transfers:
                try:
                    transfer.save(is_last=done)
                except TakenOverError as error:
                    self._fail(error)
                    return
                except ManagerError as error:
                    # The parts fail too when this lasts, and say why.
                    name = transfer.context.name
                    _log.warning("The checkpoint of %s could not be saved: %s", name, error)

    def _publish(
        self, transfers: list[FileTransfer], publishing: Callable[[], None]
    ) -> ModelManifest | None:
        if not all(transfer.is_verified for transfer in transfers):
            return None
        publishing()
        saved = {t.file.path: t.context.saved for t in transfers if t.context.saved}
        return self._publisher.publish(saved)

    def _discard(self, files: list[HubFile]) -> None:
        connections = Connections(self._options)
        for transfer in self._open(files):
            transfer.discard(connections)
        connections.close()

    def _fail(self, error: Exception) -> None:
        with self._lock:
            if self._error is None and not self._stop.is_set():
                self._error = error
        self._stop.set()
