"""One bucket and the models in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as w

from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.views.models.status import status_cell
from llm_widgets.widgets.layout import card
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.table import Action, Column, DataTable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llm_widgets.domain.imports import ImportProgress
    from llm_widgets.state.models import BucketModels

_COLUMNS = (
    Column("model", "Model"),
    Column("source", "Source"),
    Column("size", "Size", "bytes"),
    Column("status", "Status", "status"),
    Column("files", "Files", "number"),
    Column("imported", "Imported", "time"),
)
_ACTIONS = (
    Action("deploy", "Deploy"),
    Action("delete", "Delete", overflow=True, danger=True),
)
_REVISION_SHOWN = 12


def row_id(record: ModelRecord) -> str:
    """Give the id of a model's row."""
    return "|".join(record.key)


class BucketCard:
    """Draws one bucket; ``box`` is what goes into the page."""

    def __init__(
        self, bucket: str, act: Callable[[str, str, str], None], start_import: Callable[[], None]
    ) -> None:
        self._notice = Notice()
        self._table = DataTable(
            caption=f"Models in {bucket}",
            columns=_COLUMNS,
            actions=_ACTIONS,
            empty="No models yet. Import one to deploy it.",
            empty_action="Import model",
        )
        self._table.on_action(lambda action, row: act(action, bucket, row))
        self._table.on_empty_action(start_import)
        self._body = w.VBox()
        self._place = w.Label()
        self._place.add_class("llm-quiet")
        self.box = card(bucket, self._place, self._notice, self._body)

    def show(self, bucket: BucketModels, imports: Mapping[str, ImportProgress]) -> None:
        """Draw what is known of the bucket."""
        count = len(bucket.models)
        self._place.value = f"{bucket.location} · {count} model{'' if count == 1 else 's'}"
        if bucket.problem:
            self._notice.show_error(bucket.problem)
        elif bucket.warning:
            self._notice.show("warning", bucket.warning)
        else:
            self._notice.clear()
        self._table.rows = [_row(record, imports.get(record.import_id)) for record in bucket.models]
        self._body.children = () if bucket.problem and not count else (self._table,)


def _row(record: ModelRecord, progress: ImportProgress | None) -> dict[str, Any]:
    ready = record.status is ModelStatus.READY
    importing = record.status is ModelStatus.IMPORTING
    disabled = {}
    if not ready:
        disabled["deploy"] = "Only a model that is ready can be deployed."
    if importing:
        disabled["delete"] = "Cancel the import first."
    return {
        "id": row_id(record),
        "name": record.id,
        "model": {"text": record.id, "note": record.revision[:_REVISION_SHOWN]},
        "source": record.source.label,
        "size": record.size or None,
        "status": status_cell(record, progress),
        "files": record.file_count or None,
        "imported": record.finished_at.isoformat() if record.finished_at else None,
        "disabled": disabled,
    }
