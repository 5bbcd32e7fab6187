"""The transfer of one file into an unfinished object: opened, moved part by part, verified."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from llm_widgets.errors import TransferError
from llm_widgets.transfer.checkpoint import Checkpoint
from llm_widgets.transfer.multipart import MultipartUpload
from llm_widgets.transfer.part_transfer import PartTransfer, stored_parts
from llm_widgets.transfer.parts import PartLedger, part_count, resume_point
from llm_widgets.transfer.shards import ShardedFile
from llm_widgets.transfer.xml_api import UploadGoneError

if TYPE_CHECKING:
    from llm_widgets.transfer.connections import Connections
    from llm_widgets.transfer.part_transfer import FileContext
    from llm_widgets.transfer.share import Task


class FileTransfer(PartTransfer):
    """The transfer of a file by one task."""

    def __init__(self, context: FileContext) -> None:
        super().__init__(context)
        self._lock = threading.Lock()
        self._saved_at = 0.0
        if self.is_verified:
            context.progress.finish(context.file.path)

    @property
    def is_verified(self) -> bool:
        """Whether all its bytes are stored and are those that the hub promised."""
        return bool(self.context.saved and self.context.saved.verified)

    def sharded(self, task: Task) -> ShardedFile:
        """Return the same file as one that all tasks of a job move together."""
        return ShardedFile(self.context, task)

    def open(self, connections: Connections) -> range:
        """Find or start the upload; return the parts that are still to be moved."""
        context = self.context
        stored: set[int] = set()
        if context.saved:
            self._upload = MultipartUpload(context.bucket, context.name, context.saved.upload_id)
            try:
                size = context.part_size
                parts = range(part_count(self.file, size))
                stored = stored_parts(self.file, size, self._upload, connections, parts)
            except UploadGoneError:
                context.saved = None
        if not context.saved:
            part_size = context.part_size
            self._upload = MultipartUpload.start(connections, context.bucket, context.name)
            context.saved = Checkpoint(self._upload.id, part_size)
        # Written also when nothing is new: so an earlier process that still runs notices.
        context.checkpoint.acquire(context.saved)
        self._saved_at = time.monotonic()
        start, size = resume_point(self.file, context.saved, stored), context.part_size
        parts = range(start.parts, part_count(self.file, size))
        ledger = PartLedger(self.file, size, parts, stored, context.bucket.stop)
        ledger.begin(start)
        self._ledger = ledger
        context.progress.start(self.file.path, min(self.file.size, start.parts * size))
        if not parts:  # a process died after the last part and before it could record that
            self.completed(connections)
        return parts

    def save(self, *, is_last: bool = False) -> None:
        """Write a checkpoint, if there is progress since the last one.

        Parameters
        ----------
        is_last
            Write it though the last one was just before.
        """
        with self._lock:
            if not self._ledger or self.is_verified:
                return
            age = time.monotonic() - self._saved_at
            if age < self.context.bucket.options.save_every and not is_last:
                return
            now = self._ledger.checkpoint()
            if now != self.context.saved:
                self.context.checkpoint.save(now)
                self.context.saved, self._saved_at = now, time.monotonic()

    def discard(self, connections: Connections) -> None:
        """Abort the upload and delete the checkpoint."""
        context = self.context
        with self._lock:
            if context.saved:
                upload = MultipartUpload(context.bucket, context.name, context.saved.upload_id)
                upload.abort(connections)
            context.checkpoint.delete()
            context.saved = None

    def completed(self, connections: Connections) -> None:
        """Verify the file; one that is not what the hub promised is discarded."""
        with self._lock:
            if self.is_verified:
                return
            assert self._ledger
            try:
                verified = self._ledger.verified()
            except TransferError:
                self.context.progress.fail(self.file.path)
                wrong = True
            else:
                wrong = False
                self.context.checkpoint.save(verified)
                self.context.saved = verified
        if wrong:
            self.discard(connections)
            self._ledger.verified()  # raises again, now that nothing of it is left
        self.context.progress.finish(self.file.path)
