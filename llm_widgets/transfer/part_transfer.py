"""Parts on their way from a hub into an upload: checked while they are in the processor's cache."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from llm_widgets.errors import Fix, TransferError
from llm_widgets.transfer import crc
from llm_widgets.transfer.parts import length_of
from llm_widgets.transfer.xml_api import UploadGoneError

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.imports import HubFile
    from llm_widgets.transfer.connections import Connections
    from llm_widgets.transfer.file_context import FileWay
    from llm_widgets.transfer.multipart import MultipartUpload, PartStream
    from llm_widgets.transfer.parts import PartLedger
    from llm_widgets.transfer.worker import Lane


class MovingPart:
    """The checksum of a part, its share of the file's digest, and what must be kept for them.

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
        """Hash what is there and give the turn to the next part, if it is this part's turn."""
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


class Mover(ABC):
    """Moves parts of one file into its upload. Lanes move several at the same time.

    Attributes
    ----------
    way
        Of the file.
    has_time
        Whether a lane may look at the answer to a part when it is done with its next one.
    """

    has_time = True

    def __init__(self, way: FileWay) -> None:
        self.way = way
        self.file = way.file
        self._ledger: PartLedger | None = None
        self._upload: MultipartUpload | None = None
        self._may_stream = True

    @abstractmethod
    def open(self, connections: Connections) -> range:
        """Find or start the upload; give the parts that are still to be moved."""

    @abstractmethod
    def completed(self, connections: Connections) -> None:
        """Take note that the last part has been moved; may be called more than once."""

    def ask(self, lane: Lane, part: int) -> None:
        """Let the hub begin with a part that the lane moves next."""
        assert self._ledger
        lane.ask(self.way.source, part * self._ledger.part_size, self._ledger.length(part))

    def move(self, lane: Lane, part: int, nearly_there: Callable[[], None]) -> None:
        """Move one part.

        Parameters
        ----------
        nearly_there
            Called when most of it has arrived, once or more; not where other parts may have to
            wait for this one.

        Raises
        ------
        TransferError
            It can't be moved, or the file is not what the hub promised.
        Stopped
            The engine was told to stop.
        """
        ledger, upload = self._ledger, self._upload
        assert ledger
        assert upload
        moving = MovingPart(ledger, part)
        stream: PartStream | None = None
        if not ledger.is_stored(part):
            if self._may_stream:
                stream = upload.stream(lane.writing, part + 1, ledger.length(part))
            else:
                moving.keep_all()

        left = ledger.length(part)
        ahead = left * self.way.bucket.options.ask_ahead

        def take(block: bytes) -> None:
            nonlocal left
            moving.take(block)
            if stream:
                stream.send(block)
            self.way.progress.add(self.file.path, len(block))
            left -= len(block)
            if left <= ahead and self.has_time:
                nearly_there()

        lane.read(self.way.source, part * ledger.part_size, left, take)
        lane.settle()  # the part before; others may wait for it
        moving.hash()
        if moving.is_hashed and stream and self.has_time:
            lane.defer(lambda connections: self._store(lane, connections, moving, stream))
            return
        if not ledger.is_stored(part):
            self._store(lane, lane.writing, moving, stream)
        if not moving.is_hashed:
            self.wait_for_turn(part)
            moving.hash()
        if ledger.is_complete:
            self.completed(lane.writing)

    def wait_for_turn(self, part: int) -> None:
        """Wait until all parts before have been hashed."""
        assert self._ledger
        self._ledger.wait_for_turn(part)

    def _store(
        self, lane: Lane, writing: Connections, moving: MovingPart, stream: PartStream | None
    ) -> None:
        """See that Cloud Storage holds a part of which all bytes have been read."""
        assert self._ledger
        if not (stream and stream.is_stored(moving.checksum)):
            self._put(lane, writing, moving)
        if stream and stream.lacks_checksum:
            self._may_stream = False
        self._ledger.stored(moving.part)
        if self._ledger.is_complete:
            self.completed(writing)

    def _put(self, lane: Lane, writing: Connections, moving: MovingPart) -> None:
        assert self._upload
        blocks = moving.blocks or self._read_again(lane, moving)
        try:
            self._upload.put(writing, moving.part + 1, blocks, moving.checksum)
        except UploadGoneError as error:
            raise upload_gone(self.file, error) from error

    def _read_again(self, lane: Lane, moving: MovingPart) -> list[bytes]:
        """Read a part a second time that was hashed, and so no longer kept, but not stored."""
        assert self._ledger
        start, length = moving.part * self._ledger.part_size, self._ledger.length(moving.part)
        blocks: list[bytes] = []
        self.way.source.read(lane.reading, start, length, blocks.append)
        if crc.of_blocks(blocks) != moving.checksum:
            raise TransferError(
                f"The hub gave two different answers for the same bytes of {self.file.path}.",
                cause=f"Their CRC-32C differ, from byte {start} to {start + length}.",
                fix=Fix(text="Resume the import; if it stays so, tell the model's owner."),
            )
        return blocks


def stored_parts(
    file: HubFile, part_size: int, upload: MultipartUpload, connections: Connections, parts: range
) -> set[int]:
    """Tell which of these parts of a file Cloud Storage holds whole.

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
    """Explain that an unfinished upload is no longer there."""
    return TransferError(
        f"The unfinished upload of {file.path} was removed from the bucket.",
        cause=str(error),
        fix=Fix(text="Resume the import: it begins this file again."),
    )
