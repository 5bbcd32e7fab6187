"""The queue from which workers take parts: those of one file in order, over a few files at once."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from llm_widgets.transfer.retry import Stopped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llm_widgets.transfer.connections import Connections
    from llm_widgets.transfer.part_transfer import PartTransfer

_POLL = 0.2
"""Seconds after which a waiting worker checks whether it is to stop."""


@dataclass(slots=True, eq=False)
class _OpenTransfer:
    """A transfer whose parts are handed out; ``transfer`` is ``None`` while it is being opened."""

    transfer: PartTransfer | None = None
    parts: Iterator[int] = field(default_factory=lambda: iter(()))
    next_part: int | None = None
    workers: int = 0


class QueuedPart(NamedTuple):
    """A part that a worker has taken, and the transfer that it belongs to."""

    opened: _OpenTransfer
    transfer: PartTransfer
    part: int


class PartQueue:
    """Hands out parts: those of one transfer in order, spread over a few transfers at a time.

    Digests are computed in order, one per file: with several files open, several are computed at
    once, and few workers wait for their turn.

    Parameters
    ----------
    transfers
        Asked for the next one when there is room for it; that may take its time.
    limit
        Transfers that are open at a time.
    """

    def __init__(
        self, transfers: Iterable[PartTransfer], limit: int, stop: threading.Event
    ) -> None:
        self._transfers: Iterator[PartTransfer] | None = iter(transfers)
        self._limit = limit
        self._stop = stop
        self._next_transfer = threading.Lock()
        self._condition = threading.Condition()
        self._open: list[_OpenTransfer] = []

    def take(self, connections: Connections) -> QueuedPart | None:
        """Return a part to move, ``None`` when there are no more.

        Raises
        ------
        Stopped
            The transfer was stopped.
        """
        while True:
            with self._condition:
                if self._stop.is_set():
                    raise Stopped
                if self._has_room:
                    new = _OpenTransfer()
                    self._open.append(new)
                elif queued := self._next_part():
                    return queued
                elif self._open:
                    self._condition.wait(_POLL)  # another worker is opening one
                    continue
                else:
                    return None
            self._fill(new, connections)

    def take_ready(self) -> QueuedPart | None:
        """Return a part to move, ``None`` where a transfer would have to be opened first."""
        with self._condition:
            return None if self._has_room else self._next_part()

    def done(self, queued: QueuedPart) -> None:
        """Record that a worker is done with its part."""
        with self._condition:
            queued.opened.workers -= 1

    @property
    def _has_room(self) -> bool:
        """Whether another transfer is to be opened."""
        return self._transfers is not None and len(self._open) < self._limit

    def _fill(self, new: _OpenTransfer, connections: Connections) -> None:
        with self._next_transfer:
            transfer = next(self._transfers, None) if self._transfers else None
        parts = iter(transfer.open(connections) if transfer else ())
        with self._condition:
            if not transfer:
                self._transfers = None
            new.transfer, new.parts, new.next_part = transfer, parts, next(parts, None)
            if new.next_part is None:
                self._open.remove(new)
            self._condition.notify_all()

    def _next_part(self) -> QueuedPart | None:
        """Take a part of the transfer at which the fewest workers are."""
        ready = [each for each in self._open if each.transfer]
        if not ready:
            return None
        opened = min(ready, key=lambda each: each.workers)
        assert opened.transfer
        assert opened.next_part is not None
        queued = QueuedPart(opened, opened.transfer, opened.next_part)
        opened.workers += 1
        opened.next_part = next(opened.parts, None)
        if opened.next_part is None:
            self._open.remove(opened)  # its last parts are with the workers
            self._condition.notify_all()
        return queued
