"""A part on its way from the hub: checked while its blocks are in the processor's cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.transfer import crc

if TYPE_CHECKING:
    from llm_widgets.transfer.parts import PartLedger


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
    """

    def __init__(self, ledger: PartLedger, part: int) -> None:
        self._ledger = ledger
        self._kept: list[bytes] = []
        self._keeps_all = False
        self._taken = 0
        self._hashed = 0  # blocks
        self._is_passed = False
        self.part = part
        self.checksum = 0

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
        if not self._is_passed and self._ledger.is_turn(self.part):
            self._hash_kept()
            self._ledger.pass_turn(self.part, self.checksum)
            self._is_passed = True

    def wait_and_hash(self) -> None:
        """Hash it, once its turn has come.

        Raises
        ------
        Stopped
            The engine was told to stop.
        """
        if not self._is_passed:
            self._ledger.wait_for_turn(self.part)
            self.hash()

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
