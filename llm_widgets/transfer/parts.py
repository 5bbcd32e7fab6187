"""The parts of one file: which of them are stored, and the file's digest, computed in order."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.errors import Fix, TransferError
from llm_widgets.transfer import crc
from llm_widgets.transfer.checkpoint import Checkpoint
from llm_widgets.transfer.hashing import new_hasher, resumed_hasher
from llm_widgets.transfer.retry import Stopped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.domain.imports import HubFile
    from llm_widgets.transfer.hashing import Hasher

_POLL = 1.0
"""Seconds after which a waiting worker checks whether it is to stop."""


class PartLedger:
    """Records which parts of a file are stored and hashed. Safe to use from the workers.

    A digest needs the bytes in order. The worker whose part's turn it is hashes the bytes as they
    arrive, while they are in the processor's cache; other workers wait for their turn.

    Parameters
    ----------
    part_size
        Bytes of each part of the file but the last.
    parts
        Those that are recorded here: all from one on, or those of a shard.
    stored
        Parts that Cloud Storage holds already.
    """

    def __init__(
        self,
        file: HubFile,
        part_size: int,
        parts: range,
        stored: Iterable[int],
        stop: threading.Event,
    ) -> None:
        self._file = file
        self._stop = stop
        self._condition = threading.Condition()
        self._stored = set(stored)
        self._hasher: Hasher | None = None
        self._hashed = -1  # nothing is hashed before the digest of what comes before is known
        self._whole_crc = 0
        self._saved = Checkpoint("", part_size)
        self._after: dict[int, tuple[str | None, int]] = {}
        self.part_size = part_size
        self.parts = parts

    def begin(self, checkpoint: Checkpoint) -> None:
        """Resume the digest after the parts before these."""
        kind = self._file.digest.kind
        if checkpoint.parts:
            hasher = resumed_hasher(kind, checkpoint.hash_state)
            assert hasher  # see resume_point()
        else:
            hasher = new_hasher(kind, self._file.size)
        with self._condition:
            self._hasher = hasher
            self._hashed = checkpoint.parts
            self._whole_crc = checkpoint.crc32c
            self._saved = replace(checkpoint, hash_state=hasher.state())
            self._condition.notify_all()

    def length(self, part: int) -> int:
        """Return the length of a part in bytes."""
        return length_of(self._file, self.part_size, part)

    def is_stored(self, part: int) -> bool:
        """Return whether Cloud Storage holds a part already."""
        return part in self._stored

    def mark_stored(self, part: int) -> None:
        """Record that Cloud Storage holds a part."""
        with self._condition:
            self._stored.add(part)

    def is_turn(self, part: int) -> bool:
        """Return whether a part is the next one to be hashed."""
        return self._hashed == part

    def hash(self, block: bytes) -> None:
        """Hash bytes of the part whose turn it is."""
        assert self._hasher
        self._hasher.update(block)

    def pass_turn(self, part: int, checksum: int) -> None:
        """Let the next part be hashed.

        Parameters
        ----------
        checksum
            CRC-32C of the part.
        """
        with self._condition:
            assert self._hasher
            self._whole_crc = crc.combine(self._whole_crc, checksum, self.length(part))
            self._after[part + 1] = (self._hasher.state(), self._whole_crc)
            self._hashed = part + 1
            self._condition.notify_all()

    def wait_for_turn(self, part: int) -> None:
        """Wait until all parts before have been hashed.

        Raises
        ------
        Stopped
            The transfer was stopped.
        """
        with self._condition:
            while self._hashed != part:
                if self._stop.is_set():
                    raise Stopped
                self._condition.wait(_POLL)

    @property
    def is_complete(self) -> bool:
        """Whether all these parts are stored and hashed."""
        with self._condition:
            return self._hashed == self.parts.stop and self._stored.issuperset(self.parts)

    def checkpoint(self) -> Checkpoint:
        """Return the checkpoint from which another process could resume now."""
        with self._condition:
            reached = self._saved.parts
            while reached < self._hashed and reached in self._stored:
                reached += 1
            if reached > self._saved.parts:
                state, checksum = self._after[reached]
                if state:  # else nobody could resume from there
                    self._saved = replace(
                        self._saved, parts=reached, hash_state=state, crc32c=checksum
                    )
                    self._after = {k: v for k, v in self._after.items() if k > reached}
            return self._saved

    def verified(self) -> Checkpoint:
        """Check the file's digest and return the last checkpoint.

        Raises
        ------
        TransferError
            The bytes are not those that the hub promised.
        """
        assert self._hasher
        found = self._hasher.hexdigest()
        if found != self._file.digest.value:
            raise TransferError(
                f"{self._file.path} is not what the hub promised; it was not published.",
                cause=f"{self._file.digest.kind} {found} instead of {self._file.digest.value}.",
                fix=Fix(text="Import the model again; if it stays so, tell the model's owner."),
            )
        return replace(self._saved, parts=self.parts.stop, crc32c=self._whole_crc, verified=True)


def part_count(file: HubFile, part_size: int) -> int:
    """Return how many parts a file has."""
    return -(-file.size // part_size)


def length_of(file: HubFile, part_size: int, part: int) -> int:
    """Return the length of a part of a file in bytes."""
    return min(part_size, file.size - part * part_size)


def resume_point(file: HubFile, saved: Checkpoint, stored: Iterable[int]) -> Checkpoint:
    """Return where to resume: at the checkpoint, or at the beginning of the same upload.

    Parameters
    ----------
    stored
        Parts that Cloud Storage holds whole.
    """
    resumes = resumed_hasher(file.digest.kind, saved.hash_state) is not None
    if resumes and set(stored).issuperset(range(saved.parts)):
        return saved
    return Checkpoint(saved.upload_id, saved.part_size)
