"""GPUs by region: what fits, and asking for more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain import capacity, gpus, links
from llm_widgets.domain.capacity import Fit
from llm_widgets.domain.prices import TABLE, Basis, dollars
from llm_widgets.domain.quotas import CPU, MEMORY
from llm_widgets.domain.services import InstanceSize
from llm_widgets.page.general.error_notices import ErrorNotices
from llm_widgets.page.general.quota_dialog import QuotaDialog
from llm_widgets.serving import cost
from llm_widgets.widgets.age import Age
from llm_widgets.widgets.layout import button, card, show_if
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.table import Action, Column, DataTable

if TYPE_CHECKING:
    from llm_widgets.domain.capacity import Capacity
    from llm_widgets.domain.gpus import Gpu
    from llm_widgets.domain.prices import Price
    from llm_widgets.page.general.quotas import QuotasState
    from llm_widgets.page.session import Session
    from llm_widgets.widgets.table import StatusState

_STATES: dict[Fit, StatusState] = {
    Fit.FITS: "ok",
    Fit.GRANTED_FIRST: "info",
    Fit.NOT: "error",
    Fit.UNKNOWN: "unknown",
}


class QuotaCard:
    """The card; ``box`` is what goes into the page."""

    def __init__(self, session: Session, state: QuotasState) -> None:
        self._session = session
        self._state = state
        self._notice = Notice()
        self._error_notices = ErrorNotices()
        self._age = Age()
        self._dialog = QuotaDialog(session, state)
        self._table = DataTable(
            caption="GPUs and quotas",
            columns=[
                Column("gpu", "GPU", "word"),
                Column("region", "Region", "word"),
                Column("price", "Price per hour"),
                Column("quota", "GPU quota"),
                Column("cpu", "vCPU used"),
                Column("memory", "Memory used"),
                Column("verdict", "Room for one more?", "status"),
            ],
            actions=[Action("request", "Request quota")],
        )
        self._table.on_action(self._act)
        self._refresh = button("Refresh", style="outlined", icon="refresh")
        self._refresh.on_click(lambda _: state.refresh())
        self.box = card(
            "GPUs and quotas",
            self._error_notices.box,
            self._notice,
            self._table,
            self._dialog.dialog,
            text=f"Prices of {gpus.DATA_DATE} in US dollars per running instance: GPU without "
            "zonal redundancy, vCPU and memory. Redundant: with zonal redundancy.",
            actions=[self._age, self._refresh],
        )
        state.observe(self._draw, ["survey", "checked_at", "running"])
        session.observe(self._draw, "project")
        self._draw()

    def _act(self, _action: str, row: str) -> None:
        accelerator, region = row.split("/")
        gpu = gpus.by_accelerator(accelerator)
        if gpu:
            smallest = capacity.Wanted(1, gpu.default_cpu, gpu.default_memory_gib)
            self._dialog.show(gpu, region, smallest)

    def _draw(self, _: object = None) -> None:
        state = self._state
        show_if(self._session.project, self.box)
        if not self._session.project:
            return
        self._refresh.disabled = state.running
        self._age.at = state.checked_at
        self._error_notices.show(state.survey.errors.values())
        self._draw_notice()
        self._table.rows = [
            self._row(gpu, region)
            for gpu in gpus.GPUS
            for region in (*gpu.regions, *gpu.invited_regions)
        ]

    def _draw_notice(self) -> None:
        if self._session.settings.is_local_cloud:
            return
        self._notice.show(
            "info",
            "Quotas are per project and region.",
            link=("All Cloud Run quotas", links.quotas(self._session.project_id)),
        )

    def _row(self, gpu: Gpu, region: str) -> dict[str, Any]:
        found = self._state.survey.capacity(gpu, region)
        invited = region in gpu.invited_regions
        size = InstanceSize(gpu.accelerator, gpu.default_cpu, gpu.default_memory_gib)
        price = cost.of_instance(TABLE, region, size)
        return {
            "id": f"{gpu.accelerator}/{region}",
            "name": f"{gpu.short_label} in {region}",
            "gpu": {
                "text": gpu.short_label.removeprefix("NVIDIA "),
                "note": f"{gpu.memory_gib:g} GB VRAM",
            },
            "region": {
                "text": region,
                "note": "By invitation" if invited else "GA",
            },
            "price": {
                "text": _priced(price),
                "note": f"{gpu.default_cpu} vCPU, {gpu.default_memory_gib} GiB",
            },
            "quota": self._quota(gpu, region, found),
            "cpu": self._noted(_of(found.used_cpu, found.cpu), CPU, region),
            "memory": self._noted(
                _of(found.used_memory_gib, found.memory_gib, " GiB"), MEMORY, region
            ),
            "verdict": self._verdict(gpu, region, found),
        }

    def _quota(self, gpu: Gpu, region: str, found: Capacity) -> dict[str, str] | str | None:
        shown = self._noted(_of(found.used_gpus, found.gpus), gpu.quota_id(), region)
        redundant = self._noted(
            f"{_number(found.gpus_redundant)} redundant",
            gpu.quota_id(redundant=True),
            region,
        )
        if not isinstance(shown, str):
            return shown
        note = (
            f"{redundant['text']}: {redundant['note']}"
            if isinstance(redundant, dict)
            else redundant
        )
        return {"text": shown, "note": note or ""}

    def _noted(self, text: str | None, quota_id: str, region: str) -> dict[str, str] | str | None:
        """Add what was asked for, and what came of it."""
        asked = self._state.survey.requests.get((quota_id, region))
        if asked is None:
            return text
        if asked.is_pending:
            note = f"{asked.preferred:g} requested, Google decides"
        else:
            note = f"{asked.preferred:g} requested, {asked.granted:g} granted"
        return {"text": text or "?", "note": note}

    def _verdict(self, gpu: Gpu, region: str, found: Capacity) -> dict[str, str]:
        if not self._state.survey.is_known(gpu, region):
            return {"state": "busy", "text": "Checking"}
        judged = capacity.verdict(gpu, found)
        text, state = judged.text, _STATES[judged.fit]
        if region in gpu.invited_regions:
            text = f"By invitation from Google only. {text}"
            state = "info" if judged.fit is Fit.FITS else state
        return {"state": state, "text": judged.fit.value, "note": text}


def _priced(price: Price | None) -> str:
    if price is None:
        return "unknown"
    return ("from " if price.basis is Basis.FROM else "") + dollars(price.amount)


def _number(value: float | None) -> str:
    if value is None:
        return "?"
    return "no limit" if value == float("inf") else f"{value:g}"


def _of(used: float | None, allowed: float | None, unit: str = "") -> str | None:
    if used is None and allowed is None:
        return None
    return f"{_number(used)} of {_number(allowed)}{unit}"
