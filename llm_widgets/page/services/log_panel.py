"""The log of a service."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import ipywidgets as w

from llm_widgets.page.services.log_search import MOST
from llm_widgets.widgets.layout import button, card, row
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from llm_widgets.gcp.observe.logs import LogEntry
    from llm_widgets.page.services.log_search import LogSearch
    from llm_widgets.page.services.service_logs import LogTail

_SEVERITIES = (
    ("All", ""),
    ("Info and above", "INFO"),
    ("Warnings and errors", "WARNING"),
    ("Errors", "ERROR"),
)
_KINDS = {"WARNING": "warning", "NOTICE": "info", "INFO": "info"}
_LOUD = ("ERROR", "CRITICAL", "ALERT", "EMERGENCY")
_EMPTY = "No log entries yet."


class LogPanel:
    """A log that grows, with a filter and a search; ``box`` is what goes into the page."""

    def __init__(self, tail: LogTail, search: LogSearch) -> None:
        self._tail = tail
        self._state = search
        self._stream = log_stream(search, "Log", "420px", max_items=MOST)
        search.on_earlier(lambda entries: self._stream.prepend(_items(entries)))
        self._notice = Notice()
        self._severity = w.Dropdown(description="Severity", options=_SEVERITIES)
        self._search = w.Text(description="Search", placeholder="Text", continuous_update=False)
        self._pause = button("Pause", style="outlined")
        self._earlier = button("Show earlier", style="outlined")
        self.box = card(
            "Logs",
            self._notice,
            row(self._severity, self._search, self._pause, self._earlier),
            self._stream,
        )
        w.link((self._severity, "value"), (search, "severity"))
        self._search.observe(self._searched, "value")
        self._pause.on_click(lambda _: self._paused())
        self._earlier.on_click(lambda _: search.show_earlier())
        tail.observe(self._draw, ["error", "slowed"])
        search.observe(self._draw, ["error", "loading", "has_earlier", "severity", "search"])
        self._draw()

    def _searched(self, _: object) -> None:
        self._state.search = self._search.value.strip()

    def _paused(self) -> None:
        self._state.paused = not self._state.paused
        self._pause.description = "Resume" if self._state.paused else "Pause"

    def _draw(self, _: object = None) -> None:
        state = self._state
        error = state.error or self._tail.error
        if error:
            self._notice.show_error(error)
        elif self._tail.slowed:
            self._notice.show("info", self._tail.slowed)
        else:
            self._notice.clear()
        self._earlier.disabled = state.loading or not state.has_earlier
        self._earlier.description = "Reading …" if state.loading else "Show earlier"
        if state.loading:
            self._stream.placeholder = "Reading …"
        else:
            is_all = not (state.severity or state.search)
            self._stream.placeholder = _EMPTY if is_all else "No entry matches."


def log_stream(
    log: LogTail | LogSearch, label: str, height: str, *, max_items: int = 2000
) -> Stream:
    """Make a pane that follows a log."""
    stream = Stream(label=label, height=height, placeholder=_EMPTY, max_items=max_items)

    def reset(entries: Sequence[LogEntry]) -> None:
        stream.clear()
        stream.extend(_items(entries))

    log.on_added(lambda entries: stream.extend(_items(entries)))
    log.on_reset(reset)
    stream.extend(_items(log.entries))
    return stream


def _items(entries: Iterable[LogEntry]) -> list[dict[str, str]]:
    today = datetime.now().astimezone().date()
    return [
        {
            "text": entry.text,
            "kind": "error" if entry.severity in _LOUD else _KINDS.get(entry.severity, ""),
            "label": _time(entry, today),
        }
        for entry in entries
    ]


def _time(entry: LogEntry, today: date) -> str:
    if entry.time is None:
        return ""
    local = entry.time.astimezone()
    return local.strftime("%H:%M:%S" if local.date() == today else "%Y-%m-%d %H:%M:%S")
