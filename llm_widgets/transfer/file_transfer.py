"""One file from its hub into an unfinished object: opened, moved part by part, verified."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from llm_widgets.errors import TransferError
from llm_widgets.transfer.checkpoint import Checkpoint
from llm_widgets.transfer.multipart import MultipartUpload
from llm_widgets.transfer.part_transfer import Mover, stored_parts
from llm_widgets.transfer.parts import PartLedger, part_count, start_of
from llm_widgets.transfer.shards import SharedFile
from llm_widgets.transfer.xml_api import UploadGoneError

if TYPE_CHECKING:
    from llm_widgets.transfer.connections import Connections
    from llm_widgets.transfer.file_context import FileWay
    from llm_widgets.transfer.share import Task


class FileTransfer(Mover):
    """One file of an import, moved by one task."""

    def __init__(self, way: FileWay) -> None:
        super().__init__(way)
        self._lock = threading.Lock()
        self._saved_at = 0.0
        if self.is_verified:
            way.progress.finish(way.file.path)

    @property
    def is_verified(self) -> bool:
        """Whether all its bytes are stored and are those that the hub promised."""
        return bool(self.way.saved and self.way.saved.verified)

    def shared(self, task: Task) -> SharedFile:
        """Give the same file as one that all tasks of a job move."""
        return SharedFile(self.way, task)

    def open(self, connections: Connections) -> range:
        """Find or start the upload; give the parts that are still to be moved."""
        way = self.way
        stored: set[int] = set()
        if way.saved:
            self._upload = MultipartUpload(way.bucket, way.name, way.saved.upload_id)
            try:
                size = way.part_size
                parts = range(part_count(self.file, size))
                stored = stored_parts(self.file, size, self._upload, connections, parts)
            except UploadGoneError:
                way.saved = None
        if not way.saved:
            part_size = way.part_size
            self._upload = MultipartUpload.start(connections, way.bucket, way.name)
            way.saved = Checkpoint(self._upload.id, part_size)
        # Written also when nothing is new: a worker that was here before can't go on unnoticed.
        way.checkpoint.take(way.saved)
        self._saved_at = time.monotonic()
        start, size = start_of(self.file, way.saved, stored), way.part_size
        parts = range(start.parts, part_count(self.file, size))
        ledger = PartLedger(self.file, size, parts, stored, way.bucket.stop)
        ledger.begin(start)
        self._ledger = ledger
        way.progress.start(self.file.path, min(self.file.size, start.parts * size))
        if not parts:  # a worker died after the last part and before it could tell
            self.completed(connections)
        return parts

    def save(self, *, is_last: bool = False) -> None:
        """Write down what could be gone on from, if that is more than at the last time.

        Parameters
        ----------
        is_last
            Write it though the last time was just before.
        """
        with self._lock:
            if not self._ledger or self.is_verified:
                return
            age = time.monotonic() - self._saved_at
            if age < self.way.bucket.options.save_every and not is_last:
                return
            now = self._ledger.checkpoint()
            if now != self.way.saved:
                self.way.checkpoint.save(now)
                self.way.saved, self._saved_at = now, time.monotonic()

    def discard(self, connections: Connections) -> None:
        """Throw away what was uploaded and how far it was."""
        way = self.way
        with self._lock:
            if way.saved:
                MultipartUpload(way.bucket, way.name, way.saved.upload_id).abort(connections)
            way.checkpoint.delete()
            way.saved = None

    def completed(self, connections: Connections) -> None:
        """Verify the file; one that is not what the hub promised is thrown away."""
        with self._lock:
            if self.is_verified:
                return
            assert self._ledger
            try:
                verified = self._ledger.verified()
            except TransferError:
                self.way.progress.fail(self.file.path)
                wrong = True
            else:
                wrong = False
                self.way.checkpoint.save(verified)
                self.way.saved = verified
        if wrong:
            self.discard(connections)
            self._ledger.verified()  # raises again, now that nothing of it is left
        self.way.progress.finish(self.file.path)
