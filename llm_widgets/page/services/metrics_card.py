"""How a service is used, as small charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.widgets.chart import Chart
from llm_widgets.widgets.html import note, set_text
from llm_widgets.widgets.layout import button, card, grid
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    from llm_widgets.page.services.service_metrics import ServiceMetricsState


class MetricsCard:
    """The charts; ``box`` is what goes into the page."""

    def __init__(self, state: ServiceMetricsState) -> None:
        self._state = state
        self._source = note("")
        self._error = Notice()
        self._charts = grid()
        refresh = button("Refresh", style="outlined")
        refresh.on_click(lambda _: state.refresh())
        self.box = card("Last hour", self._error, self._source, self._charts, actions=(refresh,))
        state.observe(self._draw, ["usage", "loading", "error"])
        self._draw()

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
        self._charts.children = [
            Chart(
                label=series.label,
                unit=series.unit,
                points=[[time.timestamp(), value] for time, value in series.points],
                since=state.usage.since.timestamp(),
                until=state.usage.until.timestamp(),
            )
            for series in state.usage.series
        ]
