"""The connection between the page and its kernel."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import traitlets as t

from llm_widgets.widgets._component import Component, callbacks

if TYPE_CHECKING:
    from collections.abc import Callable


class ConnectionGuard(Component, module="guard"):
    """A heartbeat; when Python stops answering, the page says so and offers to reload.

    It also tells Python when the first browser is there: a kernel that was started in advance
    must not load anything before that.

    Parameters
    ----------
    period_ms
        Milliseconds between two heartbeats.
    limit_ms
        Milliseconds without an answer after which the banner comes. Longer than any callback
        runs.
    text
        What the banner says.
    """

    period_ms = t.Int(10_000).tag(sync=True)
    limit_ms = t.Int(35_000).tag(sync=True)
    text = t.Unicode(
        "The connection to the manager was lost. What runs in the cloud goes on; "
        "reload the page to see it."
    ).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self._contact_callbacks = callbacks()
        self._seen: float | None = None
        super().__init__(**traits)

    @property
    def seconds_since_contact(self) -> float | None:
        """Seconds since the last heartbeat; ``None`` before the first."""
        return None if self._seen is None else time.monotonic() - self._seen

    def on_first_contact(self, callback: Callable[[], object], *, remove: bool = False) -> None:
        """Call ``callback()`` when the first browser is there; at once if one is."""
        self._contact_callbacks.register_callback(callback, remove=remove)
        if self._seen is not None and not remove:
            callback()

    def _on_ping_message(self, _content: dict[str, Any]) -> None:
        first = self._seen is None
        self._seen = time.monotonic()
        self.send({"type": "pong"})
        if first:
            self._contact_callbacks()
