"""The browser's address bar: which place it says, and where Back and Forward lead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets as t

from llm_widgets.widgets._component import Component, callbacks
from llm_widgets.widgets._own_page import is_own_page

if TYPE_CHECKING:
    from collections.abc import Callable


class Address(Component, module="address"):
    """Carries what stands after ``#`` in the address of our own page.

    In a notebook the address is the host's: nothing of it is read or changed.

    Parameters
    ----------
    place
        Address of the place that is shown, with its ``#``; empty while that is not known.
    title
        What a bookmark of it is called.
    replaces
        Whether it takes the place of the last one, so that Back does not lead there.
    """

    place = t.Unicode().tag(sync=True)
    title = t.Unicode().tag(sync=True)
    replaces = t.Bool(default_value=True).tag(sync=True)
    heard = t.Int(0, help="number of the last message that was taken").tag(sync=True)
    is_used = t.Bool().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self._went_callbacks = callbacks()
        super().__init__(is_used=is_own_page(), **traits)

    def on_went(self, callback: Callable[[str], object], *, remove: bool = False) -> None:
        """Call ``callback(address)`` when the browser is at an address, also at first."""
        self._went_callbacks.register_callback(callback, remove=remove)

    def show(self, place: str, title: str, *, replaces: bool) -> None:
        """Set the address of what is shown."""
        with self.hold_sync():
            self.replaces = replaces
            self.title = title
            self.place = place

    def _on_went_message(self, content: dict[str, Any]) -> None:
        """Take an address; what is shown since is of it, so that none of before is set again."""
        address, number = content.get("address"), content.get("number")
        if not isinstance(address, str) or not isinstance(number, int) or number <= self.heard:
            return
        with self.hold_sync():
            self._went_callbacks(address)
            self.heard = number
