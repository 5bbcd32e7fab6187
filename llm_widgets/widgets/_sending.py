"""Widgets that several threads change at the same time."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import ipywidgets as w

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Sending(w.Widget):  # type: ignore[misc] # ipywidgets has no types
    """A widget whose traits are set in more than one thread, for a class that names it first.

    ipywidgets expects one. With two, a value that is read first may be sent last, so that the
    browser keeps the older one, and what is set while `hold_sync` ends may never be sent.
    """

    _holding_sync: bool
    _states_to_send: set[str]
    _sending: threading.RLock

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Make the lock with the widget: one that is refused by its ``__init__`` is closed, too."""
        made: Self = super().__new__(cls, *args, **kwargs)
        made._sending = threading.RLock()  # whoever has it waits for no other lock
        return made

    @contextmanager
    def hold_sync(self) -> Iterator[None]:
        """Send what is set meanwhile in one message."""
        if self._holding_sync:
            yield
            return
        self._holding_sync = True
        try:
            yield
        finally:
            with self._sending:
                self._holding_sync = False
                held, self._states_to_send = self._states_to_send, set()
                self.send_state(held)

    def send_state(self, key: str | Iterable[str] | None = None) -> None:
        """Send the traits of these names, or all, as they are now."""
        with self._sending:
            super().send_state(key)

    def _should_send_property(self, key: str, value: object) -> bool:
        with self._sending:
            return bool(super()._should_send_property(key, value))
