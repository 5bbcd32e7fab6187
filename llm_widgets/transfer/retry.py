"""Retries: how long to wait before the next attempt, and when to give up."""

from __future__ import annotations

import random
import textwrap
import time
from typing import TYPE_CHECKING

from llm_widgets.errors import TransferError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from llm_widgets.transfer.options import Options

_MIN_ATTEMPTS = 4
_LONGEST_REASON = 300  # characters: it stands beside the progress


class Stopped(Exception):  # noqa: N818 - nothing went wrong here: another worker failed, or a person cancelled
    """The transfer was stopped."""


class GaveUpError(TransferError):
    """Something failed for too long; a later attempt may succeed."""


class TransientError(Exception):
    """A failure that another attempt may overcome.

    Attributes
    ----------
    retry_after
        Seconds that the server asked to wait, or ``None``.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Backoff:
    """Exponential backoff with jitter for one operation.

    Parameters
    ----------
    operation
        The operation as an error message names it, for example ``"reading model.safetensors"``.
    tell
        Called before each wait with what failed, in one sentence.
    """

    def __init__(
        self,
        operation: str,
        options: Options,
        stop: threading.Event,
        tell: Callable[[str], None],
    ) -> None:
        self._operation = operation
        self._options = options
        self._stop = stop
        self._tell = tell
        self._since = time.monotonic()
        self._failures = 0

    def reset(self) -> None:
        """Forget the failures so far, because the operation has made progress."""
        self._failures = 0
        self._since = time.monotonic()

    def wait_after(self, error: Exception) -> None:
        """Wait before the next attempt.

        Raises
        ------
        GaveUpError
            There was no progress for ``Options.give_up_after`` seconds.
        Stopped
            The transfer was stopped.
        """
        self._failures += 1
        asked = error.retry_after if isinstance(error, TransientError) else None
        silent = time.monotonic() - self._since
        if self._failures >= _MIN_ATTEMPTS and silent > self._options.give_up_after:
            raise GaveUpError(
                f"Gave up {self._operation} after {self._failures} tries in {silent:.0f} s.",
                cause=error_text(error),
            ) from error
        self._tell(self._failed(error))
        wait = min(self._options.longest_wait, self._options.first_wait * 2 ** (self._failures - 1))
        wait *= random.uniform(0.5, 1)  # noqa: S311 - spreads the workers, hides nothing
        if asked is not None:
            wait = min(max(wait, asked), self._options.give_up_after)
        if self._stop.wait(wait):
            raise Stopped

    def _failed(self, error: Exception) -> str:
        operation = self._operation[0].upper() + self._operation[1:]
        why = textwrap.shorten(error_text(error), _LONGEST_REASON, placeholder=" …")
        return f"{operation} fails: {why.rstrip('.')}. Trying again."


class RateLimit:
    """A pause that a hub asked for; it holds for all workers."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._until = 0.0

    def pause(self, seconds: float) -> None:
        """Let nobody send a request for some seconds."""
        self._until = max(self._until, time.monotonic() + seconds)

    @property
    def is_paused(self) -> bool:
        """Whether there is a pause now."""
        return self._until > time.monotonic()

    def wait(self) -> None:
        """Wait until the pause is over.

        Raises
        ------
        Stopped
            The transfer was stopped.
        """
        left = self._until - time.monotonic()
        if self._stop.is_set() or (left > 0 and self._stop.wait(left)):
            raise Stopped


def error_text(error: Exception) -> str:
    """Return the message of a network error, or its class name where it has none."""
    return str(error) or type(error).__name__
