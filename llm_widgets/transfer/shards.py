"""Shards: runs of parts of a large file, moved by several tasks of a job at once.

A digest needs the bytes in order. So a task fetches and stores the parts of its shard while the
shards before are still being moved by other tasks, keeps them in memory, and waits for the
checkpoint with the digest's state that the task before hands over through the bucket. A shard is
as long as a task has memory for it.

Shards are leased in order, and a task leases one only when all parts of its last one are with its
workers. So the earliest shard that is not finished waits for nobody, however few tasks run.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from llm_widgets.errors import ConflictError, TransferError
from llm_widgets.gcp.storage.objects import NEW
from llm_widgets.transfer.checkpoint import Checkpoint, TakenOverError
from llm_widgets.transfer.multipart import MultipartUpload
from llm_widgets.transfer.options import max_workers
from llm_widgets.transfer.part_transfer import PartTransfer, stored_parts, upload_gone
from llm_widgets.transfer.parts import PartLedger, part_count
from llm_widgets.transfer.retry import GaveUpError, Stopped
from llm_widgets.transfer.xml_api import UploadGoneError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llm_widgets.gcp.storage.objects import SmallObjects
    from llm_widgets.transfer.checkpoint import CheckpointObject
    from llm_widgets.transfer.connections import Connections
    from llm_widgets.transfer.part_transfer import FileContext
    from llm_widgets.transfer.share import Task

_POLL = 0.05
"""Seconds between two checks whether the task before has handed over its digest."""

_SPARE_WORKERS = 2
"""Workers that begin with the next shard while this one waits."""


class ShardedFile:
    """A file that all tasks of a job move together, shard by shard."""

    def __init__(self, context: FileContext, task: Task) -> None:
        self.context = context
        self.part_size = context.part_size
        self.part_count = part_count(context.file, self.part_size)
        self._lock = threading.Lock()
        most = max_workers(self.part_size, context.bucket.options)
        self._parts_per_shard = max(1, most - _SPARE_WORKERS)
        done = context.saved.parts if context.saved else 0
        unfinished = range(
            done // self._parts_per_shard, -(-self.part_count // self._parts_per_shard)
        )
        self._leases = Leases(context.checkpoint, task, unfinished)
        context.progress.share(context.file.path)
        if task.index == 0:  # what was there before counts once
            context.progress.add(context.file.path, done * self.part_size)

    def next_shard(self) -> ShardTransfer | None:
        """Lease the next shard that no task has; return ``None`` when there are no more."""
        number = self._leases.acquire()
        if number is None:
            return None
        first = number * self._parts_per_shard
        return ShardTransfer(
            self, range(first, min(self.part_count, first + self._parts_per_shard))
        )

    def upload(self, connections: Connections) -> MultipartUpload:
        """Return the upload that all tasks write to; start it where there is none yet."""
        context = self.context
        with self._lock:
            if not context.saved:
                upload = MultipartUpload.start(connections, context.bucket, context.name)
                context.saved = Checkpoint(upload.id, self.part_size)
                try:
                    context.checkpoint.save(context.saved)
                except TakenOverError:  # another task was faster
                    upload.abort(connections)
                    context.saved = context.checkpoint.load()
                    assert context.saved
            return MultipartUpload(context.bucket, context.name, context.saved.upload_id)

    def resume_point(self, parts: range) -> Checkpoint | None:
        """Return the checkpoint from which a shard can be hashed, if it is known already."""
        saved = self.context.saved
        return saved if saved and saved.parts in parts else None

    def discard(self, connections: Connections) -> None:
        """Abort the upload and delete the checkpoint."""
        self.upload(connections).abort(connections)
        self.context.checkpoint.delete()


class ShardTransfer(PartTransfer):
    """The transfer of one shard of a file.

    Parameters
    ----------
    parts
        Those of the shard.
    """

    can_defer = False  # another task waits for it

    def __init__(self, sharded: ShardedFile, parts: range) -> None:
        super().__init__(sharded.context)
        self._sharded = sharded
        self._parts = parts
        self._has_begun = False
        self._is_done = False
        self._lock = threading.Lock()

    def open(self, connections: Connections) -> range:
        """Find or start the upload; return the parts that are still to be moved."""
        sharded = self._sharded
        self._upload = sharded.upload(connections)
        try:
            stored = stored_parts(
                self.file, sharded.part_size, self._upload, connections, self._parts
            )
        except UploadGoneError as error:
            self.context.checkpoint.delete()
            raise upload_gone(self.file, error) from error
        start = sharded.resume_point(self._parts)
        if start:
            self._parts = range(start.parts, self._parts.stop)
        self._ledger = PartLedger(
            self.file, sharded.part_size, self._parts, stored, self.context.bucket.stop
        )
        if start:
            self._ledger.begin(start)
            self._has_begun = True
        return self._parts

    def wait_for_turn(self, part: int) -> None:
        """Wait until all parts before have been hashed, by other tasks or by this one."""
        if part == self._parts.start and not self._has_begun:
            self._wait_for_handover()
        super().wait_for_turn(part)

    def completed(self, connections: Connections) -> None:
        """Hand the digest over to the next shard; after the last one, verify the file."""
        with self._lock:
            if self._is_done:
                return
            self._is_done = True
        assert self._ledger
        reached = self._ledger.checkpoint()
        if self._parts.stop == self._sharded.part_count:
            try:
                reached = self._ledger.verified()
            except TransferError:
                self.context.progress.fail(self.file.path)
                self._sharded.discard(connections)
                raise
        self.context.checkpoint.save_handover(reached)
        if reached.verified:
            self.context.progress.finish(self.file.path)

    def _wait_for_handover(self) -> None:
        limit = self.context.bucket.options.give_up_after
        until = time.monotonic() + limit
        while not (handover := self.context.checkpoint.load_handover(self._parts.start)):
            if self.context.bucket.stop.wait(_POLL):
                raise Stopped
            if time.monotonic() > until:
                raise GaveUpError(
                    f"Gave up {self.file.path}: the task that moves the bytes before did not come "
                    f"further in {limit:.0f} s."
                )
        assert self._ledger
        self._ledger.begin(handover)
        self._has_begun = True


class Leases:
    """Which task has which shard of a file: the first one that creates the lease's object.

    A lease holds for the whole run of a job. It is neither renewed nor passed on: a task that is
    restarted gets its own leases back.

    Parameters
    ----------
    shards
        Numbers of those that were not finished when this task began.
    """

    def __init__(self, checkpoint: CheckpointObject, task: Task, shards: range) -> None:
        self._objects: SmallObjects = checkpoint.objects
        self._folder = f"{checkpoint.folder}/{task.run}"
        self._holder = str(task.index).encode()
        self._shards = shards
        self._held: set[int] = set()
        self._recovers = task.attempt > 0

    def acquire(self) -> int | None:
        """Return the number of the first shard that no task has, ``None`` when there is none."""
        names = (stored.name for stored in self._objects.list(f"{self._folder}/"))
        numbers = (name.rpartition("/")[2] for name in names)
        leased = {int(number) for number in numbers if number.isascii() and number.isdigit()}
        if self._recovers:  # those that this task had before it was restarted
            for number in sorted(leased.intersection(self._shards) - self._held):
                if self._is_mine(number):
                    self._held.add(number)
                    return number
            self._recovers = False
        for number in self._shards:
            if number not in leased and self._create(number):
                self._held.add(number)
                return number
        return None

    def _create(self, number: int) -> bool:
        try:
            self._objects.write(self._name(number), self._holder, generation=NEW)
        except ConflictError:  # another task's; or ours, if no answer came to the first try
            return number not in self._held and self._is_mine(number)
        return True

    def _is_mine(self, number: int) -> bool:
        found = self._objects.read(self._name(number))
        return found is not None and found[0] == self._holder

    def _name(self, number: int) -> str:
        return f"{self._folder}/{number:06d}"


def leased_shards(files: Iterable[ShardedFile], first: int) -> Iterator[ShardTransfer]:
    """Lease shards of one file after the other, in turns, until there are no more.

    Parameters
    ----------
    first
        Index of the file to begin with: tasks that begin with different ones wait less.
    """
    waiting = deque(files)
    waiting.rotate(-first)
    while waiting:
        file = waiting.popleft()
        shard = file.next_shard()
        if shard:
            waiting.append(file)
            yield shard
