"""Asks when a service is to be paused automatically."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from llm_widgets.domain import leases
from llm_widgets.widgets.dialog import Field, FormDialog, Option, Values

if TYPE_CHECKING:
    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.page.services.pauses import Pauses

_AFTER = "after"
_OFF = "off"
_HOURS = {1: "In 1 hour", 2: "In 2 hours", 4: "In 4 hours", 8: "In 8 hours", 24: "In 24 hours"}
_FIRST = 4
_TEXT = (
    "The service then runs no instances until it is resumed. Cloud Scheduler pauses it, as a "
    "service account that may change this service."
)


class LeaseDialog:
    """The dialog; ``dialog`` is what goes into the page."""

    def __init__(self, pauses: Pauses) -> None:
        self._pauses = pauses
        self._asked: ServiceSummary | None = None
        self.dialog = FormDialog(text=_TEXT, submit_label="Save", busy_label="Scheduling …")
        self.dialog.on_submit(self._submitted)

    def ask(self, service: ServiceSummary) -> None:
        """Ask when to pause a service; one that has a lease may lose it."""
        self._asked = service
        options = [Option(str(hours), label) for hours, label in _HOURS.items()]
        if service.lease:
            options.append(Option(_OFF, "Not automatically"))
        told = service.lease.text(datetime.now(UTC)) if service.lease else ""
        self.dialog.title = f"Pause {service.id} later?"
        self.dialog.set_fields(
            [
                Field(
                    _AFTER,
                    "When",
                    "select",
                    options=tuple(options),
                    value=str(_FIRST),
                    help=told,
                )
            ]
        )
        self.dialog.show()

    def _submitted(self, values: Values) -> None:
        service = self._asked
        if service is None:
            return
        chosen = str(values.get(_AFTER) or _FIRST)
        at = None
        if chosen != _OFF:
            at = leases.whole(datetime.now(UTC) + timedelta(hours=int(chosen)))
        self._pauses.lease(
            service.name,
            at,
            done=self.dialog.close,
            failed=lambda error: self.dialog.fail(str(error)),
        )
