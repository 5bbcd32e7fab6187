"""A checklist: what is in order, what is not, and what can be done about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import traitlets as t

from llm_widgets.widgets._component import Component, callbacks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from llm_widgets.widgets.table import StatusState


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A row of a `Checklist`.

    Attributes
    ----------
    id
        Unique and stable.
    title, purpose
        What is checked, and in a quieter line what it is for.
    state, word
        Icon, and the word beside it.
    text
        What was found, one sentence.
    detail
        More of it, folded away.
    advice
        What to do, one sentence.
    command
        Command lines with a copy button.
    link_text, link_url
        A page that helps.
    action_label
        A button; see `Checklist.on_action`.
    busy
        Words beside a turning icon in place of the button, while the action runs.
    problem
        Why the action failed.
    """

    id: str
    title: str
    purpose: str
    state: StatusState
    word: str
    text: str = ""
    detail: str = ""
    advice: str = ""
    command: str = ""
    link_text: str = ""
    link_url: str = ""
    action_label: str = ""
    busy: str = ""
    problem: str = ""


class Checklist(Component, module="checklist"):
    """Rows with a state each, and below a row that is not in order what to do.

    Parameters
    ----------
    label
        What the list is, for screen readers.
    summary
        A line above it.
    checked_at
        When it was last complete: seconds since 1970, or 0; shown as an age.
    """

    label = t.Unicode().tag(sync=True)
    summary = t.Unicode().tag(sync=True)
    checked_at = t.Float(0.0).tag(sync=True)
    rows = t.List(t.Dict()).tag(sync=True)

    def __init__(self, rows: Sequence[CheckRow] = (), **traits: Any) -> None:
        self._action_callbacks = callbacks()
        super().__init__(rows=[asdict(row) for row in rows], **traits)

    def show(self, rows: Sequence[CheckRow], *, summary: str = "", checked_at: float = 0) -> None:
        """Show other rows; one that has not changed stays as it is, with its focus."""
        with self.hold_sync():
            self.rows = [asdict(row) for row in rows]
            self.summary = summary
            self.checked_at = checked_at

    def on_action(self, callback: Callable[[str], object], *, remove: bool = False) -> None:
        """Call ``callback(row_id)`` when the button of a row is pressed."""
        self._action_callbacks.register_callback(callback, remove=remove)

    def _on_action_message(self, content: dict[str, Any]) -> None:
        """Report the button of a row that has one: the page may be behind."""
        row = next((row for row in self.rows if row["id"] == content.get("row")), None)
        if row and row["action_label"] and not row["busy"]:
            self._action_callbacks(row["id"])
