"""Inline notices: what is the matter, and what can be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets as t

from llm_widgets.widgets._component import Component, callbacks

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.errors import ManagerError


class Notice(Component, module="notice"):
    """A line or a box within the page; without text it is not there.

    Parameters
    ----------
    kind
        ``"info"``, ``"success"``, ``"warning"`` or ``"error"``.
    text
        One sentence.
    detail
        More, in smaller type: a cause, the words of an API.
    command
        A command line with a copy button.
    link_text, link_url
        A page that helps; without a text, the link tells where it leads.
    action_label
        A button; see `on_action`.
    """

    kind = t.Enum(["info", "success", "warning", "error"], default_value="info").tag(sync=True)
    text = t.Unicode().tag(sync=True)
    detail = t.Unicode().tag(sync=True)
    command = t.Unicode().tag(sync=True)
    link_text = t.Unicode().tag(sync=True)
    link_url = t.Unicode().tag(sync=True)
    action_label = t.Unicode().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self._action_callbacks = callbacks()
        super().__init__(**traits)

    def on_action(self, callback: Callable[[], object], *, remove: bool = False) -> None:
        """Call ``callback()`` when the button is pressed."""
        self._action_callbacks.register_callback(callback, remove=remove)

    def show(
        self,
        kind: str,
        text: str,
        *,
        detail: str = "",
        command: str = "",
        link: tuple[str, str] = ("", ""),
        action_label: str = "",
    ) -> None:
        """Show something else; everything that is not given is gone."""
        with self.hold_sync():
            self.kind = kind
            self.text = text
            self.detail = detail
            self.command = command
            self.link_text, self.link_url = link
            self.action_label = action_label

    def show_error(
        self, error: ManagerError, *, kind: str = "error", text: str = "", action_label: str = ""
    ) -> None:
        """Show a failure with its cause and its fix; below another sentence when one is given."""
        fix = error.fix
        said = [error.message if text else "", error.cause, fix.text if fix else ""]
        self.show(
            kind,
            text or error.message,
            detail="\n".join(part for part in said if part),
            command=fix.command if fix else "",
            link=("", fix.url if fix else ""),
            action_label=action_label,
        )

    def clear(self) -> None:
        """Show nothing."""
        self.show("info", "")

    def _on_action_message(self, _content: dict[str, Any]) -> None:
        if self.action_label:
            self._action_callbacks()
