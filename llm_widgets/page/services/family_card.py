"""What the engine is told because of the model's family, why, and a button to leave it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.widgets.html import note, set_text
from llm_widgets.widgets.layout import card, show_if
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.page.services.deploy_form import DeployFormState


class FamilyCard:
    """The arguments with their reason; ``box`` is what goes into the page.

    Parameters
    ----------
    turn
        Called when somebody presses the button: sets the arguments, or removes them.
    """

    def __init__(self, state: DeployFormState, turn: Callable[[], object]) -> None:
        self._state = state
        self._notice = Notice()
        self._words = note("")
        self._source = note("")
        self.box = card("Model family", self._notice, self._words, self._source)
        self._notice.on_action(turn)
        state.observe(self._draw, ["proposal", "deployment"])
        self._draw()

    def _draw(self, _: object = None) -> None:
        """Show the arguments of a family that is known; nothing of any other."""
        proposed = self._state.proposal
        show_if(proposed, self.box)
        if proposed is None:
            return
        is_told = self._state.is_proposal_told
        self._notice.show(
            "info" if is_told else "warning",
            f"{proposed.family}: its arguments are set."
            if is_told
            else f"{proposed.family}: its arguments are not all set.",
            detail="\n".join((proposed.reason, *proposed.effects, *proposed.notes)),
            action_label="Remove these arguments" if is_told else "Set these arguments",
        )
        set_text(self._words, " ".join(proposed.words))
        set_text(self._source, f"Source: {proposed.source}.")
