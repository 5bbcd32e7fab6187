"""Lanes: threads that each move one part at a time, over the parts of many files."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from llm_widgets.errors import ManagerError
from llm_widgets.transfer.retry import Stopped
from llm_widgets.transfer.worker import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from llm_widgets.transfer.connections import Connections
    from llm_widgets.transfer.options import Options
    from llm_widgets.transfer.part_transfer import Mover
    from llm_widgets.transfer.worker_count import LaneCount

_LOOK = 0.2
_END_WITHIN = 2.0


@dataclass(slots=True, eq=False)
class _Open:
    """A mover whose parts are being handed out; without one while it is looked for and opened."""

    mover: Mover | None = None
    parts: Iterator[int] = field(default_factory=lambda: iter(()))
    next_part: int | None = None
    lanes: int = 0


class Taken(NamedTuple):
    """A part that is given to a lane, and where it comes from."""

    opened: _Open
    mover: Mover
    part: int


class PartQueue:
    """Hands out parts: those of one mover in order, spread over a few movers at a time.

    Digests are computed in order, one a file: with several files open, several are computed at
    once, and few lanes wait for their turn.

    Parameters
    ----------
    movers
        Asked for the next one when there is room for it; that may take its time.
    limit
        Movers that are open at a time.
    """

    def __init__(self, movers: Iterable[Mover], limit: int, stop: threading.Event) -> None:
        self._movers: Iterator[Mover] | None = iter(movers)
        self._limit = limit
        self._stop = stop
        self._asking = threading.Lock()
        self._condition = threading.Condition()
        self._open: list[_Open] = []

    def take(self, connections: Connections) -> Taken | None:
        """Give a part to move; ``None`` when there are no more."""
        while True:
            with self._condition:
                if self._stop.is_set():
                    raise Stopped
                if self._has_room:
                    new = _Open()
                    self._open.append(new)
                elif taken := self._next_part():
                    return taken
                elif self._open:
                    self._condition.wait(_LOOK)  # another lane is opening one
                    continue
                else:
                    return None
            self._fill(new, connections)

    def take_ready(self) -> Taken | None:
        """Give a part to move, or ``None`` where that takes more than to hand it out."""
        with self._condition:
            return None if self._has_room else self._next_part()

    def moved(self, taken: Taken) -> None:
        """Take note that a lane is done with its part."""
        with self._condition:
            taken.opened.lanes -= 1

    @property
    def _has_room(self) -> bool:
        """Whether another mover is to be opened."""
        return self._movers is not None and len(self._open) < self._limit

    def _fill(self, new: _Open, connections: Connections) -> None:
        with self._asking:
            mover = next(self._movers, None) if self._movers else None
        parts = iter(mover.open(connections) if mover else ())
        with self._condition:
            if not mover:
                self._movers = None
            new.mover, new.parts, new.next_part = mover, parts, next(parts, None)
            if new.next_part is None:
                self._open.remove(new)
            self._condition.notify_all()

    def _next_part(self) -> Taken | None:
        """Take a part of the mover at which the fewest lanes are."""
        ready = [each for each in self._open if each.mover]
        if not ready:
            return None
        opened = min(ready, key=lambda each: each.lanes)
        assert opened.mover
        assert opened.next_part is not None
        taken = Taken(opened, opened.mover, opened.next_part)
        opened.lanes += 1
        opened.next_part = next(opened.parts, None)
        if opened.next_part is None:
            self._open.remove(opened)  # what is left of it is with the lanes
            self._condition.notify_all()
        return taken


class _Shift:
    """What one lane does: part after part, each asked for while the one before still arrives.

    A lane moves its parts in the order in which it took them, also one that it took early. So the
    part that was taken first of those that are not finished waits for no other one.
    """

    def __init__(self, lane: Lane, queue: PartQueue, is_wanted: Callable[[], bool]) -> None:
        self._lane = lane
        self._queue = queue
        self._is_wanted = is_wanted
        self._coming: Taken | None = None

    def work(self) -> None:
        """Move parts until there are no more, or the lane is no longer wanted."""
        while taken := self._coming or self._take():
            self._coming = None
            taken.mover.move(self._lane, taken.part, self._look_ahead)
            self._queue.moved(taken)
        self._lane.settle()

    def _take(self) -> Taken | None:
        return self._queue.take(self._lane.writing) if self._is_wanted() else None

    def _look_ahead(self) -> None:
        if self._coming or not self._is_wanted():
            return
        self._coming = self._queue.take_ready()
        if self._coming:
            self._coming.mover.ask(self._lane, self._coming.part)


class Crew:
    """The lanes of an engine, as many as :class:`LaneCount` finds useful.

    Parameters
    ----------
    failed
        Told what stopped a lane; it is expected to set ``stop``.
    """

    def __init__(
        self,
        queue: PartQueue,
        count: LaneCount,
        options: Options,
        stop: threading.Event,
        failed: Callable[[Exception], None],
    ) -> None:
        self._queue = queue
        self._count = count
        self._options = options
        self._stop = stop
        self._failed = failed
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
        before, since, used = moved(), time.monotonic(), time.process_time()
        while not self._all_end_within(self._options.look_every) and not self._stop.is_set():
            now = time.monotonic()
            rate = (moved() - before) / (now - since)
            busy = (time.process_time() - used) / (now - since)
            self._count.measured(rate, busy, now)
            self._engage()
            before, since, used = moved(), now, time.process_time()
        # A lane in the middle of a stalled connection notices only when that times out.
        self._all_end_within(_END_WITHIN)

    def _engage(self) -> None:
        """Start the lanes that are wanted and not at work; those not wanted leave by themselves."""
        with self._ended:
            for number in range(self._count.lanes):
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
        lane = Lane(self._options)
        try:
            _Shift(lane, self._queue, lambda: number < self._count.lanes).work()
        except Stopped:
            with suppress(Stopped, ManagerError):
                lane.settle()  # what is stored need not be moved again
        except Exception as error:  # noqa: BLE001 - it is raised again by the engine
            self._failed(error)
        finally:
            lane.close()
            with self._ended:
                del self._working[number]
                self._ended.notify_all()
