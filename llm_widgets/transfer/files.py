"""One file from its hub into an unfinished object: opened, moved part by part, verified."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from llm_widgets.errors import TransferError
from llm_widgets.transfer.checkpoint import Checkpoint
from llm_widgets.transfer.moving import Mover, stored_parts
from llm_widgets.transfer.multipart import MultipartUpload
from llm_widgets.transfer.options import part_size_for
from llm_widgets.transfer.parts import PartLedger, part_count, start_of
from llm_widgets.transfer.stretches import SharedFile
from llm_widgets.transfer.xml_api import UploadGoneError

if TYPE_CHECKING:
    from llm_widgets.domain.imports import HubFile
    from llm_widgets.transfer.checkpoint import CheckpointObject
    from llm_widgets.transfer.http import Connections
    from llm_widgets.transfer.progress import Progress
    from llm_widgets.transfer.share import Task
    from llm_widgets.transfer.source import Source
    from llm_widgets.transfer.xml_api import Bucket


class FileTransfer(Mover):
    """One file of an import, moved by one task.

    Parameters
    ----------
    name
        Name of the object that it becomes.
    saved
        How far it is, where something of it was found.
    """

    def __init__(
        self,
        file: HubFile,
        name: str,
        *,
        source: Source,
        bucket: Bucket,
        checkpoint: CheckpointObject,
        saved: Checkpoint | None,
        progress: Progress,
    ) -> None:
        super().__init__(file, source, progress)
        self.name = name
        self.saved = saved
        self._bucket = bucket
        self._checkpoint = checkpoint
        self._lock = threading.Lock()
        self._saved_at = 0.0
        if saved and saved.verified:
            progress.finish(file.path)

    @property
    def is_verified(self) -> bool:
        """Whether all its bytes are stored and are those that the hub promised."""
        return bool(self.saved and self.saved.verified)

    @property
    def part_size(self) -> int:
        """Bytes of its parts: those of the upload that is gone on with, or of a new one."""
        if self.saved:
            return self.saved.part_size
        return part_size_for(self.file.size, self._bucket.options)

    def shared(self, task: Task) -> SharedFile:
        """Give the same file as one that all tasks of a job move."""
        return SharedFile(
            self.file,
            self.name,
            source=self._source,
            bucket=self._bucket,
            checkpoint=self._checkpoint,
            saved=self.saved,
            progress=self._progress,
            task=task,
        )

    def open(self, connections: Connections) -> range:
        """Find or start the upload; give the parts that are still to be moved."""
        stored: set[int] = set()
        if self.saved:
            self._upload = MultipartUpload(self._bucket, self.name, self.saved.upload_id)
            try:
                size = self.part_size
                parts = range(part_count(self.file, size))
                stored = stored_parts(self.file, size, self._upload, connections, parts)
            except UploadGoneError:
                self.saved = None
        if not self.saved:
            part_size = self.part_size
            self._upload = MultipartUpload.start(connections, self._bucket, self.name)
            self.saved = Checkpoint(self._upload.id, part_size)
        # Written also when nothing is new: a worker that was here before can't go on unnoticed.
        self._checkpoint.take(self.saved)
        self._saved_at = time.monotonic()
        start, size = start_of(self.file, self.saved, stored), self.part_size
        parts = range(start.parts, part_count(self.file, size))
        ledger = PartLedger(self.file, size, parts, stored, self._bucket.stop)
        ledger.begin(start)
        self._ledger = ledger
        self._progress.start(self.file.path, min(self.file.size, start.parts * size))
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
            if age < self._bucket.options.save_every and not is_last:
                return
            now = self._ledger.checkpoint()
            if now != self.saved:
                self._checkpoint.save(now)
                self.saved, self._saved_at = now, time.monotonic()

    def discard(self, connections: Connections) -> None:
        """Throw away what was uploaded and how far it was."""
        with self._lock:
            if self.saved:
                MultipartUpload(self._bucket, self.name, self.saved.upload_id).abort(connections)
            self._checkpoint.delete()
            self.saved = None

    def completed(self, connections: Connections) -> None:
        """Verify the file; one that is not what the hub promised is thrown away."""
        with self._lock:
            if self.is_verified:
                return
            assert self._ledger
            try:
                verified = self._ledger.verified()
            except TransferError:
                self._progress.fail(self.file.path)
                wrong = True
            else:
                wrong = False
                self._checkpoint.save(verified)
                self.saved = verified
        if wrong:
            self.discard(connections)
            self._ledger.verified()  # raises again, now that nothing of it is left
        self._progress.finish(self.file.path)
