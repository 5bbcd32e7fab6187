"""How a model's status is written in a table, and what can be done with the model in it."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.progress import ImportState
from llm_widgets.engines import registry
from llm_widgets.imports.worker import CANCELLED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.domain.progress import ImportProgress
    from llm_widgets.page.models.imports import WatchedImport

_WORKING = {
    ImportState.STARTING: "Starting",
    ImportState.RUNNING: "Importing",
    ImportState.VERIFYING: "Verifying",
}


_NO_REASON = "Unknown reason."
_NOT_KNOWN = "Unknown status, set by another application."
_OF_ANOTHER = "Imported by another application: import the model here."


class Condition(Enum):
    """How a model in a bucket is: the bucket's word, refined by what is seen of its import."""

    READY = auto()
    IMPORTING = auto()
    INCOMPLETE = auto()
    FAILED = auto()
    CANCELLED = auto()
    UNKNOWN = auto()

    @property
    def can_resume(self) -> bool:
        """Whether its import can be gone on with."""
        return self in (Condition.INCOMPLETE, Condition.FAILED, Condition.CANCELLED)


_SEEN = {
    ImportState.FAILED: Condition.FAILED,
    ImportState.CANCELLED: Condition.CANCELLED,
}


def condition(record: ModelRecord, seen: WatchedImport | None) -> Condition:
    """Return how a model is."""
    if record.status is ModelStatus.READY:
        return Condition.READY
    if record.status is ModelStatus.UNKNOWN:
        return Condition.UNKNOWN
    if seen and seen.is_abandoned:
        return Condition.INCOMPLETE
    progress = seen.progress if seen else None
    if progress and progress.state is not ImportState.DONE:
        return _SEEN.get(progress.state, Condition.IMPORTING)
    if record.status is ModelStatus.FAILED:
        return Condition.CANCELLED if record.error == CANCELLED else Condition.FAILED
    # An entry of another application that has no import of ours will never move.
    return Condition.IMPORTING if record.import_id else Condition.INCOMPLETE


def can_be_deployed(record: ModelRecord) -> bool:
    """Return whether a model is ready, and of a source that an engine serves."""
    return record.status is ModelStatus.READY and bool(registry.for_source(record.source))


def status_cell(
    record: ModelRecord, seen: WatchedImport | None, *, newer: str = ""
) -> Mapping[str, Any]:
    """Make the cell.

    Parameters
    ----------
    newer
        The newer revision that the hub has, or empty.
    """
    progress = seen.progress if seen else None
    match condition(record, seen):
        case Condition.READY:
            note = "Update available" if newer else ""
            return {"state": "ok", "text": "Ready", "note": note}
        case Condition.INCOMPLETE:
            note = "Interrupted. Resume to continue." if record.import_id else _OF_ANOTHER
            return {"state": "warning", "text": "Incomplete", "note": note}
        case Condition.CANCELLED:
            return {"state": "off", "text": "Cancelled"}
        case Condition.UNKNOWN:
            return {"state": "off", "text": record.told_status, "note": _NOT_KNOWN}
        case Condition.FAILED:
            reason = progress.message if progress else ""
            return {
                "state": "error",
                "text": "Failed",
                "note": reason or record.error or _NO_REASON,
            }
        case Condition.IMPORTING:
            note = progress.trouble if progress else ""
            return {"state": "busy", "text": _under_way(progress), "note": note}


def _under_way(progress: ImportProgress | None) -> str:
    if progress is None:
        return "Importing"
    percent = int(100 * progress.done / progress.size) if progress.size else 0
    return f"{_WORKING.get(progress.state, 'Importing')} {percent}%"
