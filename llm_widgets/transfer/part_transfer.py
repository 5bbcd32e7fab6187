"""Moves the parts of a file from a hub into an upload, checked while they are in cache."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.errors import Fix, TransferError
from llm_widgets.transfer import crc
from llm_widgets.transfer.options import part_size_for
from llm_widgets.transfer.parts import length_of
from llm_widgets.transfer.xml_api import UploadGoneError

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.imports import HubFile
    from llm_widgets.transfer.checkpoint import Checkpoint, CheckpointObject
    from llm_widgets.transfer.connections import Connections
    from llm_widgets.transfer.multipart import MultipartUpload, PartStream
    from llm_widgets.transfer.parts import PartLedger
    from llm_widgets.transfer.progress import Progress
    from llm_widgets.transfer.range_reader import RangeReader
    from llm_widgets.transfer.worker_connections import WorkerConnections
    from llm_widgets.transfer.xml_api import Bucket


@dataclass(slots=True)
class FileContext:
    """What the transfer of one file needs: its reader, its object and its checkpoint.

    Attributes
    ----------
    name
        Name of the object that it becomes.
    checkpoint
        The object in the bucket that its checkpoint is written to.
    saved
        The last checkpoint, ``None`` while nothing of the file is stored.
    """

    file: HubFile
    name: str
    reader: RangeReader
    bucket: Bucket
    checkpoint: CheckpointObject
    saved: Checkpoint | None
    progress: Progress

    @property
    def part_size(self) -> int:
        """Bytes of its parts: those of the upload that is resumed, or of a new one."""
        if self.saved:
            return self.saved.part_size
        return part_size_for(self.file.size, self.bucket.options)


class PartBuffer:
    """The checksum of a part, and those of its blocks that are still needed.

    A block is kept until it has been hashed, which is at once when it is the part's turn. A part
    that is written once its last byte is there keeps all of them.

    Attributes
    ----------
    part
        Index of the part.
    checksum
        CRC-32C of the bytes so far.
    is_hashed
        Whether all of it is part of the file's digest.
    """

    def __init__(self, ledger: PartLedger, part: int) -> None:
        self._ledger = ledger
        self._kept: list[bytes] = []
        self._keeps_all = False
        self._taken = 0
        self._hashed = 0  # blocks
        self.part = part
        self.checksum = 0
        self.is_hashed = False

    def keep_all(self) -> None:
        """Keep all blocks, also those that have been hashed."""
        self._keeps_all = True

    def take(self, block: bytes) -> None:
        """Take the next block."""
        self.checksum = crc.extend(self.checksum, block)
        self._kept.append(block)
        self._taken += 1
        if self._ledger.is_turn(self.part):
            self._hash_kept()

    def hash(self) -> None:
        """Hash what is there and pass the turn to the next part, if it is this part's turn."""
        if not self.is_hashed and self._ledger.is_turn(self.part):
            self._hash_kept()
            self._ledger.pass_turn(self.part, self.checksum)
            self.is_hashed = True

    @property
    def blocks(self) -> list[bytes]:
        """All its blocks, or none where some are no longer kept."""
        return self._kept if len(self._kept) == self._taken else []

    def _hash_kept(self) -> None:
        start = self._hashed if self._keeps_all else 0
        for block in self._kept[start:]:
            self._ledger.hash(block)
        self._hashed = self._taken
        if not self._keeps_all:
            self._kept.clear()


class PartTransfer(ABC):
    """Moves parts of one file into its upload. Workers move several at the same time.

    Attributes
    ----------
    can_defer
        Whether a worker may read the response to a part when it is done with its next one.
    """

    can_defer = True

    def __init__(self, context: FileContext) -> None:
        self.context = context
        self.file = context.file
        self._ledger: PartLedger | None = None
        self._upload: MultipartUpload | None = None
        self._may_stream = True

    @abstractmethod
    def open(self, connections: Connections) -> range:
        """Find or start the upload; return the parts that are still to be moved."""

    @abstractmethod
    def completed(self, connections: Connections) -> None:
        """Record that the last part has been moved; may be called more than once."""

    def prefetch(self, worker: WorkerConnections, part: int) -> None:
        """Request a part that the worker moves next from the hub."""
        assert self._ledger
        offset = part * self._ledger.part_size
        worker.prefetch(self.context.reader, offset, self._ledger.length(part))

    def move(self, worker: WorkerConnections, part: int, nearly_done: Callable[[], None]) -> None:
        """Move one part.

        Parameters
        ----------
        nearly_done
            Called when most of it has arrived, once or more; not where other parts may have to
            wait for this one.

        Raises
        ------
        TransferError
            It can't be moved, or the file is not what the hub promised.
        Stopped
            The transfer was stopped.
        """
        ledger, upload = self._ledger, self._upload
        assert ledger
        assert upload
        buffer = PartBuffer(ledger, part)
        stream: PartStream | None = None
        if not ledger.is_stored(part):
            if self._may_stream:
                stream = upload.stream(worker.writing, part + 1, ledger.length(part))
            else:
                buffer.keep_all()

        left = ledger.length(part)
        prefetch_below = left * self.context.bucket.options.prefetch_below

        def take(block: bytes) -> None:
            nonlocal left
            buffer.take(block)
            if stream:
                stream.send(block)
            self.context.progress.add(self.file.path, len(block))
            left -= len(block)
            if left <= prefetch_below and self.can_defer:
                nearly_done()

        worker.read(self.context.reader, part * ledger.part_size, left, take)
        worker.confirm_deferred()  # the part before; others may wait for it
        buffer.hash()
        if buffer.is_hashed and stream and self.can_defer:
            worker.defer(lambda connections: self._store(worker, connections, buffer, stream))
            return
        if not ledger.is_stored(part):
            self._store(worker, worker.writing, buffer, stream)
        if not buffer.is_hashed:
            self.wait_for_turn(part)
            buffer.hash()
        if ledger.is_complete:
            self.completed(worker.writing)

    def wait_for_turn(self, part: int) -> None:
        """Wait until all parts before have been hashed."""
        assert self._ledger
        self._ledger.wait_for_turn(part)

    def _store(
        self,
        worker: WorkerConnections,
        writing: Connections,
        buffer: PartBuffer,
        stream: PartStream | None,
    ) -> None:
        """Ensure that Cloud Storage holds a part of which all bytes have been read."""
        assert self._ledger
        if not (stream and stream.is_stored(buffer.checksum)):
            self._put(worker, writing, buffer)
        if stream and stream.lacks_checksum:
            self._may_stream = False
        self._ledger.mark_stored(buffer.part)
        if self._ledger.is_complete:
            self.completed(writing)

    def _put(self, worker: WorkerConnections, writing: Connections, buffer: PartBuffer) -> None:
        assert self._upload
        blocks = buffer.blocks or self._read_again(worker, buffer)
        try:
            self._upload.put(writing, buffer.part + 1, blocks, buffer.checksum)
        except UploadGoneError as error:
            raise upload_gone(self.file, error) from error

    def _read_again(self, worker: WorkerConnections, buffer: PartBuffer) -> list[bytes]:
        """Read a part a second time that was hashed, and so no longer kept, but not stored."""
        assert self._ledger
        start, length = buffer.part * self._ledger.part_size, self._ledger.length(buffer.part)
        blocks: list[bytes] = []
        self.context.reader.read(worker.reading, start, length, blocks.append)
        if crc.of_blocks(blocks) != buffer.checksum:
            raise TransferError(
                f"The hub gave two different answers for the same bytes of {self.file.path}.",
                cause=f"Their CRC-32C differ, from byte {start} to {start + length}.",
                fix=Fix(text="Resume the import; if it stays so, tell the model's owner."),
            )
        return blocks


def stored_parts(
    file: HubFile, part_size: int, upload: MultipartUpload, connections: Connections, parts: range
) -> set[int]:
    """Return those of some parts of a file that Cloud Storage holds whole.

    Raises
    ------
    UploadGoneError
        There is no such upload.
    """
    return {
        part.number - 1
        for part in upload.parts(connections, parts.start, len(parts))
        if part.number - 1 in parts and part.size == length_of(file, part_size, part.number - 1)
    }


def upload_gone(file: HubFile, error: UploadGoneError) -> TransferError:
    """Return the error for an unfinished upload that is no longer there."""
    return TransferError(
        f"The unfinished upload of {file.path} was removed from the bucket.",
        cause=str(error),
        fix=Fix(text="Resume the import: it begins this file again."),
    )
