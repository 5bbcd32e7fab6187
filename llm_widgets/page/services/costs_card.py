"""What each service has cost so far, and their total."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain.costs import UNKNOWN
from llm_widgets.page import places
from llm_widgets.widgets.html import note, paragraph, set_text
from llm_widgets.widgets.layout import card, show_if, stack
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.table import Column, DataTable, places_of_row

if TYPE_CHECKING:
    from collections.abc import Callable

    import ipywidgets as w

    from llm_widgets.domain.costs import ServiceCost
    from llm_widgets.page.services.costs import CostsState

_COLUMNS = (
    Column("service", "Name", action="open"),
    Column("region", "Region"),
    Column("spent", "Cost so far"),
    Column("hours", "Instance hours", "number"),
    Column("idle", "Idle"),
    Column("hour", "Price per instance"),
)


class CostsCard:
    """The card; ``box`` is what goes into the page.

    Parameters
    ----------
    open_page, pause
        Called with the resource name of a service to show, and of one to pause.
    """

    def __init__(
        self, state: CostsState, open_page: Callable[[str], None], pause: Callable[[str], None]
    ) -> None:
        self._state = state
        self._pause = pause
        self._error = Notice()
        self._warnings = stack()
        self._total = paragraph("")
        self._table = DataTable(caption="Costs", columns=_COLUMNS, actions=())
        self._table.on_action(lambda _, name: open_page(name))
        self._notes = note("")
        self.box = card("Costs", self._error, self._warnings, self._total, self._table, self._notes)
        state.observe(self._draw, ["costs", "loading", "error"])
        self._draw()

    def _draw(self, _: object = None) -> None:
        state = self._state
        found = state.costs
        # Where nothing runs there is nothing to tell.
        show_if(found or state.error, self.box)
        if state.error:
            self._error.show_error(state.error)
        else:
            self._error.clear()
        set_text(self._total, f"Total: {found.summary}." if found else "")
        set_text(self._notes, " ".join(found.notes) if found else "")
        show_if(found, self._table)
        self._table.rows = [_row(each) for each in found or ()]
        self._warnings.children = [self._warning(each) for each in found or () if each.warning]

    def _warning(self, service: ServiceCost) -> w.Widget:
        shown = Notice()
        shown.show("warning", f"{service.id}: {service.warning}", action_label="Pause")
        shown.on_action(lambda: self._pause(service.name))
        return shown


def _row(service: ServiceCost) -> dict[str, Any]:
    region = service.name.split("/")[3]
    return {
        "id": service.name,
        "name": service.id,
        "service": service.id,
        "region": region,
        "spent": {"text": service.spent_text, "note": service.remark},
        "hours": service.hours,
        "idle": service.idle_text or None,
        "hour": service.hour_text if service.hour else UNKNOWN,
        "places": places_of_row(open=places.service(region, service.id).address),
    }
