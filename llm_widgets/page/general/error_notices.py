"""Why a card can't tell what it should show: each reason once, with its fix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.widgets.layout import show_if, stack
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Iterable

    import ipywidgets as w

    from llm_widgets.errors import ManagerError


class ErrorNotices:
    """A notice for each reason; ``box`` goes into the card, and is not there without any."""

    def __init__(self) -> None:
        self._notices: list[Notice] = []
        self.box: w.VBox = stack()

    def show(self, errors: Iterable[ManagerError], *, others: str = "others") -> None:
        """Show these failures; those that the same fix mends become one notice.

        Parameters
        ----------
        others
            What the notice calls the rest of those, in the plural.
        """
        alike: dict[tuple[object, ...], list[ManagerError]] = {}
        for error in errors:
            fix = error.fix
            key = (type(error), fix.command, fix.text) if fix else (type(error), error.cause)
            alike.setdefault(key, []).append(error)
        while len(self._notices) < len(alike):
            self._notices.append(Notice())
        for notice, same in zip(self._notices, alike.values(), strict=False):
            self._show(notice, same, others)
        shown = tuple(self._notices[: len(alike)])
        if shown != self.box.children:
            self.box.children = shown
        show_if(shown, self.box)

    def _show(self, notice: Notice, same: list[ManagerError], others: str) -> None:
        error, more = same[0], len(same) - 1
        fix = error.fix
        also = f"The same goes for {more} {others if more > 1 else others[:-1]}." if more else ""
        said = [also, error.cause, fix.text if fix else ""]
        notice.show(
            "warning",
            error.message,
            detail="\n".join(part for part in said if part),
            command=fix.command if fix else "",
            link=("Open the console", fix.url) if fix and fix.url else ("", ""),
        )
