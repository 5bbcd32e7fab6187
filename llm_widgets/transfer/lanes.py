"""Lanes: threads that each move one part at a time, over the parts of many files."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llm_widgets.transfer.files import Lane
from llm_widgets.transfer.growth import Growth
from llm_widgets.transfer.http import Connections
from llm_widgets.transfer.patience import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from llm_widgets.transfer.files import FileTransfer
    from llm_widgets.transfer.options import Options

_LOOK = 0.2
_END_WITHIN = 2.0


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


class Crew:
    """The lanes of an engine, as many as :class:`Growth` finds useful.

    Parameters
    ----------
    failed
        Told what stopped a lane; it is expected to set ``stop``.
    """

    def __init__(
        self,
        transfers: list[FileTransfer],
        options: Options,
        stop: threading.Event,
        failed: Callable[[Exception], None],
    ) -> None:
        self._options = options
        self._stop = stop
        self._failed = failed
        self._queue = PartQueue(transfers, options.open_files, stop)
        largest = max(min(t.part_size, t.file.size) for t in transfers)
        parts = sum(-(-t.file.size // t.part_size) for t in transfers)
        most = max(1, min(options.lanes, options.memory // largest, parts))
        self._growth = Growth(options.first_lanes, most)
        self._ended = threading.Condition()
        self._working: dict[int, threading.Thread] = {}

    def run(self, moved: Callable[[], int]) -> None:
        """Move all parts; come back when all lanes are done, or were told to stop.

        Parameters
        ----------
        moved
            Tells how many bytes have arrived so far.
        """
        self._engage()
        before, since = moved(), time.monotonic()
        while not self._all_end_within(_LOOK) and not self._stop.is_set():
            now = time.monotonic()
            if now - since < self._options.grow_every:
                continue
            self._growth.measured((moved() - before) / (now - since), now)
            self._engage()
            before, since = moved(), now
        # A lane in the middle of a stalled connection notices only when that times out.
        self._all_end_within(_END_WITHIN)

    def _engage(self) -> None:
        """Start the lanes that are wanted and not at work; those not wanted leave by themselves."""
        with self._ended:
            for number in range(self._growth.lanes):
                if number not in self._working:
                    thread = threading.Thread(
                        target=self._lane, args=(number,), name=f"lane-{number}", daemon=True
                    )
                    self._working[number] = thread
                    thread.start()

    def _all_end_within(self, seconds: float) -> bool:
        with self._ended:
            return self._ended.wait_for(lambda: not self._working, seconds)

    def _lane(self, number: int) -> None:
        lane = Lane(Connections(self._options), Connections(self._options))
        try:
            while number < self._growth.lanes and (taken := self._queue.take(lane.writing)):
                file, part = taken
                file.transfer.move(lane, part)
                self._queue.moved(file)
        except Stopped:
            pass
        except Exception as error:  # noqa: BLE001 - it is raised again by the engine
            self._failed(error)
        finally:
            lane.reading.close()
            lane.writing.close()
            with self._ended:
                del self._working[number]
                self._ended.notify_all()
