"""The log of a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from llm_widgets.widgets.layout import button, card, row
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from llm_widgets.cloud.logs import LogEntry
    from llm_widgets.state.service_logs import LogTail

_SEVERITIES = (
    ("All", ""),
    ("Info and above", "INFO"),
    ("Warnings and errors", "WARNING"),
    ("Errors", "ERROR"),
)
_KINDS = {"WARNING": "warning", "NOTICE": "info", "INFO": "info"}
_LOUD = ("ERROR", "CRITICAL", "ALERT", "EMERGENCY")


class LogViewer:
    """A log that grows, with a filter and a search; ``box`` is what goes into the page."""

    def __init__(self, tail: LogTail) -> None:
        self._tail = tail
        self._stream = log_stream(tail, "Log", "420px")
        self._notice = Notice()
        self._severity = w.Dropdown(description="Severity", options=_SEVERITIES)
        self._search = w.Text(description="Search", placeholder="Text", continuous_update=False)
        self._pause = button("Pause", style="outlined")
        self.box = card(
            "Logs", self._notice, row(self._severity, self._search, self._pause), self._stream
        )
        w.link((self._severity, "value"), (tail, "severity"))
        self._search.observe(self._searched, "value")
        self._pause.on_click(lambda _: self._paused())
        tail.observe(self._draw, "error")
        self._draw()

    def _searched(self, _: object) -> None:
        self._tail.search = self._search.value.strip()

    def _paused(self) -> None:
        self._tail.paused = not self._tail.paused
        self._pause.description = "Go on" if self._tail.paused else "Pause"

    def _draw(self, _: object = None) -> None:
        if self._tail.error:
            self._notice.show_error(self._tail.error)
        else:
            self._notice.clear()


def log_stream(tail: LogTail, label: str, height: str) -> Stream:
    """Make a pane that follows a log."""
    stream = Stream(
        label=label, kind="log", height=height, placeholder="Nothing has been logged yet."
    )

    def reset(entries: Sequence[LogEntry]) -> None:
        stream.clear()
        stream.extend(_items(entries))

    tail.on_added(lambda entries: stream.extend(_items(entries)))
    tail.on_reset(reset)
    stream.extend(_items(tail.entries))
    return stream


def _items(entries: Iterable[LogEntry]) -> list[dict[str, str]]:
    return [
        {
            "text": entry.text,
            "kind": "error" if entry.severity in _LOUD else _KINDS.get(entry.severity, ""),
            "label": entry.time.astimezone().strftime("%H:%M:%S") if entry.time else "",
        }
        for entry in entries
    ]
