"""Kernels: which one runs the page, and when it has to go."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from traitlets import Float, Int, List, Unicode

if TYPE_CHECKING:
    from jupyter_client.manager import KernelManager

ABANDON_AFTER = 600.0
"""Seconds without a browser after which a kernel goes."""

LOOK_EVERY = 15
"""Seconds between two looks for such kernels."""


class OwnKernelSpecManager(KernelSpecManager):
    """Knows one kernel: the Python that runs this server.

    Kernels that a person has installed elsewhere under the same name don't have our packages.
    """

    kernel_dirs = List(Unicode(), default_value=[])
    ensure_native_kernel = True


@dataclass(slots=True)
class _Alone:
    """A kernel without a browser: since when, and when that was last looked at (seconds)."""

    since: float
    looked: float


class AbandonedKernelManager(AsyncMappingKernelManager):
    """Shuts a kernel down once no browser has been connected to it for a while.

    Jupyter's own rule waits for a kernel to be idle, which one whose threads update widgets
    never is; and it does not see kernels that no browser ever connected to.

    Kernels that Voilà keeps warm are not looked at: Voilà leaves them out of the round.
    """

    abandon_after = Float(
        ABANDON_AFTER, config=True, help="Seconds without a browser after which a kernel goes."
    )
    cull_interval = Int(LOOK_EVERY, config=True, help="Seconds between two rounds.")
    # Above zero: that switches the rounds on. The rule itself is `cull_kernel_if_idle` below.
    cull_idle_timeout = Int(1, config=True)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call] # it has no types
        self._alone: dict[str, _Alone] = {}

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
        if now - alone.since < self.abandon_after:
            return
        self._alone.pop(kernel_id, None)
        self.log.info(
            "No browser for %.0f s: shutting kernel %s down", now - alone.since, kernel_id
        )
        await self.shutdown_kernel(kernel_id)  # type: ignore[no-untyped-call] # as above

    async def settle(self) -> None:
        """Wait until no kernel is in the middle of its start; one that is can't be shut down."""
        while starting := [task for task in self._pending_kernels.values() if not task.done()]:
            await asyncio.gather(*starting, return_exceptions=True)

    def remove_kernel(self, kernel_id: str) -> KernelManager:
        """Forget a kernel that has gone."""
        self._alone.pop(kernel_id, None)
        removed: KernelManager = super().remove_kernel(kernel_id)
        return removed
