"""The connection between the page and its kernel."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import traitlets as t

from llm_widgets.widgets._component import Component, callbacks
from llm_widgets.widgets._own_page import is_own_page

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
        What the banner says then.
    grey_ms, away_ms
        Milliseconds without a connection after which our own page is greyed, and has a banner.
    away_text, ended_text, signed_out_text
        What that banner says: while the page tries to come back, when its kernel has gone, and
        when whoever keeps strangers out does not know the visitor any more.
    is_seen
        Whether the browser shows the page: no other tab and no other program covers it all.
    """

    period_ms = t.Int(10_000).tag(sync=True)
    limit_ms = t.Int(35_000).tag(sync=True)
    text = t.Unicode(
        "Connection to the manager lost. Everything in the cloud keeps running. Reload the page."
    ).tag(sync=True)

    grey_ms = t.Int(3_000).tag(sync=True)
    away_ms = t.Int(10_000).tag(sync=True)
    away_text = t.Unicode(
        "The manager can't be reached. Trying again … Everything in the cloud keeps running."
    ).tag(sync=True)
    ended_text = t.Unicode(
        "Your session has ended. Everything in the cloud keeps running. Reload the page."
    ).tag(sync=True)
    signed_out_text = t.Unicode("Your sign-in has ended. Reload the page to sign in again.").tag(
        sync=True
    )

    is_seen = t.Bool(default_value=True)

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

    def tell_if_missed(self, tell: Callable[[], object], *, after: float) -> None:
        """Call ``tell()`` once, from a thread, if no browser is there after some seconds.

        On our own page it is never called: the server runs the notebook before a visitor comes.
        """
        if is_own_page():
            return

        def look() -> None:
            if self._seen is None:
                tell()

        timer = threading.Timer(after, look)
        timer.daemon = True
        timer.start()

    def _on_ping_message(self, _content: dict[str, Any]) -> None:
        first = self._seen is None
        self._seen = time.monotonic()
        self.send({"type": "pong"})
        if first:
            self._contact_callbacks()

    def _on_hidden_message(self, _content: dict[str, Any]) -> None:
        self.is_seen = False

    def _on_shown_message(self, _content: dict[str, Any]) -> None:
        self.is_seen = True
