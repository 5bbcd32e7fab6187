"""The load test of a service: charts and a table by requests at once, and what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain.load_tests.plan import MOST_SECONDS
from llm_widgets.domain.load_tests.result import price_text, rows
from llm_widgets.widgets.chart import Chart
from llm_widgets.widgets.dialog import Field, FormDialog, Option, Values
from llm_widgets.widgets.html import note, paragraph, set_text
from llm_widgets.widgets.layout import button, card, grid, row, show_if, stack
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.table import Column, DataTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from llm_widgets.domain.load_tests.levels import Level
    from llm_widgets.domain.load_tests.result import LoadTest, Row
    from llm_widgets.domain.load_tests.verdicts import Curve
    from llm_widgets.domain.prices import Price
    from llm_widgets.page.services.load_tests import LoadTestState

_TRAITS = ["test", "asking", "running", "stopping", "doing", "curves", "limit", "advised", "error"]
_TIMES = (MOST_SECONDS, 60, 20)
"""Seconds that a test may take: a short one is coarse."""

_COLUMNS = (
    Column("requests", "Requests", "word"),
    Column("at_once", "At once", "number"),
    Column("tokens", "Tokens/s", "number"),
    Column("speed", "Tokens/s of each", "number"),
    Column("ttft", "TTFT p95 (s)", "number"),
    Column("latency", "Latency p95 (s)", "number"),
    Column("answered", "Answered", "number"),
    Column("failed", "Failed", "number"),
    Column("million", "1M tokens"),
)
_CHARTS = (
    ("tokens_per_second", "tokens per second", ""),
    ("ttft_95", "TTFT p95", "s"),
    ("latency_95", "latency p95", "s"),
)
"""What is drawn of a level: its attribute, what that is, and its unit."""


class LoadTestCard:
    """Draws the load test; ``box`` is what goes into the page, ``dialog`` beside it.

    Parameters
    ----------
    apply
        Shows the change of the service that the test advises.
    """

    def __init__(self, state: LoadTestState, apply: Callable[[], None]) -> None:
        self._state = state
        self._notice, self._limit = Notice(), Notice()
        self._notice.on_action(state.stop)
        self._limit.on_action(state.restore)
        self._advice = stack()
        self._apply = button("", style="outlined")
        self._apply.tooltip = "Opens the form with this change, to review it first"
        self._apply.on_click(lambda _: apply())
        self._charts = grid()
        self._table = DataTable(caption="Load test", columns=_COLUMNS)
        self._source = note("")
        self._run = button("Run load test", style="outlined")
        self._run.on_click(lambda _: state.ask())
        self.dialog = FormDialog(title="Run load test", submit_label="Run")
        self.dialog.on_submit(self._begin)
        self.box = card(
            "Load test",
            self._limit,
            self._notice,
            self._advice,
            row(self._apply),
            self._charts,
            self._table,
            self._source,
            text="Measures how many concurrent requests an instance is good for, and what tokens "
            "cost. Run shows the price first.",
            actions=[self._run],
        )
        state.observe(self._offer, "offer")
        state.observe(self._draw, _TRAITS)
        self._draw()

    def _offer(self, _: object = None) -> None:
        """Name the price, and ask."""
        offer = self._state.offer
        if offer is None:
            return
        options = tuple(Option(f"{each:g}", offer.lasting(each).time_text) for each in _TIMES)
        self.dialog.text = f"{offer.terms} Leaving this service's page ends it."
        self.dialog.set_fields(
            [Field("seconds", "Time", "select", options=options, value=options[0].value)]
        )
        self.dialog.show()

    def _begin(self, values: Values) -> None:
        self.dialog.close()
        self._state.run(float(values["seconds"]))

    def _draw(self, _: object = None) -> None:
        state = self._state
        self._run.disabled = state.asking or state.running
        if state.error:
            self._notice.show_error(state.error)
        elif state.running:
            label = "" if state.stopping else "Stop"
            text = "Stopping …" if state.stopping else state.doing or "Starting …"
            self._notice.show("info", text, action_label=label)
        elif state.asking:
            self._notice.show("info", "Reading the price …")
        else:
            self._notice.clear()
        self._draw_limit()
        test = None if state.running else state.test
        hour = test.hour if test else None
        self._draw_curves(test.curves if test else state.curves, hour, is_priced=bool(test))
        self._advice.children = [paragraph(each) for each in test.advice] if test else []
        self._apply.description = f"{state.advised} …"
        show_if(test and state.advised, self._apply)
        set_text(self._source, _source(test) if test else "")

    def _draw_limit(self) -> None:
        limit = self._state.limit
        if limit is None or self._state.running:
            self._limit.clear()
            return
        self._limit.show(
            "warning",
            f"A load test has limited this service to one instance: "
            f"{limit.text or 'it may still run'}.",
            detail="If it was broken off, give the service its own limit back.",
            action_label="Restore limit",
        )

    def _draw_curves(
        self, curves: tuple[Curve, ...], hour: Price | None, *, is_priced: bool
    ) -> None:
        listed = rows(curves, hour)
        show_if(listed, self._table, self._charts)
        self._table.rows = [_row(each, is_priced=is_priced) for each in listed]
        self._charts.children = [
            chart for curve in curves if curve.levels for chart in _charts(curve)
        ]


def _source(test: LoadTest) -> str:
    priced = f", at {price_text(test.hour)} an hour" if test.hour else ""
    return (
        f"Measured {test.at:%Y-%m-%d %H:%M} UTC in {test.seconds:.0f} s, revision {test.revision}"
        f"{priced}. TTFT: time to first token. p95: 95% take no longer. Kept with the service."
    )


def _row(row: Row, *, is_priced: bool) -> dict[str, Any]:
    level, failed = row.level, row.level.refused + row.level.failed
    return {
        "id": f"{row.shape.id}-{level.at_once}",
        "name": f"{row.shape.label}, {level.at_once} at once",
        "requests": {"text": row.shape.label, "note": level.reason},
        "at_once": level.at_once,
        "tokens": _rounded(level.tokens_per_second, 1),
        "speed": _rounded(level.speed, 1),
        "ttft": _rounded(level.ttft_95, 2),
        "latency": _rounded(level.latency_95, 2),
        "answered": level.answered,
        "failed": failed,
        "million": row.million_text if is_priced else None,
    }


def _charts(curve: Curve) -> Iterator[Chart]:
    best = curve.knee.best
    for attribute, label, unit in _CHARTS:
        known = [each for each in curve.levels if getattr(each, attribute) is not None]
        if not known:
            continue
        yield Chart(
            label=f"{curve.shape.label}: {label}",
            unit=unit,
            points=[[each.at_once, getattr(each, attribute)] for each in known],
            steps=[str(each.at_once) for each in known],
            marked=known.index(best) if best in known else -1,
            words=_words(best, attribute, unit),
        )


def _words(best: Level | None, attribute: str, unit: str) -> str:
    value = getattr(best, attribute) if best else None
    if best is None or value is None:
        return "By concurrent requests"
    return f"By concurrent requests · {value:.4g}{f' {unit}' if unit else ''} with {best.at_once}"


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
