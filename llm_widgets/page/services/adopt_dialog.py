"""Asks before a service is adopted or released: which labels change, and what stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.adoption import TERRAFORM
from llm_widgets.domain.recognition import Confidence
from llm_widgets.domain.services import ENGINE_LABEL, MANAGED_BY
from llm_widgets.engines import registry
from llm_widgets.widgets.dialog import Field, FormDialog, Option, Values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_widgets.domain.adoption import LabelChange
    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.errors import ManagerError
    from llm_widgets.page.services.adoptions import Adoptions

_ENGINE = "engine"
_STAYS = (
    "Only labels of the service change. No revision is made, nothing restarts, requests continue."
)


class AdoptDialog:
    """The dialog; ``dialog`` is what goes into the page."""

    def __init__(self, adoptions: Adoptions) -> None:
        self._adoptions = adoptions
        self._asked: ServiceSummary | None = None
        self.dialog = FormDialog(busy_label="Changing the labels …")
        self.dialog.on_submit(self._submitted)

    def ask(self, service: ServiceSummary) -> None:
        """Ask whether to adopt a service, or to release it where it is adopted."""
        self._adoptions.plan(service, lambda changes: self._show(service, changes))

    def _show(self, service: ServiceSummary, changes: Sequence[LabelChange]) -> None:
        self._asked = service
        fields = _fields(service)
        verb = "Release" if service.adopted else "Adopt"
        with self.dialog.hold_sync():
            self.dialog.title = f"{verb} {service.id}?"
            self.dialog.submit_label = verb
            self.dialog.text = "\n".join(
                filter(None, (_STAYS, _then(service), _others(service, changes)))
            )
            self.dialog.changes = [
                {"label": each.label, "removed": _line(each.before), "added": _line(each.after)}
                for each in changes
                if not (fields and each.label == ENGINE_LABEL)
            ]
        self.dialog.set_fields(fields)
        self.dialog.show()

    def _submitted(self, values: Values) -> None:
        service = self._asked
        if service is None:
            return
        if service.adopted:
            self._adoptions.release(service, done=self.dialog.close, failed=self._failed)
        else:
            engine = str(values.get(_ENGINE) or "")
            self._adoptions.adopt(service, engine, done=self.dialog.close, failed=self._failed)

    def _failed(self, error: ManagerError) -> None:
        self.dialog.fail(str(error))


def _then(service: ServiceSummary) -> str:
    if service.adopted:
        return "The labels from before the adoption come back. The service stays listed, read-only."
    return "You can then pause, change and delete it here. Release undoes the adoption."


def _others(service: ServiceSummary, changes: Sequence[LabelChange]) -> str:
    """Return what it means for those who deployed it; empty where nothing is known."""
    if service.adopted:
        return ""
    manager = next((each.before for each in changes if each.label == MANAGED_BY[0]), None)
    if manager:
        return f"{manager} finds its services by {MANAGED_BY[0]}, and will not find this one."
    if service.origin == TERRAFORM:
        return "Terraform sets labels back that its configuration names."
    return ""


def _line(value: str | None) -> list[str]:
    return [] if value is None else [value or "(empty)"]


def _fields(service: ServiceSummary) -> list[Field]:
    """Return the choice of the engine, where it is not certain."""
    known = service.recognition
    if service.adopted or known is None or known.confidence is Confidence.CERTAIN:
        return []
    options = tuple(Option(each, registry.label_of(each)) for each in registry.ids())
    return [
        Field(
            _ENGINE,
            f"Engine ({ENGINE_LABEL})",
            "select",
            options=options,
            value=known.framework,
            help=f"{known.confidence.value.capitalize()}: {' '.join(known.reasons)}",
        )
    ]
