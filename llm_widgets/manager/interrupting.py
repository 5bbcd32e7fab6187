"""Ctrl-C: what was begun comes to its end first, so that nothing is left half made."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Work:
    """What keeps running without whoever began it.

    Attributes
    ----------
    message
        What keeps running, in a sentence.
    python, command
        How to come back to it.
    """

    message: str
    python: str
    command: str


class StillRunningError(KeyboardInterrupt):
    """Waiting was interrupted; what was waited for keeps running."""

    def __init__(self, work: Work) -> None:
        super().__init__(work.message)
        self.work = work

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook shows in place of a traceback."""
        return [self.work.message, f"To continue: {self.work.python}"]


@contextmanager
def completed(work: Work) -> Iterator[None]:
    """Put Ctrl-C off until the block has begun the work; a second one ends it at once.

    Only the main thread is told of Ctrl-C; in others the block runs as it is.

    Raises
    ------
    StillRunningError
        Ctrl-C was pressed.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    pressed: list[int] = []

    def put_off(number: int, frame: Any) -> None:
        if pressed:
            before(number, frame)
        pressed.append(number)

    signal.signal(signal.SIGINT, put_off)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise StillRunningError(work)


@contextmanager
def keeps_running(work: Work) -> Iterator[None]:
    """Say that the work that the block waits for keeps running when the block is interrupted.

    Raises
    ------
    StillRunningError
        It was interrupted.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise StillRunningError(work) from None
