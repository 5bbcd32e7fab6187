"""A large file moved by several tasks at once: each takes the next stretch of parts.

A digest needs the bytes in order. So a task fetches and stores the parts of its stretch while
those before are still on their way elsewhere, keeps them in memory, and waits for the digest that
the task before leaves in the bucket. A stretch is as long as a task has memory for it.

Stretches are taken in order, and a task takes one only when all parts of its last one are with
its lanes. So the earliest stretch that is not finished waits for nobody, however few tasks run.
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
from llm_widgets.transfer.options import most_lanes
from llm_widgets.transfer.part_transfer import Mover, stored_parts, upload_gone
from llm_widgets.transfer.parts import PartLedger, part_count
from llm_widgets.transfer.retry import GaveUpError, Stopped
from llm_widgets.transfer.xml_api import UploadGoneError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llm_widgets.gcp.storage.objects import SmallObjects
    from llm_widgets.transfer.checkpoint import CheckpointObject
    from llm_widgets.transfer.connections import Connections
    from llm_widgets.transfer.file_context import FileWay
    from llm_widgets.transfer.share import Task

_POLL = 0.05
"""Seconds between two looks whether the task before has left its digest."""

_SPARE_LANES = 2
"""Lanes that begin with the next stretch while this one waits."""


class SharedFile:
    """A file that all tasks of a job move."""

    def __init__(self, way: FileWay, task: Task) -> None:
        self.way = way
        self.part_size = way.part_size
        self.count = part_count(way.file, self.part_size)
        self._lock = threading.Lock()
        self._stretch = max(1, most_lanes(self.part_size, way.bucket.options) - _SPARE_LANES)
        done = way.saved.parts if way.saved else 0
        stretches = range(done // self._stretch, -(-self.count // self._stretch))
        self._claims = Claims(way.checkpoint, task, stretches)
        way.progress.share(way.file.path)
        if task.index == 0:  # what was there before counts once
            way.progress.add(way.file.path, done * self.part_size)

    def next_stretch(self) -> StretchTransfer | None:
        """Take the next stretch that no task has; ``None`` when there are no more."""
        number = self._claims.next()
        if number is None:
            return None
        first = number * self._stretch
        return StretchTransfer(self, range(first, min(self.count, first + self._stretch)))

    def upload(self, connections: Connections) -> MultipartUpload:
        """Find the upload that all tasks write to, or start it."""
        way = self.way
        with self._lock:
            if not way.saved:
                upload = MultipartUpload.start(connections, way.bucket, way.name)
                way.saved = Checkpoint(upload.id, self.part_size)
                try:
                    way.checkpoint.save(way.saved)
                except TakenOverError:  # another task was faster
                    upload.abort(connections)
                    way.saved = way.checkpoint.load()
                    assert way.saved
            return MultipartUpload(way.bucket, way.name, way.saved.upload_id)

    def start_in(self, parts: range) -> Checkpoint | None:
        """Give from where a stretch can be hashed, if that is known already."""
        saved = self.way.saved
        return saved if saved and saved.parts in parts else None

    def discard(self, connections: Connections) -> None:
        """Throw away what was uploaded and how far it was."""
        self.upload(connections).abort(connections)
        self.way.checkpoint.delete()


class StretchTransfer(Mover):
    """One stretch of a shared file."""

    has_time = False  # another task waits for it

    def __init__(self, shared: SharedFile, parts: range) -> None:
        super().__init__(shared.way)
        self._shared = shared
        self._parts = parts
        self._has_begun = False
        self._is_done = False
        self._lock = threading.Lock()

    def open(self, connections: Connections) -> range:
        """Find or start the upload; give the parts that are still to be moved."""
        shared = self._shared
        self._upload = shared.upload(connections)
        try:
            stored = stored_parts(
                self.file, shared.part_size, self._upload, connections, self._parts
            )
        except UploadGoneError as error:
            self.way.checkpoint.delete()
            raise upload_gone(self.file, error) from error
        start = shared.start_in(self._parts)
        if start:
            self._parts = range(start.parts, self._parts.stop)
        self._ledger = PartLedger(
            self.file, shared.part_size, self._parts, stored, self.way.bucket.stop
        )
        if start:
            self._ledger.begin(start)
            self._has_begun = True
        return self._parts

    def wait_for_turn(self, part: int) -> None:
        """Wait until all parts before have been hashed, by other tasks or by this one."""
        if part == self._parts.start and not self._has_begun:
            self._take_over()
        super().wait_for_turn(part)

    def completed(self, connections: Connections) -> None:
        """Leave the digest for the next stretch; after the last one, verify the file."""
        with self._lock:
            if self._is_done:
                return
            self._is_done = True
        assert self._ledger
        reached = self._ledger.checkpoint()
        if self._parts.stop == self._shared.count:
            try:
                reached = self._ledger.verified()
            except TransferError:
                self.way.progress.fail(self.file.path)
                self._shared.discard(connections)
                raise
        self.way.checkpoint.leave(reached)
        if reached.verified:
            self.way.progress.finish(self.file.path)

    def _take_over(self) -> None:
        patience = self.way.bucket.options.patience
        until = time.monotonic() + patience
        while not (left := self.way.checkpoint.left(self._parts.start)):
            if self.way.bucket.stop.wait(_POLL):
                raise Stopped
            if time.monotonic() > until:
                raise GaveUpError(
                    f"Gave up {self.file.path}: the task that moves the bytes before did not come "
                    f"further in {patience:.0f} s."
                )
        assert self._ledger
        self._ledger.begin(left)
        self._has_begun = True


class Claims:
    """Which task has which stretch of a file: the first to write it down.

    Parameters
    ----------
    stretches
        Numbers of those that were not finished when this task began.
    """

    def __init__(self, checkpoint: CheckpointObject, task: Task, stretches: range) -> None:
        self._objects: SmallObjects = checkpoint.objects
        self._folder = f"{checkpoint.folder}/{task.run}"
        self._me = str(task.index).encode()
        self._stretches = stretches
        self._mine: set[int] = set()
        self._looks_back = task.attempt > 0

    def next(self) -> int | None:
        """Take the first stretch that nobody has; ``None`` when there is none."""
        names = (stored.name for stored in self._objects.list(f"{self._folder}/"))
        taken = {int(name.rpartition("/")[2]) for name in names}
        if self._looks_back:  # for those that this task had before it was started again
            for number in sorted(taken.intersection(self._stretches) - self._mine):
                if self._is_mine(number):
                    self._mine.add(number)
                    return number
            self._looks_back = False
        for number in self._stretches:
            if number not in taken and self._claim(number):
                self._mine.add(number)
                return number
        return None

    def _claim(self, number: int) -> bool:
        try:
            self._objects.write(self._name(number), self._me, generation=NEW)
        except ConflictError:  # another task's; or ours, if no answer came to the first try
            return number not in self._mine and self._is_mine(number)
        return True

    def _is_mine(self, number: int) -> bool:
        found = self._objects.read(self._name(number))
        return found is not None and found[0] == self._me

    def _name(self, number: int) -> str:
        return f"{self._folder}/{number:06d}"


def stretches(files: Iterable[SharedFile], first: int) -> Iterator[StretchTransfer]:
    """Take stretches of one file after the other, in turns, until there are no more.

    Parameters
    ----------
    first
        Number of the file to begin with: tasks that begin with different ones wait less.
    """
    waiting = deque(files)
    waiting.rotate(-first)
    while waiting:
        file = waiting.popleft()
        stretch = file.next_stretch()
        if stretch:
            waiting.append(file)
            yield stretch
