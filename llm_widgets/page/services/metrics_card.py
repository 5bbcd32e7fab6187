"""How a service is used, as charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from llm_widgets.widgets.chart import Chart
from llm_widgets.widgets.html import note, set_text
from llm_widgets.widgets.layout import button, card, grid
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    from llm_widgets.page.services.service_metrics import ServiceMetricsState


_TIMES = (
    ("Last hour", 60),
    ("Last 6 hours", 6 * 60),
    ("Last day", 24 * 60),
    ("Last 7 days", 7 * 24 * 60),
)
"""Words, and minutes."""


class MetricsCard:
    """The charts; ``box`` is what goes into the page."""

    def __init__(self, state: ServiceMetricsState) -> None:
        self._state = state
        self._source = note("")
        self._error = Notice()
        self._charts = grid()
        refresh = button("Refresh", style="outlined")
        refresh.on_click(lambda _: state.refresh())
        self._time = w.Dropdown(description="Time", options=_TIMES, value=state.minutes)
        self._time.observe(lambda _: self._choose(), "value")
        self.box = card(
            "Metrics", self._time, self._error, self._source, self._charts, actions=(refresh,)
        )
        state.observe(self._draw, ["usage", "loading", "error"])
        self._draw()

    def _choose(self) -> None:
        self._state.minutes = self._time.value

    def _draw(self, _: object = None) -> None:
        state = self._state
        if state.error:
            self._error.show_error(state.error)
        else:
            self._error.clear()
        if state.usage is None:
            set_text(self._source, "Reading …" if state.loading else "")
            return
        missing = state.usage.missing
        not_had = f" Unavailable: {missing}." if missing else ""
        set_text(self._source, f"Data can lag by a few minutes.{not_had}")
        # The same charts as before: one whose table is open stays so.
        there = {chart.label: chart for chart in self._charts.children}
        charts = [
            there.get(series.label) or Chart(label=series.label, unit=series.unit)
            for series in state.usage.series
        ]
        for chart, series in zip(charts, state.usage.series, strict=True):
            with chart.hold_sync():
                chart.points = [[time.timestamp(), value] for time, value in series.points]
                chart.since = state.usage.since.timestamp()
                chart.until = state.usage.until.timestamp()
        self._charts.children = charts
