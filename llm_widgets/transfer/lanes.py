"""Lanes: threads that each move one part at a time, over the parts of many files."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llm_widgets.transfer.files import Lane
from llm_widgets.transfer.http import Connections
from llm_widgets.transfer.patience import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from llm_widgets.transfer.files import FileTransfer
    from llm_widgets.transfer.options import Options

_LOOK = 1.0


@dataclass(slots=True, eq=False)
class _OpenFile:
    transfer: FileTransfer
    parts: Iterator[int] = field(default_factory=lambda: iter(()))
    next_part: int | None = None
    is_open: bool = False
    lanes: int = 0


class PartQueue:
    """Hands out parts: those of one file in order, spread over a few files at a time.

    Digests are computed in order, one a file: with several files open, several are computed at
    once, and few lanes wait for their turn.
    """

    def __init__(
        self, transfers: Iterable[FileTransfer], open_files: int, stop: threading.Event
    ) -> None:
        self._waiting = deque(transfers)
        self._limit = open_files
        self._stop = stop
        self._condition = threading.Condition()
        self._open: list[_OpenFile] = []

    def take(self, connections: Connections) -> tuple[_OpenFile, int] | None:
        """Give a part to move, and its file; ``None`` when there are no more."""
        while True:
            with self._condition:
                if self._stop.is_set():
                    raise Stopped
                if self._waiting and len(self._open) < self._limit:
                    new = _OpenFile(self._waiting.popleft())
                    self._open.append(new)
                elif ready := [file for file in self._open if file.is_open]:
                    return self._part_of(min(ready, key=lambda file: file.lanes))
                elif self._open:
                    self._condition.wait(_LOOK)  # another lane is opening a file
                    continue
                else:
                    return None
            parts = iter(new.transfer.open(connections))
            with self._condition:
                new.parts, new.is_open = parts, True
                new.next_part = next(parts, None)
                if new.next_part is None:
                    self._open.remove(new)
                self._condition.notify_all()

    def moved(self, file: _OpenFile) -> None:
        """Take note that a lane is done with its part."""
        with self._condition:
            file.lanes -= 1

    def _part_of(self, file: _OpenFile) -> tuple[_OpenFile, int]:
        part = file.next_part
        assert part is not None
        file.lanes += 1
        file.next_part = next(file.parts, None)
        if file.next_part is None:
            self._open.remove(file)  # what is left of it is with the lanes
            self._condition.notify_all()
        return file, part


def run_lanes(
    transfers: list[FileTransfer],
    options: Options,
    stop: threading.Event,
    failed: Callable[[Exception], None],
) -> None:
    """Move all parts of all files; come back when all lanes are done, or were told to stop.

    Parameters
    ----------
    failed
        Told what stopped a lane; it is expected to set ``stop``.
    """
    if not transfers:
        return
    size = max(min(transfer.part_size, transfer.file.size) for transfer in transfers)
    parts = sum(-(-transfer.file.size // transfer.part_size) for transfer in transfers)
    count = max(1, min(options.lanes, options.memory // size, parts))
    queue = PartQueue(transfers, options.open_files, stop)
    threads = [
        threading.Thread(
            target=_lane, args=(queue, size, options, failed), name=f"lane-{i}", daemon=True
        )
        for i in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        # A lane in the middle of a stalled connection notices only when that times out.
        while thread.is_alive() and not stop.is_set():
            thread.join(_LOOK)
    for thread in threads:
        thread.join(_LOOK)


def _lane(
    queue: PartQueue, size: int, options: Options, failed: Callable[[Exception], None]
) -> None:
    lane = Lane(Connections(options), Connections(options), memoryview(bytearray(size)))
    try:
        while taken := queue.take(lane.writing):
            file, part = taken
            file.transfer.move(lane, part)
            queue.moved(file)
    except Stopped:
        return
    except Exception as error:  # noqa: BLE001 - it is raised again by the engine
        failed(error)
    finally:
        lane.reading.close()
        lane.writing.close()
