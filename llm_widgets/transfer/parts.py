"""One file on its way: which of its parts are stored, and its digest, computed part by part."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.errors import Fix, TransferError
from llm_widgets.transfer import crc
from llm_widgets.transfer.checkpoint import Checkpoint
from llm_widgets.transfer.hashing import new_hasher, resumed_hasher
from llm_widgets.transfer.patience import Stopped

if TYPE_CHECKING:
    from llm_widgets.domain.imports import HubFile
    from llm_widgets.transfer.hashing import Hasher

_TURN = 1.0
"""Seconds after which a waiting lane looks whether it is to stop."""


class PartLedger:
    """Keeps the books of a file's parts. Safe to use from the lanes.

    A digest needs the bytes in order. The lane whose part's turn it is hashes the bytes as they
    arrive, while they are in the processor's cache; other lanes wait for their turn.

    Parameters
    ----------
    checkpoint
        Where to go on from.
    stored
        Bytes of the parts, by index, that Cloud Storage holds already.
    """

    def __init__(
        self,
        file: HubFile,
        checkpoint: Checkpoint,
        stored: dict[int, int],
        stop: threading.Event,
    ) -> None:
        self._file = file
        self._stop = stop
        self._condition = threading.Condition()
        self.part_size = checkpoint.part_size
        self.count = -(-file.size // checkpoint.part_size)
        hasher, start = self._start(checkpoint, stored)
        self._hasher = hasher
        self.first = start
        self._hashed = start
        self._whole_crc = checkpoint.crc32c if start else 0
        self._stored = {i for i, size in stored.items() if size == self.length(i)}
        self._saved = Checkpoint(
            checkpoint.upload_id, checkpoint.part_size, start, hasher.state(), self._whole_crc
        )
        self._after: dict[int, tuple[str | None, int]] = {}

    def _start(self, checkpoint: Checkpoint, stored: dict[int, int]) -> tuple[Hasher, int]:
        kind, size = self._file.digest.kind, self._file.size
        resumed = resumed_hasher(kind, checkpoint.hash_state)
        whole = all(stored.get(i) == self.length(i) for i in range(checkpoint.parts))
        if resumed and whole:
            return resumed, checkpoint.parts
        return new_hasher(kind, size), 0

    def length(self, part: int) -> int:
        """Give the bytes of a part."""
        return min(self.part_size, self._file.size - part * self.part_size)

    def is_stored(self, part: int) -> bool:
        """Tell whether Cloud Storage holds a part already."""
        return part in self._stored

    def stored(self, part: int) -> None:
        """Take note that Cloud Storage holds a part."""
        with self._condition:
            self._stored.add(part)

    def is_turn(self, part: int) -> bool:
        """Tell whether a part is the next one to be hashed."""
        return self._hashed == part

    def hash(self, block: bytes) -> None:
        """Hash bytes of the part whose turn it is."""
        self._hasher.update(block)

    def pass_turn(self, part: int, checksum: int) -> None:
        """Give the turn to the next part.

        Parameters
        ----------
        checksum
            CRC-32C of the part.
        """
        with self._condition:
            self._whole_crc = crc.combine(self._whole_crc, checksum, self.length(part))
            self._after[part + 1] = (self._hasher.state(), self._whole_crc)
            self._hashed = part + 1
            self._condition.notify_all()

    def wait_for_turn(self, part: int) -> None:
        """Wait until all parts before have been hashed.

        Raises
        ------
        Stopped
            The engine was told to stop.
        """
        with self._condition:
            while self._hashed != part:
                if self._stop.is_set():
                    raise Stopped
                self._condition.wait(_TURN)

    @property
    def is_complete(self) -> bool:
        """Whether all parts are stored and hashed."""
        with self._condition:
            return self._hashed == self.count and len(self._stored) == self.count

    def checkpoint(self) -> Checkpoint:
        """Give what can be gone on from, were the worker to die now."""
        with self._condition:
            reached = self._saved.parts
            while reached < self._hashed and reached in self._stored:
                reached += 1
            if reached > self._saved.parts:
                state, checksum = self._after[reached]
                if state:
                    self._saved = replace(
                        self._saved, parts=reached, hash_state=state, crc32c=checksum
                    )
                self._after = {k: v for k, v in self._after.items() if k > reached}
            return self._saved

    def verified(self) -> Checkpoint:
        """Check the file's digest and give the last checkpoint.

        Raises
        ------
        TransferError
            The bytes are not those that the hub promised.
        """
        found = self._hasher.hexdigest()
        if found != self._file.digest.value:
            raise TransferError(
                f"{self._file.path} is not what the hub promised; it was not published.",
                cause=f"{self._file.digest.kind} {found} instead of {self._file.digest.value}.",
                fix=Fix(text="Import the model again; if it stays so, tell the model's owner."),
            )
        return replace(self._saved, parts=self.count, crc32c=self._whole_crc, verified=True)
