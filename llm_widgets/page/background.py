"""Work outside the callbacks: a callback of the page never blocks."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from llm_widgets.errors import ManagerError, RateLimitError, unexpected
from llm_widgets.manager import acting
from llm_widgets.manager.acting import Request
from llm_widgets.page.pauses import Pauses

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")
_log = logging.getLogger(__name__)
_WORKERS = 16


class Background:
    """Runs functions in threads and hands their result, or their failure, to another function.

    Both are called in the thread of the work: they may set traits, and nothing slow. All of it
    belongs to the request that it was begun by.

    Parameters
    ----------
    asked
        Returns what is being asked for when work is begun that no other work leads to.
    """

    def __init__(self, asked: Callable[[], Request] = Request) -> None:
        self._asked = asked
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="manager")
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._under_way = 0

    @property
    def under_way(self) -> int:
        """How many functions were given to `run` and have not come to their end."""
        return self._under_way

    def run(
        self,
        work: Callable[[], T],
        then: Callable[[T], None],
        failed: Callable[[ManagerError], None],
    ) -> None:
        """Run ``work``; then call ``then`` with its result or ``failed`` with its failure."""
        self._count(1)
        try:
            made = self._pool.submit(self._of_request(self._do), work, then, failed)
        except RuntimeError:  # it takes no more work
            self._count(-1)
            raise
        made.add_done_callback(lambda _: self._count(-1))

    def run_apart(
        self,
        work: Callable[[], T],
        then: Callable[[T], None],
        failed: Callable[[ManagerError], None],
    ) -> None:
        """Do as `run` does, in a thread of its own, for work that notices the end of the process.

        A process that ends waits for the other threads before it tells anybody that it does.
        """
        of_request = self._of_request(self._do)
        thread = threading.Thread(
            target=of_request, args=(work, then, failed), daemon=False, name="manager-apart"
        )
        thread.start()

    def repeat(self, seconds: float, work: Callable[[], bool]) -> None:
        """Call ``work`` every ``seconds`` as long as it answers true and nobody has closed this.

        The first call comes after the first pause. A failure is logged and tried again; after a
        `RateLimitError` as late as the API wants it.
        """
        pauses = Pauses(seconds)

        def loop() -> None:
            while not self._closed.wait(pauses.seconds):
                try:
                    if not work():
                        return
                    pauses.answered()
                except RateLimitError as error:
                    pauses.refused(error.retry_after)
                except Exception as error:  # noqa: BLE001 - the next round may succeed; the log tells
                    if _is_process_ending(error):
                        return
                    _log.exception("Repeated work failed")

        of_request = self._of_request(loop)
        threading.Thread(target=of_request, daemon=True, name="manager-repeat").start()

    def close(self) -> None:
        """Take no more work and stop what repeats."""
        self._closed.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _of_request(self, work: Callable[P, T]) -> Callable[P, T]:
        """Have work belong to the request of now, whichever thread does it and whenever."""
        request = acting.request() or self._asked()

        def run(*args: P.args, **kwargs: P.kwargs) -> T:
            with acting.working_on(request):
                return work(*args, **kwargs)

        return run

    def _count(self, change: int) -> None:
        with self._lock:
            self._under_way += change

    def _do(
        self,
        work: Callable[[], T],
        then: Callable[[T], None],
        failed: Callable[[ManagerError], None],
    ) -> None:
        try:
            then(work())
        except ManagerError as error:
            failed(error)
        except Exception as error:  # noqa: BLE001 - shown as a sentence, logged in full
            if _is_process_ending(error):
                return
            _log.exception("Work failed in a way that has no sentence of its own")
            failed(unexpected(error))


def _is_process_ending(error: Exception) -> bool:
    """Return whether work failed because threads take no more; Python says so in words only."""
    return isinstance(error, RuntimeError) and str(error).endswith(" shutdown")


class Latest:
    """Tells the newest of several requests from those that it has made stale."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = 0

    def begin(self) -> Callable[[], bool]:
        """Start a request; the function given answers whether it is still the newest."""
        with self._lock:
            self._number += 1
            mine = self._number
        return lambda: mine == self._number


class Debounce:
    """Calls a function once it has not been asked to for a while."""

    def __init__(self, seconds: float, work: Callable[[], None]) -> None:
        self._seconds = seconds
        self._work = work
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()

    @property
    def pending(self) -> bool:
        """Whether a call is still to come, or is being made."""
        return self._timer is not None and self._timer.is_alive()

    def __call__(self) -> None:
        """Ask for the call; asking again in time postpones it."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(self._seconds, self._work)
            self._timer.daemon = True
            self._timer.start()
