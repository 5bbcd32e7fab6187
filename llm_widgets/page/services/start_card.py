"""The phases of a start, with their seconds, beside those of the revision before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.failures.remedies import Remedy, RemedyKind
from llm_widgets.widgets.html import note, set_text
from llm_widgets.widgets.layout import card, show_if
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.table import Column, DataTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.starts import StartPhase
    from llm_widgets.page.services.service import ServicePageState

_SOONER = (
    "The log of this start offers an argument with which the same configuration starts sooner. The "
    "argument is removed when GPU, image, model, length or memory settings change."
)
_SHORTEST = 0.05  # seconds; what is shorter is shown as 0.0


class StartCard:
    """Draws how the newest revision started; ``box`` is what goes into the page.

    Parameters
    ----------
    remedy
        Called with a remedy and with what is to be called when it is done or has failed.
    """

    def __init__(
        self,
        state: ServicePageState,
        remedy: Callable[[Remedy, Callable[[], None]], None],
    ) -> None:
        self._state = state
        self._remedy = remedy
        self._is_acting = False
        self._offer = Notice()
        self._offer.on_action(self._act)
        self._advice = Notice()
        self._sentence = note("")
        self._table = DataTable(
            caption="Phases of the start",
            columns=(
                Column("phase", "Phase"),
                Column("seconds", "Seconds", "number"),
                Column("before", "Revision before", "number"),
                Column("rate", "GiB/s", "number"),
            ),
        )
        self.box = card("Start", self._sentence, self._table, self._offer, self._advice)
        state.observe(self._draw, "started")
        self._draw()

    def _act(self) -> None:
        """Deploy again with the argument."""
        started = self._state.started
        if started is None or not started.argument or self._is_acting:
            return
        self._is_acting = True

        def ended() -> None:
            self._is_acting = False

        told = {"add_argument": started.argument}
        self._remedy(Remedy(RemedyKind.REDEPLOY, _SOONER, told), ended)

    def _draw(self, _: object = None) -> None:
        started = self._state.started
        show_if(started, self.box)
        if started is None:
            return
        set_text(self._sentence, started.text)
        if started.argument and self._state.is_managed:
            self._offer.show(
                "info", _SOONER, detail=started.argument, action_label="Redeploy with this argument"
            )
        else:
            self._offer.clear()
        advice = started.advice
        if advice:
            self._advice.show("info", advice.text, detail=advice.change, command=advice.command)
        else:
            self._advice.clear()
        self._table.rows = [
            _row(phase)
            for phase in started.phases
            if max(phase.seconds, phase.before or 0.0) >= _SHORTEST
        ]


def _row(phase: StartPhase) -> dict[str, object]:
    return {
        "id": phase.name,
        "name": phase.name,
        "phase": phase.name,
        "seconds": round(phase.seconds, 1),
        "before": None if phase.before is None else round(phase.before, 1),
        "rate": None if phase.rate is None else round(phase.rate, 2),
    }
