"""The engine: a plan's files from their hub into a bucket, verified, resumable, whole or not."""

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
    latest_names,
)
from llm_widgets.transfer.connections import Connections
from llm_widgets.transfer.file_context import FileWay
from llm_widgets.transfer.file_transfer import FileTransfer
from llm_widgets.transfer.options import Options, most_lanes
from llm_widgets.transfer.parts import part_count
from llm_widgets.transfer.progress import Progress
from llm_widgets.transfer.publish import MissingPartsError, Publisher, is_held
from llm_widgets.transfer.range_reader import Source
from llm_widgets.transfer.retry import Stopped
from llm_widgets.transfer.shards import stretches
from llm_widgets.transfer.share import Task, share_of, shared_files
from llm_widgets.transfer.signed_url import Gate
from llm_widgets.transfer.slow_servers import Edges
from llm_widgets.transfer.worker_count import LaneCount
from llm_widgets.transfer.workers import Crew, PartQueue
from llm_widgets.transfer.xml_api import ENDPOINT, Authorizer, Bucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.imports import HubFile, ImportPlan
    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.storage.objects import SmallObjects

_ROUNDS = 3

_log = logging.getLogger(__name__)


class Engine:
    """Carries out one import, or one task's share of it.

    Parameters
    ----------
    clients
        How to reach the bucket.
    token
        The hub's token, or empty. It goes to the hub and to nobody else.
    task
        Which task of a job this is: it moves its share of the import.
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
        self._token = token
        self._moved = [file for file in plan.files if not is_held(file)]
        self._task = task or Task()
        self._shared = shared_files(self._moved, self._task.count, self._options.shared_from)
        alone = [file for file in self._moved if file not in self._shared]
        self._share = share_of(alone, self._task)
        self._edges, self._gate = Edges(), Gate(self._stop)
        self.progress = Progress(plan.files)
        self._bucket = Bucket(
            plan.bucket,
            clients.settings.google_endpoint or ENDPOINT,
            Authorizer(clients.credentials),
            self._options,
            self._stop,
        )
        self._publisher = Publisher(plan, objects, self._bucket, self._options)

    def stop(self) -> None:
        """Make :meth:`run` come back soon; what is stored can be gone on from."""
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
            What failed; :class:`TakenOverError` when another worker is at it.
        Stopped
            :meth:`stop` was called.
        """
        manifest = self._publisher.published()
        share, shared = self._share, self._shared
        for _ in range(_ROUNDS):
            if manifest:
                break
            transfers = self._open(share)
            self._move([t for t in transfers if not t.is_verified])
            self._move_shared(shared)
            if self._task.count > 1:
                transfers = self._open(self._moved)  # also what other tasks have moved
            try:
                manifest = self._publish(transfers, publishing)
            except MissingPartsError as error:
                _log.warning("The parts of %s are gone from the bucket; it is moved again", error)
                self._discard([error.file])
                share, shared = self._moved, []  # whichever task it belonged to
            else:
                break
        if manifest:
            for file in self._plan.files:
                self.progress.finish(file.path)
        return manifest

    def discard(self) -> None:
        """Throw away all that is not published: unfinished uploads and checkpoints."""
        # With a stop of its own: lanes that still hang in a stalled connection stay stopped.
        self._bucket = replace(self._bucket, stop=threading.Event())
        self._discard(self._moved)

    def forget(self) -> None:
        """Remove the checkpoints of an import that is published."""
        self._objects.delete_all(f"{self._plan.folder}/files/")

    def _open(self, files: list[HubFile]) -> list[FileTransfer]:
        """Look how far files are."""
        stored = self._objects.list(f"{self._plan.folder}/files/") if files else []
        known = {each.name for each in stored}
        latest = latest_names(known)

        def look(file: HubFile) -> FileTransfer:
            name = checkpoint_name(self._plan.folder, file)
            checkpoint = CheckpointObject(self._objects, name)
            way = FileWay(
                file,
                self._plan.object_name(file),
                source=Source(
                    file,
                    token=self._token,
                    edges=self._edges,
                    gate=self._gate,
                    options=self._options,
                    stop=self._stop,
                ),
                bucket=self._bucket,
                checkpoint=checkpoint,
                saved=checkpoint.load(latest.get(name, "")) if name in known else None,
                progress=self.progress,
            )
            return FileTransfer(way)

        with ThreadPoolExecutor(8, "look") as pool:
            return list(pool.map(look, files))

    def _move(self, transfers: list[FileTransfer]) -> None:
        """Move files that are this task's alone."""
        if not transfers:
            return
        options = self._options
        most = most_lanes(max(min(t.way.part_size, t.file.size) for t in transfers), options)
        parts = sum(part_count(t.file, t.way.part_size) for t in transfers)
        queue = PartQueue(transfers, options.open_files, self._stop)
        finished = threading.Event()
        saver = threading.Thread(target=self._save_often, args=(transfers, finished), name="saver")
        saver.start()
        try:
            self._work(queue, LaneCount(options.fewest_lanes, min(most, parts)))
        finally:
            finished.set()
            saver.join()
        self._raise()

    def _move_shared(self, files: list[HubFile]) -> None:
        """Move stretches of files that other tasks move too."""
        shared = [t.shared(self._task) for t in self._open(files) if not t.is_verified]
        if not shared:
            return
        # Lanes that wait for other tasks say nothing about the line: there are always all.
        lanes = most_lanes(max(file.part_size for file in shared), self._options)
        queue = PartQueue(stretches(shared, self._task.index), 1, self._stop)
        self._work(queue, LaneCount(lanes, lanes))
        self._raise()

    def _work(self, queue: PartQueue, count: LaneCount) -> None:
        Crew(queue, count, self._options, self._stop, self._fail).run(self.progress.done)

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
                    # The parts fail too when this lasts, and tell why.
                    _log.warning("How far %s is could not be saved: %s", transfer.way.name, error)

    def _publish(
        self, transfers: list[FileTransfer], publishing: Callable[[], None]
    ) -> ModelManifest | None:
        if not all(transfer.is_verified for transfer in transfers):
            return None
        publishing()
        return self._publisher.publish({t.file.path: t.way.saved for t in transfers if t.way.saved})

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
