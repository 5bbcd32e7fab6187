"""Grants and accounts that were made moments ago: they have their effect within minutes."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from llm_widgets.domain import members
from llm_widgets.errors import DeniedError, ManagerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.gcp.client.clients import Clients

T = TypeVar("T")

LONGEST = 8 * 60.0
"""Seconds after which a refusal is one.

Grants typically take effect in 2 minutes, and may take 7 or more; source:
https://docs.cloud.google.com/iam/docs/access-change-propagation, December 2026.
"""

HOW_LONG = "2 to 7 minutes"
"""How long it takes, in words of a sentence; source: see `LONGEST`."""

_FIRST_WAIT = 1.0
_LONGEST_WAIT = 15.0

_log = logging.getLogger(__name__)


class InFlight:
    """What was granted and made by these clients, and when. Safe to use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._granted: dict[tuple[str, str], float] = {}
        self._made: dict[str, float] = {}
        self._listeners: list[Callable[[str], None]] = []

    def granted(self, path: str, member: str) -> None:
        """Note that a member was just granted something on a resource, by the path of that."""
        with self._lock:
            self._granted[path, member] = time.monotonic()

    def revoked(self, path: str, member: str) -> None:
        """Note that a member was just deprived of what it was granted on a resource."""
        with self._lock:
            self._granted.pop((path, member), None)

    def made(self, name: str) -> None:
        """Note that a member or a role was just made."""
        with self._lock:
            self._made[name] = time.monotonic()

    def age(self, path: str, member: str) -> float | None:
        """Return how many seconds ago a member was granted something on a resource, if it was."""
        with self._lock:
            found = self._granted.get((path, member))
        return None if found is None else time.monotonic() - found

    def youngest(self, *names: str) -> float | None:
        """Return how many seconds ago one of some members and roles was last granted or made."""
        with self._lock:
            found = [at for (_, member), at in self._granted.items() if member in names]
            found += [self._made[name] for name in names if name in self._made]
        return time.monotonic() - max(found) if found else None

    def on_wait(self, listener: Callable[[str], None]) -> None:
        """Have ``listener`` called with a sentence when something is waited for."""
        self._listeners.append(listener)

    def tell(self, sentence: str) -> None:
        """Say what is waited for."""
        _log.info("%s", sentence)
        for listener in self._listeners:
            listener(sentence)


def of(clients: Clients) -> InFlight:
    """Return what was granted and made by some clients."""
    return clients.kept("grants in flight", InFlight)


def left(age: float | None) -> float:
    """Return for how many seconds a grant of some age, if any, may still have no effect."""
    return 0.0 if age is None else max(0.0, LONGEST - age)


def ago(age: float) -> str:
    """Write when something was, given its age in seconds."""
    minutes = round(age / 60)
    if minutes < 1:
        return "less than a minute ago"
    return f"{minutes} minute{'' if minutes == 1 else 's'} ago"


class Patience:
    """Waits between two attempts, longer each time, until a refusal is one.

    Parameters
    ----------
    longest
        Seconds for which is tried again.
    """

    def __init__(self, longest: float) -> None:
        self._until = time.monotonic() + longest
        self._pause = _FIRST_WAIT

    @property
    def is_left(self) -> bool:
        """Whether there is another attempt."""
        return time.monotonic() < self._until

    def wait(self, error: ManagerError, wait: Callable[[float], object] = time.sleep) -> None:
        """Wait for the next attempt, or raise the error as there is none."""
        if not self.is_left:
            raise error
        _log.info("Asking again, as a new grant takes minutes: %s", error.message)
        wait(max(0.0, min(self._pause, self._until - time.monotonic())))
        self._pause = min(2 * self._pause, _LONGEST_WAIT)


def until_effective(
    ask: Callable[[], T],
    *,
    tell: Callable[[ManagerError], None] = lambda _: None,
    wait: Callable[[float], object] = time.sleep,
    longest: float = LONGEST,
    passes: Callable[[ManagerError], bool] = lambda error: isinstance(error, DeniedError),
) -> T:
    """Ask again while a permission is missing that may just have been granted.

    Parameters
    ----------
    tell
        Called with each refusal before the wait.
    wait
        Waits for so many seconds; what it raises ends the waiting.
    longest
        Seconds for which is asked again.
    passes
        Whether a failure may pass by itself.

    Raises
    ------
    ManagerError
        It fails all the time, or in another way.
    """
    patience = Patience(longest)
    while True:
        try:
            return ask()
        except ManagerError as error:
            if not passes(error):
                raise
            failure = error
        if patience.is_left:
            tell(failure)
        patience.wait(failure, wait)


def until_known(clients: Clients, ask: Callable[[], T], *names: str) -> T:
    """Ask again while members or roles that were just made are told to be unknown.

    Raises
    ------
    ManagerError
        They stay unknown, or it fails in another way.
    """
    made = of(clients)
    short = [members.label(name) or name for name in names]

    def passes(error: ManagerError) -> bool:
        text = f"{error.message} {error.cause}"
        return any(name in text for name in short) and (
            "does not exist" in text or "not found" in text.lower() or "nknown" in text
        )

    return until_effective(
        ask,
        tell=once(made, f"Waiting for {short[0]}, which takes up to 7 minutes."),
        longest=left(made.youngest(*names)),
        passes=passes,
    )


def once(made: InFlight, sentence: str) -> Callable[[ManagerError], None]:
    """Return what says a sentence at the first refusal only."""
    told: list[str] = []

    def tell(_: ManagerError) -> None:
        if not told:
            told.append(sentence)
            made.tell(sentence)

    return tell
