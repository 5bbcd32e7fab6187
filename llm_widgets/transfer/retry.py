"""When to try again, how long to wait before, and when to give up."""

from __future__ import annotations

import random
import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from llm_widgets.errors import TransferError

if TYPE_CHECKING:
    import threading

    from llm_widgets.transfer.options import Options

_LEAST_TRIES = 4
_RESET_IN = re.compile(r"\bt=(\d+)")


class Stopped(Exception):  # noqa: N818 - nothing went wrong here: another lane failed, or a person cancelled
    """The engine was told to stop."""


class GaveUpError(TransferError):
    """Something failed for too long; it may go well some other time."""


class TransientError(Exception):
    """Something failed that may go well the next time.

    Attributes
    ----------
    wait
        Seconds that the other side asked to wait, or ``None``.
    """

    def __init__(self, message: str, *, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class Patience:
    """Counts the failures of one piece of work since it last came further.

    Parameters
    ----------
    what
        The work as an error message names it, for example ``"reading model.safetensors"``.
    """

    def __init__(self, what: str, options: Options, stop: threading.Event) -> None:
        self._what = what
        self._options = options
        self._stop = stop
        self._since = time.monotonic()
        self._failures = 0

    def came_further(self) -> None:
        """Forget the failures so far."""
        self._failures = 0
        self._since = time.monotonic()

    def after(self, error: Exception) -> None:
        """Wait before the next try.

        Raises
        ------
        GaveUpError
            It failed for so long that it is given up.
        Stopped
            There is to be no next try.
        """
        self._failures += 1
        asked = error.wait if isinstance(error, TransientError) else None
        silent = time.monotonic() - self._since
        if self._failures >= _LEAST_TRIES and silent > self._options.patience:
            raise GaveUpError(
                f"Gave up {self._what} after {self._failures} tries in {silent:.0f} s.",
                cause=told(error),
            ) from error
        wait = min(self._options.longest_wait, self._options.first_wait * 2 ** (self._failures - 1))
        wait *= random.uniform(0.5, 1)  # noqa: S311 - spreads the lanes, hides nothing
        if asked is not None:
            wait = min(max(wait, asked), self._options.patience)
        if self._stop.wait(wait):
            raise Stopped


def told(error: Exception) -> str:
    """Say what an error of the network says, or its kind where it says nothing."""
    return str(error) or type(error).__name__


def asked_wait(headers: dict[str, str]) -> float | None:
    """Read how many seconds the other side wants us to wait.

    Parameters
    ----------
    headers
        Header fields with names in lower case: ``retry-after`` (seconds or a date), or
        Hugging Face's ``ratelimit`` (``"api";r=0;t=55``).
    """
    value = headers.get("retry-after", "").strip()
    if value.isdigit():
        return float(value)
    if value:
        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
        except ValueError:
            return None
    reset = _RESET_IN.search(headers.get("ratelimit", ""))
    return float(reset[1]) if reset else None
