"""How a model's status is written in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain.imports import ImportProgress, ImportState
from llm_widgets.domain.models import ModelRecord, ModelStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORKING = {
    ImportState.STARTING: "Starting",
    ImportState.RUNNING: "Importing",
    ImportState.VERIFYING: "Verifying",
}


def status_cell(record: ModelRecord, progress: ImportProgress | None) -> Mapping[str, Any]:
    """Make the cell: what the bucket says, refined by the progress of an import under way."""
    if record.status is ModelStatus.READY:
        return {"state": "ok", "text": "Ready"}
    if record.status is ModelStatus.FAILED:
        return {"state": "error", "text": "Failed", "note": record.error}
    if progress is None:
        return {"state": "busy", "text": "Importing"}
    if progress.state is ImportState.FAILED:
        return {"state": "error", "text": "Failed", "note": progress.message}
    if progress.state is ImportState.CANCELLED:
        return {"state": "off", "text": "Cancelled"}
    percent = int(100 * progress.done / progress.size) if progress.size else 0
    return {"state": "busy", "text": f"{_WORKING.get(progress.state, 'Importing')} {percent} %"}
