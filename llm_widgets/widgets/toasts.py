"""Short messages about what has just happened."""

from __future__ import annotations

from typing import Literal

from llm_widgets.widgets._component import Component

ToastKind = Literal["info", "success", "error"]


class Toasts(Component, module="toasts"):
    """Short messages in a corner of the page.

    They are messages and no state: sent before a page is open, they are lost; a reload does not
    repeat them. Errors stay until they are closed, the others go after seven seconds.
    """

    def info(self, text: str, *, link: tuple[str, str] | None = None) -> None:
        """Say that something is under way; ``link`` is ``(text, address)``."""
        self._say("info", text, link)

    def success(self, text: str, *, link: tuple[str, str] | None = None) -> None:
        """Say that something is done."""
        self._say("success", text, link)

    def error(self, text: str, *, link: tuple[str, str] | None = None) -> None:
        """Say that something failed, and why."""
        self._say("error", text, link)

    def _say(self, kind: ToastKind, text: str, link: tuple[str, str] | None) -> None:
        self.send({"type": "toast", "kind": kind, "text": text, "link": link})
