"""One bucket and the models in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets import hubs
from llm_widgets.domain.metadata import METADATA_NAME
from llm_widgets.domain.units import bytes_text
from llm_widgets.engines import registry
from llm_widgets.imports.remove import CANCEL_FIRST
from llm_widgets.page.models.models import place_of, row_id
from llm_widgets.page.models.status import Condition, condition, status_cell
from llm_widgets.page.models.storage_card import StorageCard, storage_details
from llm_widgets.widgets.details import Detail, DetailList
from llm_widgets.widgets.layout import button, card, show_if, stack
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.table import Action, Column, DataTable, places_of_row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.page.models.imports import WatchedImport
    from llm_widgets.page.models.models import BucketModels
    from llm_widgets.page.models.newer_revisions import NewerRevisionsState
    from llm_widgets.page.models.storage import Measured, StorageState

COLUMNS = (
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
_READY_ONLY = "The model is not ready."
_NO_ENGINE = "No engine of this version serves the model."


class BucketCard:
    """Draws one bucket; ``box`` is what goes into the page.

    Parameters
    ----------
    link
        Page of the bucket in the Cloud Console; empty where there is none.
    storage
        What the bucket stores, once that is asked for.
    act
        Called with an action, the bucket and the row: that of a model; for ``"tidy"`` the key of
        what is to be removed, and for ``"delete-bucket"`` none.
    start_import, repair
        Called for this bucket.
    """

    def __init__(
        self,
        bucket: str,
        *,
        link: str,
        storage: StorageState,
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
            columns=COLUMNS,
            actions=_ACTIONS,
            empty="No models yet. Import one to deploy it.",
            empty_action=f"Import into {bucket}",
        )
        self._table.on_action(lambda action, row: act(action, bucket, row))
        self._table.on_empty_action(start_import)
        self._body = stack()
        self._storage = StorageCard(
            bucket,
            close=lambda: storage.dismiss(bucket),
            delete=lambda key: act("tidy", bucket, key),
        )
        self._delete = button("Delete bucket", style="text")
        self._delete.on_click(lambda _: act("delete-bucket", bucket, ""))
        tidy = button(
            "Tidy", style="text", tooltip=f"Measure what {bucket} stores and what could be removed"
        )
        tidy.on_click(lambda _: storage.measure(bucket))
        add = button("Import here", style="text", tooltip=f"Import a model into {bucket}")
        add.on_click(lambda _: start_import())
        self.box = card(
            bucket,
            self._details,
            self._notice,
            self._body,
            actions=[self._delete, tidy, add],
        )

    def show(
        self,
        bucket: BucketModels,
        imports: Mapping[str, WatchedImport],
        updates: NewerRevisionsState,
        measured: Measured | None,
    ) -> None:
        """Draw what is known of the bucket."""
        self._details.show(
            [
                Detail("Location", bucket.location),
                Detail("Address", f"gs://{bucket.name}", href=self._link, code=True, copy=True),
                *([] if bucket.problem else [_count(bucket)]),
                *(storage_details(measured) if measured else []),
            ]
        )
        self._draw_actions(bucket, measured)
        self._draw_notice(bucket)
        self._table.rows = [
            _row(bucket, record, imports, updates.newer(record, bucket.models))
            for record in bucket.models
        ]
        body = [] if bucket.problem and not bucket.models else [self._table]
        if measured:
            self._storage.show(measured)
            body.append(self._storage.box)
        if list(self._body.children) != body:
            self._body.children = body

    def _draw_actions(self, bucket: BucketModels, measured: Measured | None) -> None:
        seems_empty = not (bucket.models or bucket.problem or bucket.unread)
        show_if(seems_empty, self._delete)
        holds = (measured.use.not_empty if measured and measured.use else "") or ""
        self._delete.disabled = bool(holds)
        self._delete.tooltip = holds or f"Delete the empty bucket {bucket.name}"

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
                "The list of models was damaged and has been rebuilt.",
                detail=f"The damaged list is kept as {bucket.repaired}.",
            )
        elif bucket.unread:
            some = "One entry" if bucket.unread == 1 else f"{bucket.unread} entries"
            self._notice.show(
                "info",
                f"{some} of {METADATA_NAME} can't be read. They are kept unchanged.",
            )
        else:
            self._notice.clear()


def _count(bucket: BucketModels) -> Detail:
    return Detail("Models", str(len(bucket.models)), note=bytes_text(bucket.size))


def _row(
    bucket: BucketModels,
    record: ModelRecord,
    imports: Mapping[str, WatchedImport],
    newer: str,
) -> dict[str, Any]:
    seen = imports.get(record.import_id)
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
        disabled["delete"] = CANCEL_FIRST
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
        "places": places_of_row(details=place_of(bucket.name, record, bucket.models).address),
        "disabled": disabled,
        "hidden": hidden,
    }
