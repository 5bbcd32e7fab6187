"""Text that grows: a log."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import traitlets as t

from llm_widgets.widgets._batch import Batch
from llm_widgets.widgets._component import Component

if TYPE_CHECKING:
    from collections.abc import Iterable

Item = dict[str, str]


class Stream(Component, module="stream"):
    """An append-only pane that stays cheap at any length: only what is new crosses the wire.

    The methods may be called from any thread and as often as needed; the page is told at most
    ten times a second. The pane follows its end unless the reader has scrolled away from it.

    Parameters
    ----------
    label
        Name of the pane, for screen readers.
    placeholder
        What stands there while it is empty.
    height
        CSS height of the pane.
    max_items
        How many items are kept; older ones go.
    """

    label = t.Unicode().tag(sync=True)
    placeholder = t.Unicode().tag(sync=True)
    height = t.Unicode("320px").tag(sync=True)
    max_items = t.Int(2000).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self._lock = threading.Lock()
        self._history: list[Item] = []
        self._pending: list[dict[str, Any]] = []
        self._batch = Batch(self._send_pending, every=0.1)
        super().__init__(**traits)

    @property
    def items(self) -> list[Item]:
        """What the pane shows: ``{"text", "kind", "label"}`` each. A copy."""
        with self._lock:
            return [dict(item) for item in self._history]

    def append(self, text: str, kind: str = "", *, label: str = "") -> None:
        """Add an item.

        Parameters
        ----------
        text
            Shown as it is, never read as HTML.
        kind
            The severity: ``"info"``, ``"warning"``, ``"error"``.
        label
            Shown before the text, for example the time.
        """
        self.extend([{"text": text, "kind": kind, "label": label}])

    def extend(self, items: Iterable[Item]) -> None:
        """Add several items at once; each has the keys ``text``, ``kind`` and ``label``."""
        added = _whole(items)
        with self._lock:
            self._history.extend(added)
            excess = len(self._history) - self.max_items
            if excess > 0:
                del self._history[:excess]
            last = self._pending[-1] if self._pending else None
            copies = [dict(item) for item in added]
            if last is not None and last["type"] == "append":
                last["items"].extend(copies)
            else:
                self._pending.append({"type": "append", "items": copies})
        self._batch.touch()

    def prepend(self, items: Iterable[Item]) -> None:
        """Add several items before the others; the pane scrolls to where they join."""
        added = _whole(items)
        with self._lock:
            self._history[:0] = added
            copies = [dict(item) for item in added]
            self._pending.append({"type": "prepend", "items": copies})
        self._batch.touch()

    def clear(self) -> None:
        """Remove everything."""
        with self._lock:
            self._history.clear()
            self._pending = [{"type": "reset", "items": []}]
        self._batch.touch()

    def _send_pending(self) -> None:
        with self._lock:
            pending, self._pending = self._pending, []
        for message in pending:
            self.send(message)

    def _on_ready_message(self, _content: dict[str, Any]) -> None:
        """Send a page that has just opened all that there is."""
        with self._lock:
            self._pending = [
                {"type": "reset", "items": [dict(item) for item in self._history]},
            ]
        self._batch.now()


def _whole(items: Iterable[Item]) -> list[Item]:
    return [
        {"text": item["text"], "kind": item.get("kind", ""), "label": item.get("label", "")}
        for item in items
    ]
