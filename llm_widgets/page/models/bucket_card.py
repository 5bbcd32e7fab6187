"""One bucket and the models in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as w

from llm_widgets import hubs
from llm_widgets.domain.units import bytes_text
from llm_widgets.engines import registry
from llm_widgets.page.models.status import Condition, condition, status_cell
from llm_widgets.widgets.details import Detail, DetailList
from llm_widgets.widgets.layout import button, card
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.table import Action, Column, DataTable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.page.models.imports import WatchedImport
    from llm_widgets.page.models.models import BucketModels
    from llm_widgets.page.models.newer_revisions import NewerRevisionsState

_COLUMNS = (
    Column("model", "Model", action="details", width=20),
    Column("source", "Source", width=10),
    Column("size", "Size", "bytes", width=8),
    Column("status", "Status", "status", width=22),
    Column("files", "Files", "number", width=7),
    Column("imported", "Imported", "time", width=10),
    Column("by", "By", width=8),
)
_ACTIONS = (
    Action("deploy", "Deploy"),
    Action("resume", "Resume"),
    Action("newer", "Import newer"),
    Action("details", "Details", overflow=True),
    Action("verify", "Verify again", overflow=True),
    Action("delete", "Delete", overflow=True, danger=True),
)
_REVISION_SHOWN = 12
_READY_ONLY = "Only a model that is ready can be deployed."
_NO_ENGINE = "No engine that this version knows serves it."


def row_id(record: ModelRecord) -> str:
    """Return the id of a model's row."""
    return "|".join(record.key)


class BucketCard:
    """Draws one bucket; ``box`` is what goes into the page.

    Parameters
    ----------
    link
        Page of the bucket in the Cloud Console; empty where there is none.
    act
        Called with an action, the bucket and the row.
    start_import, repair
        Called for this bucket.
    """

    def __init__(
        self,
        bucket: str,
        *,
        link: str,
        act: Callable[[str, str, str], None],
        start_import: Callable[[], None],
        repair: Callable[[], None],
    ) -> None:
        self._bucket = bucket
        self._link = link
        self._details = DetailList()
        self._notice = Notice()
        self._notice.on_action(repair)
        self._table = DataTable(
            caption=f"Models in {bucket}",
            columns=_COLUMNS,
            actions=_ACTIONS,
            empty="No models yet. Import one to deploy it.",
            empty_action=f"Import into {bucket}",
        )
        self._table.on_action(lambda action, row: act(action, bucket, row))
        self._table.on_empty_action(start_import)
        self._body = w.VBox()
        add = button("Import here", style="text", tooltip=f"Import a model into {bucket}")
        add.on_click(lambda _: start_import())
        self.box = card(bucket, self._details, self._notice, self._body, actions=[add])

    def show(
        self,
        bucket: BucketModels,
        imports: Mapping[str, WatchedImport],
        updates: NewerRevisionsState,
    ) -> None:
        """Draw what is known of the bucket."""
        self._details.show(
            [
                Detail("Location", bucket.location),
                Detail("Address", f"gs://{bucket.name}", href=self._link, code=True, copy=True),
                *([] if bucket.problem else [_count(bucket)]),
            ]
        )
        self._draw_notice(bucket)
        self._table.rows = [
            _row(record, imports.get(record.import_id), updates.newer(record, bucket.models))
            for record in bucket.models
        ]
        body = () if bucket.problem and not bucket.models else (self._table,)
        if self._body.children != body:
            self._body.children = body

    def _draw_notice(self, bucket: BucketModels) -> None:
        if bucket.problem:
            fix = bucket.problem.fix
            can_repair = bool(fix and fix.action.startswith("repair-metadata:"))
            self._notice.show_error(bucket.problem, action_label="Repair" if can_repair else "")
        elif bucket.warning:
            self._notice.show("warning", bucket.warning)
        elif bucket.repaired:
            self._notice.show(
                "info",
                "The list of models was damaged and has been rebuilt from what each import kept.",
                detail=f"The damaged one is kept as {bucket.repaired}.",
            )
        else:
            self._notice.clear()


def _count(bucket: BucketModels) -> Detail:
    return Detail("Models", str(len(bucket.models)), note=bytes_text(bucket.size))


def _row(record: ModelRecord, seen: WatchedImport | None, newer: str) -> dict[str, Any]:
    how = condition(record, seen)
    hidden, disabled = [], {}
    if how is not Condition.READY:
        hidden.append("verify")
        disabled["deploy"] = _READY_ONLY
    elif not registry.for_source(record.source):
        disabled["deploy"] = _NO_ENGINE
    if not (how.can_resume and record.import_id):
        hidden.append("resume")
    if not newer:
        hidden.append("newer")
    if how is Condition.IMPORTING:
        disabled["delete"] = "Cancel the import first."
    return {
        "id": row_id(record),
        "name": record.id,
        "model": {"text": record.id, "note": record.revision[:_REVISION_SHOWN]},
        "source": hubs.label(record.source),
        "size": record.size or None,
        "status": status_cell(record, seen, newer=newer),
        "files": record.file_count or None,
        "imported": record.finished_at.isoformat() if record.finished_at else None,
        "by": record.imported_by.partition("@")[0] or None,
        "disabled": disabled,
        "hidden": hidden,
    }
