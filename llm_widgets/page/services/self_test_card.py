"""The self-test of a service: a button, and a row for each thing that was tested."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.self_tests import Outcome, Tested, summary
from llm_widgets.widgets.checklist import Checklist, CheckRow
from llm_widgets.widgets.layout import button, card, show_if
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.diagnosis import Remedy
    from llm_widgets.page.services.self_test import SelfTestState
    from llm_widgets.widgets.table import StatusState

_STATES: dict[Outcome, StatusState] = {
    Outcome.PASSED: "ok",
    Outcome.WEAK: "warning",
    Outcome.FAILED: "error",
    Outcome.SKIPPED: "off",
}
_TRAITS = ["tests", "running", "error", "ended_at"]


class SelfTestCard:
    """Draws the self-test; ``box`` is what goes into the page.

    Parameters
    ----------
    remedy
        Called with a remedy and with what is to be called when it is done or has failed.
    fixes
        Whether remedies are offered: they change the service.
    """

    def __init__(
        self,
        state: SelfTestState,
        remedy: Callable[[Remedy, Callable[[], None]], None],
        *,
        fixes: Callable[[], bool] = lambda: True,
    ) -> None:
        self._state = state
        self._fixes = fixes
        self._remedy = remedy
        self._acting = ""
        self._rows = Checklist(label="Self-test")
        self._notice = Notice()
        self._run = button("Run self-test", style="outlined")
        self._run.on_click(lambda _: state.run())
        self._rows.on_action(self._act)
        self.box = card(
            "Self-test",
            self._notice,
            self._rows,
            text="Sends one small request for everything that the model should do.",
            actions=[self._run],
        )
        state.observe(self._draw, _TRAITS)
        self._draw()

    def close(self) -> None:
        """Draw no more."""
        self._state.unobserve(self._draw, _TRAITS)

    def _act(self, title: str) -> None:
        remedy = next((each.remedy for each in self._state.tests if each.title == title), None)
        if remedy is None or self._acting:
            return
        self._acting = title
        self._draw()

        def ended() -> None:
            self._acting = ""
            self._draw()

        self._remedy(remedy, ended)

    def _draw(self, _: object = None) -> None:
        state = self._state
        self._run.disabled = state.running
        if state.error:
            self._notice.show_error(state.error)
        elif state.running:
            self._notice.show("info", "Testing …")
        else:
            self._notice.clear()
        show_if(state.tests, self._rows)
        self._rows.show(
            [self._row(each) for each in state.tests],
            summary="" if state.running else summary(state.tests),
            checked_at=state.ended_at if state.tests and not state.running else 0,
        )

    def _row(self, tested: Tested) -> CheckRow:
        remedy = tested.remedy
        return CheckRow(
            id=tested.title,
            title=tested.title,
            purpose="" if tested.seconds is None else f"{tested.seconds:.1f} s",
            state=_STATES[tested.outcome],
            word=tested.outcome.value,
            text=tested.text,
            advice=remedy.text if remedy else tested.advice,
            action_label="Redeploy with this fix" if remedy and self._fixes() else "",
            busy="Working …" if self._acting == tested.title else "",
        )
