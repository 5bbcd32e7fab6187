"""Asks when a service is to be paused automatically."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from llm_widgets.domain import leases
from llm_widgets.widgets.dialog import Field, FormDialog, Option, Values

if TYPE_CHECKING:
    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.errors import ManagerError
    from llm_widgets.page.services.pauses import Pauses

_AFTER = "after"
_AT = "at"
_OFF = "off"
_TIME = "time"
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
        options.append(Option(_AT, "At a time"))
        if service.lease:
            options.append(Option(_OFF, "Not automatically"))
        now = datetime.now(UTC)
        told = service.lease.text(now) if service.lease else ""
        first = leases.whole(now + timedelta(hours=_FIRST))
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
                ),
                Field(
                    _TIME,
                    "Time",
                    "datetime",
                    required=True,
                    value=first.isoformat(),
                    show_when=(_AFTER, _AT),
                ),
            ]
        )
        self.dialog.show()

    def _submitted(self, values: Values) -> None:
        service = self._asked
        if service is None:
            return
        chosen = str(values.get(_AFTER) or _FIRST)
        now, at, asked = datetime.now(UTC), None, _AFTER
        if chosen == _AT:
            asked = _TIME
            try:
                at = leases.whole(leases.moment(str(values.get(_TIME) or ""), now))
            except ValueError as error:
                self.dialog.fail(errors={_TIME: str(error)})
                return
        elif chosen != _OFF:
            at = leases.whole(now + timedelta(hours=int(chosen)))
        self._pauses.lease(
            service.name,
            at,
            done=self.dialog.close,
            failed=lambda error: self._failed(asked, error),
        )

    def _failed(self, asked: str, error: ManagerError) -> None:
        """Say why, below the field that was filled in where it is the time."""
        if error.field == "at":
            self.dialog.fail(errors={asked: f"{error.message} {error.cause}"})
        else:
            self.dialog.fail(str(error))
