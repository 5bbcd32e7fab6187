"""Kernels: which one runs the page, whose it is, how many there are, and when they have to go."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from traitlets import Bool, Float, Int, List, Unicode, default

from llm_widgets.config import OWN_PAGE_VARIABLE, VOUCHED, VOUCHED_VARIABLE
from llm_widgets.domain.page_memory import (
    KERNEL_BYTES,
    SPAWNED_KERNEL_BYTES,
    most_kernels,
)
from llm_widgets.server import forking
from llm_widgets.server.forking import PROVISIONER, PreparedProcess
from llm_widgets.server.memory import memory_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jupyter_client.manager import KernelManager

ABANDON_AFTER = 600.0
"""Seconds without a browser after which a kernel goes."""

UNREACHED_AFTER = 60.0
"""Seconds after which a kernel goes that no browser ever reached."""

LOOK_EVERY = 15
"""Seconds between two looks for such kernels."""

MOST_ARRIVALS = 2
"""Pages of one visitor that are on their way to their kernels; a further one waits for these."""

ARRIVE_WITHIN = 5.0
"""Seconds after which a page that was sent gives way to a newer one of the same visitor."""


# A kernel that ends early has coroutines that nobody awaited. Telling so fails in ipykernel, with a
# traceback in the server's log: its loop is closed by then.
_NO_UNAWAITED = "ignore:coroutine:RuntimeWarning"


class OwnKernelSpecManager(KernelSpecManager):
    """Knows one kernel: the Python that runs this server.

    Kernels that a person has installed elsewhere under the same name don't have our packages.
    """

    kernel_dirs = List(Unicode(), default_value=[])
    ensure_native_kernel = True

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return how a kernel is started: by `ForkedProvisioner`."""
        forking.register()
        found = super().get_kernel_spec(kernel_name)
        found.metadata = {
            **found.metadata,
            "kernel_provisioner": {"provisioner_name": PROVISIONER},
        }
        return found


def prepared_process() -> PreparedProcess | None:
    """Start the process that the page's kernels are forked from, where there can be one."""
    if not PreparedProcess.is_possible():
        return None
    return PreparedProcess("llm_widgets.page.preparation:prepare", _of_the_page(os.environ))


def _of_the_page(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a kernel that shows the page."""
    warnings = filter(None, (environment.get("PYTHONWARNINGS"), _NO_UNAWAITED))
    return {**environment, OWN_PAGE_VARIABLE: "1", "PYTHONWARNINGS": ",".join(warnings)}


@dataclass(slots=True)
class _Alone:
    """A kernel without a browser: since when, and when that was last looked at (seconds)."""

    since: float
    looked: float


class FullError(Exception):
    """There is no room for another kernel."""


@dataclass(eq=False, slots=True)
class Arrival:
    """A page on its way: from the visitor's request until their browser reaches its kernel.

    Attributes
    ----------
    visitor
        Whose it is.
    kernel_id
        Its kernel, once there is one.
    sent
        When the page was sent, in seconds of the manager's clock; ``None`` while it is made.
    is_left
        Whether the visitor has closed it before it was sent.
    """

    visitor: str
    kernel_id: str = ""
    sent: float | None = None
    is_left: bool = False


class AbandonedKernelManager(AsyncMappingKernelManager):
    """Knows whose a kernel is, and shuts it down once no browser has been connected for a while.

    Jupyter's own rule waits for a kernel to be idle, which one whose threads update widgets
    never is; and it does not see kernels that no browser ever connected to.

    Kernels that Voilà keeps warm are not looked at: Voilà leaves them out of the round.
    """

    abandon_after = Float(
        ABANDON_AFTER, config=True, help="Seconds without a browser after which a kernel goes."
    )
    unreached_after = Float(
        UNREACHED_AFTER, config=True, help="The same for one that no browser ever reached."
    )
    most_kernels = Int(config=True, help="How many kernels there are at most, warm ones included.")
    prepared: PreparedProcess | None = None
    """What kernels are forked from; without it they are started as Jupyter does it."""

    vouches = Bool(config=True, help="Whether the kernels may believe who the server says visits.")
    cull_interval = Int(LOOK_EVERY, config=True, help="Seconds between two rounds.")
    # Above zero: that switches the rounds on. The rule itself is `cull_kernel_if_idle` below.
    cull_idle_timeout = Int(1, config=True)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call] # it has no types
        self._alone: dict[str, _Alone] = {}
        self._visitors: dict[str, str] = {}
        self._arrivals: list[Arrival] = []
        self._changed = asyncio.Event()

    @default("most_kernels")
    def _most_kernels_of_the_memory(self) -> int:
        is_forked = PreparedProcess.is_possible()
        return most_kernels(memory_bytes(), KERNEL_BYTES if is_forked else SPAWNED_KERNEL_BYTES)

    def now(self) -> float:
        """Return the seconds of a clock that never goes back."""
        return time.monotonic()

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        """Look at one kernel in a round."""
        if self._kernel_connections.get(kernel_id, 0) > 0:
            self._alone.pop(kernel_id, None)
            return
        now = self.now()
        alone = self._alone.get(kernel_id)
        # Not looked at in the rounds before: it was kept warm then, and has been taken since.
        if alone is None or now - alone.looked > 3 * self.cull_interval:
            self._alone[kernel_id] = _Alone(since=now, looked=now)
            return
        alone.looked = now
        if now < self._end_of_patience(kernel_id, alone.since):
            return
        self._alone.pop(kernel_id, None)
        self.log.info(
            "No browser for %.0f s: shutting kernel %s down", now - alone.since, kernel_id
        )
        await self.shutdown_kernel(kernel_id)  # type: ignore[no-untyped-call] # as above

    def _end_of_patience(self, kernel_id: str, since: float) -> float:
        """Return when a kernel goes that has been alone since then; a new page's sooner."""
        for each in self._arrivals:
            if each.kernel_id == kernel_id and each.sent is not None:
                since = max(since, each.sent)
                return since + min(self.unreached_after, self.abandon_after)
        return since + self.abandon_after

    async def admit(self, visitor: str, has_gone: Callable[[], bool]) -> Arrival | None:
        """Let a visitor's page begin, or wait until it may.

        Parameters
        ----------
        visitor
            Whose page it is.
        has_gone
            Whether they have gone meanwhile; `wake` makes it be asked again.

        Returns
        -------
        Arrival or None
            The page; ``None`` if the visitor has gone.

        Raises
        ------
        FullError
            All kernels that there may be are taken.
        """
        while len(mine := [each for each in self._arrivals if each.visitor == visitor]) >= (
            MOST_ARRIVALS
        ):
            if has_gone():
                return None
            await self._give_way([each for each in mine if each.sent is not None])
        if has_gone():
            return None
        # A warm kernel that nobody has is as good as room for one; the pool gets what is left.
        coming = sum(not each.kernel_id for each in self._arrivals)
        if len(self._visitors) + coming >= self.most_kernels:
            raise FullError
        arrival = Arrival(visitor)
        self._arrivals.append(arrival)
        return arrival

    async def _give_way(self, sent: list[Arrival]) -> None:
        """Wait for a change; then, or when it is late, end the oldest page that was long sent."""
        oldest = min(sent, key=lambda each: each.sent or 0.0, default=None)
        left = None
        if oldest is not None and oldest.sent is not None:
            left = oldest.sent + ARRIVE_WITHIN - self.now()
            if left <= 0:
                await self.leave(oldest)
                return
        changed = asyncio.ensure_future(self._changed.wait())
        await asyncio.wait([changed], timeout=left)
        changed.cancel()

    def wake(self) -> None:
        """Have all who wait look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    def claim(self, arrival: Arrival, kernel_id: str) -> None:
        """Note whose a kernel is."""
        arrival.kernel_id = kernel_id
        self._visitors[kernel_id] = arrival.visitor

    async def sent(self, arrival: Arrival) -> None:
        """Note that a page has been sent: its browser is to come soon, if it has not."""
        if arrival.is_left:
            await self.leave(arrival)
            return
        arrival.sent = self.now()
        if self.browsers(arrival.kernel_id):
            self._drop(arrival)
        self.wake()

    async def leave(self, arrival: Arrival) -> None:
        """End a page that did not come to its kernel, with the kernel."""
        if arrival.kernel_id:
            await self._end(arrival.kernel_id)
        self._drop(arrival)

    def _drop(self, arrival: Arrival) -> None:
        if arrival in self._arrivals:
            self._arrivals.remove(arrival)
            self.wake()

    def _arrivals_of(self, kernel_id: str) -> list[Arrival]:
        return [each for each in self._arrivals if each.kernel_id == kernel_id]

    def is_of(self, kernel_id: str, visitor: str) -> bool:
        """Return whether a kernel is this visitor's."""
        return self._visitors.get(kernel_id) == visitor

    def is_there(self, kernel_id: str) -> bool:
        """Return whether a kernel is some visitor's."""
        return kernel_id in self._visitors

    def browsers(self, kernel_id: str) -> int:
        """Return how many websockets a kernel has."""
        count: int = self._kernel_connections.get(kernel_id, 0)
        return count

    async def end_kernel(self, kernel_id: str) -> None:
        """Shut a visitor's kernel down; one that makes their page, as soon as it has done so."""
        making = [each for each in self._arrivals_of(kernel_id) if each.sent is None]
        for each in making:
            each.is_left = True
        if not making:
            await self._end(kernel_id)

    async def _end(self, kernel_id: str) -> None:
        """Shut a kernel down, once; at once if no browser has given it anything to do."""
        now = bool(self._arrivals_of(kernel_id))
        if self._visitors.pop(kernel_id, None) is not None and kernel_id in self:
            await self.shutdown_kernel(kernel_id, now=now)  # type: ignore[no-untyped-call] # as above

    async def start_kernel(self, **kwargs: Any) -> str:  # type: ignore[override] # as it is called
        """Start a kernel; a warm one as soon as there is room for it."""
        if kwargs.get("env", {}).get("VOILA_PREHEAT") == "True":
            while self._count() >= self.most_kernels:
                await self._changed.wait()
        env = _of_the_page(kwargs.pop("env", None) or os.environ)
        env.pop(VOUCHED_VARIABLE, None)
        if self.vouches:
            env[VOUCHED_VARIABLE] = VOUCHED
        kernel_id: str = await super().start_kernel(env=env, **kwargs)
        return kernel_id

    def _count(self) -> int:
        starting = (each for each, task in self._pending_kernels.items() if not task.done())
        return len({*self._kernels, *starting})

    def notify_connect(self, kernel_id: str) -> None:
        """Note that a browser has reached its kernel."""
        super().notify_connect(kernel_id)  # type: ignore[no-untyped-call] # as above
        for each in self._arrivals_of(kernel_id):
            if each.sent is not None:
                self._drop(each)

    async def settle(self) -> None:
        """Wait until no kernel is in the middle of its start or its end.

        One that starts can't be shut down, nor one whose end was broken off.
        """
        while changing := [task for task in self._pending_kernels.values() if not task.done()]:
            await asyncio.wait(changing)

    def remove_kernel(self, kernel_id: str) -> KernelManager:
        """Forget a kernel that has gone."""
        self._alone.pop(kernel_id, None)
        self._visitors.pop(kernel_id, None)
        removed: KernelManager = super().remove_kernel(kernel_id)
        for each in self._arrivals_of(kernel_id):
            self._drop(each)
        self.wake()
        return removed
