"""One file from its hub into an unfinished object: opened, moved part by part, verified."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.errors import Fix, TransferError
from llm_widgets.transfer import crc
from llm_widgets.transfer.checkpoint import Checkpoint
from llm_widgets.transfer.moving import MovingPart
from llm_widgets.transfer.multipart import MultipartUpload
from llm_widgets.transfer.options import part_size_for
from llm_widgets.transfer.parts import PartLedger
from llm_widgets.transfer.xml_api import UploadGoneError

if TYPE_CHECKING:
    from llm_widgets.domain.imports import HubFile
    from llm_widgets.transfer.checkpoint import CheckpointObject
    from llm_widgets.transfer.http import Connections
    from llm_widgets.transfer.progress import Progress
    from llm_widgets.transfer.source import Source
    from llm_widgets.transfer.xml_api import Bucket


@dataclass(frozen=True, slots=True)
class Lane:
    """What one lane works with: its connections."""

    reading: Connections
    writing: Connections


class FileTransfer:
    """One file of an import.

    Parameters
    ----------
    name
        Name of the object that it becomes.
    saved
        Its checkpoint, where one was found.
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
        self.file = file
        self.name = name
        self.saved = saved
        self._source = source
        self._bucket = bucket
        self._checkpoint = checkpoint
        self._progress = progress
        self._lock = threading.Lock()
        self._ledger: PartLedger | None = None
        self._upload: MultipartUpload | None = None
        self._may_stream = True
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

    def open(self, connections: Connections) -> range:
        """Find or start the upload; give the parts that are still to be moved."""
        stored: dict[int, int] = {}
        if self.saved:
            self._upload = MultipartUpload(self._bucket, self.name, self.saved.upload_id)
            try:
                stored = {part.number - 1: part.size for part in self._upload.parts(connections)}
            except UploadGoneError:
                self.saved = None
        if not self.saved:
            part_size = self.part_size
            self._upload = MultipartUpload.start(connections, self._bucket, self.name)
            self.saved = Checkpoint(self._upload.id, part_size)
        # Written also when nothing is new: a worker that was here before can't go on unnoticed.
        self._checkpoint.save(self.saved)
        self._ledger = PartLedger(self.file, self.saved, stored, self._bucket.stop)
        done = min(self.file.size, self._ledger.first * self._ledger.part_size)
        self._progress.start(self.file.path, done)
        return range(self._ledger.first, self._ledger.count)

    def move(self, lane: Lane, part: int) -> None:
        """Move one part, and verify the file when it was the last one."""
        ledger, upload = self._ledger, self._upload
        assert ledger
        assert upload
        moving = MovingPart(ledger, part)
        stream = None
        if not ledger.is_stored(part):
            if self._may_stream:
                stream = upload.stream(lane.writing, part + 1, ledger.length(part))
            else:
                moving.keep_all()

        def take(block: bytes) -> None:
            moving.take(block)
            if stream:
                stream.send(block)
            self._progress.add(self.file.path, len(block))

        self._source.read(lane.reading, part * ledger.part_size, ledger.length(part), take)
        moving.hash()
        if not ledger.is_stored(part):
            if not (stream and stream.is_stored(moving.checksum)):
                self._put(lane, moving)
            if stream and stream.lacks_checksum:
                self._may_stream = False
            ledger.stored(part)
        moving.wait_and_hash()
        if ledger.is_complete:
            self._verify(lane.writing)

    def save(self) -> None:
        """Write down what could be gone on from, if that is more than at the last time."""
        with self._lock:
            if not self._ledger or self.is_verified:
                return
            now = self._ledger.checkpoint()
            if now != self.saved:
                self._checkpoint.save(now)
                self.saved = now

    def discard(self, connections: Connections) -> None:
        """Throw away what was uploaded and how far it was."""
        with self._lock:
            if self.saved:
                MultipartUpload(self._bucket, self.name, self.saved.upload_id).abort(connections)
            self._checkpoint.delete()
            self.saved = None

    def forget(self) -> None:
        """Remove the checkpoint of a file that was published."""
        self._checkpoint.delete()

    def _put(self, lane: Lane, moving: MovingPart) -> None:
        assert self._upload
        blocks = moving.blocks or self._read_again(lane, moving)
        try:
            self._upload.put(lane.writing, moving.part + 1, blocks, moving.checksum)
        except UploadGoneError as error:
            raise TransferError(
                f"The unfinished upload of {self.file.path} was removed from the bucket.",
                cause=str(error),
                fix=Fix(text="Resume the import: it begins this file again."),
            ) from error

    def _read_again(self, lane: Lane, moving: MovingPart) -> list[bytes]:
        """Read a part a second time that was hashed, and so no longer kept, but not stored."""
        assert self._ledger
        start, length = moving.part * self._ledger.part_size, self._ledger.length(moving.part)
        blocks: list[bytes] = []
        self._source.read(lane.reading, start, length, blocks.append)
        if crc.of_blocks(blocks) != moving.checksum:
            raise TransferError(
                f"The hub gave two different answers for the same bytes of {self.file.path}.",
                cause=f"Their CRC-32C differ, from byte {start} to {start + length}.",
                fix=Fix(text="Resume the import; if it stays so, tell the model's owner."),
            )
        return blocks

    def _verify(self, connections: Connections) -> None:
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
