"""What a bucket stores, and what of it could be removed: a part of the bucket's card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as w

from llm_widgets.domain.storage_use import UNKNOWN, Use
from llm_widgets.domain.units import bytes_text
from llm_widgets.widgets.details import Detail
from llm_widgets.widgets.html import heading, note, set_text
from llm_widgets.widgets.layout import button, row, show_if, stack
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.table import Action, Column, DataTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.storage_use import BucketUse, Finding
    from llm_widgets.errors import ManagerError
    from llm_widgets.page.models.storage import Measured

_COLUMNS = (
    Column("what", "What", width=36),
    Column("size", "Size", "bytes", width=10),
    Column("files", "Files", "number", width=8),
    Column("written", "Last written", "time", width=14),
    Column("use", "Used by", width=24),
)
_DELETE = Action("delete", "Delete", danger=True)


class StorageCard:
    """Draws what could be removed from a bucket; ``box`` is what goes into its card.

    Parameters
    ----------
    delete
        Called with the key of what is to be removed.
    """

    def __init__(
        self,
        bucket: str,
        *,
        close: Callable[[], None],
        delete: Callable[[str], None],
    ) -> None:
        self._problems = stack()
        self._told = note("")
        self._table = DataTable(
            caption=f"What could be removed from {bucket}",
            columns=_COLUMNS,
            actions=(_DELETE,),
        )
        self._table.on_action(lambda _, key: delete(key))
        shut = button("Close", style="text", tooltip=f"Close what could be removed from {bucket}")
        shut.on_click(lambda _: close())
        head = w.HBox([heading("What could be removed", 3), row(shut)])
        head.add_class("llm-card-head")
        self.box = stack(head, self._problems, self._told, self._table)

    def show(self, measured: Measured) -> None:
        """Draw what is known."""
        use = measured.use
        errors = [measured.error] if measured.error else list(use.problems) if use else []
        self._problems.children = [_notice(error) for error in errors]
        set_text(self._told, told(measured))
        rows = [finding_row(each) for each in (use.findings if use else ()) or ()]
        is_first = measured.is_measuring and use is None
        self._table.loading = is_first
        self._table.rows = rows
        show_if(rows or is_first, self._table)


def told(measured: Measured) -> str:
    """Return what deleting saves; or that there is nothing to delete, or that it is unknown."""
    use = measured.use
    if use is None and measured.is_measuring:
        return ""
    if use is None or use.findings is None:
        return "Unknown what could be removed."
    return " ".join(use.effects) if use.findings else "Nothing to tidy."


def storage_details(measured: Measured) -> list[Detail]:
    """Return what a bucket stores, by kind: what is there, and what is unknown."""
    use = measured.use
    if use is None:
        return [Detail("Stores", "Measuring …" if measured.is_measuring else UNKNOWN.capitalize())]
    lines = [
        *((kind.value, use.of(kind), "", True) for kind in Use if use.live is not None),
        *([] if use.live is not None else [("live objects", None, "", True)]),
        ("unfinished uploads", use.unfinished, _uploads(use), use.is_all_unfinished),
        ("noncurrent versions", use.noncurrent, "billed until they are deleted", True),
        ("soft-deleted objects", use.soft_deleted, _until(use), True),
    ]
    details = [
        Detail(label.capitalize(), _size(size, is_all=is_all), note=remark if size else "")
        for label, size, remark, is_all in lines
        if size != 0 and not (use.is_empty and label == Use.OWN.value)
    ]
    return [_total(use, is_measuring=measured.is_measuring), *details]


def finding_row(finding: Finding) -> dict[str, Any]:
    """Return the row of something that may be superfluous, its reason in sight."""
    written = finding.written_at
    use = finding.use.capitalize() if not finding.used_by else finding.used_by
    return {
        "id": finding.key,
        "name": finding.what,
        "what": {"text": finding.what, "note": finding.kind.value.capitalize()},
        "size": finding.size,
        "files": len(finding.objects),
        "written": written.isoformat() if written else None,
        "use": {"text": use, "note": finding.refusal},
        "disabled": {_DELETE.key: finding.refusal} if finding.refusal else {},
    }


def _total(use: BucketUse, *, is_measuring: bool) -> Detail:
    parts = (use.live_bytes, use.noncurrent, use.soft_deleted, use.unfinished)
    known = [part for part in parts if part is not None]
    is_all = len(known) == len(parts) and use.is_all_unfinished
    if not known:
        return Detail("Stores", UNKNOWN.capitalize())
    size = _size(sum(known), is_all=is_all)
    measuring = ", measuring again …" if is_measuring else ""
    if use.is_empty:
        return Detail("Stores", "Empty", note=f"{size} in all{measuring}")
    return Detail("Stores", size, note=f"all of it is billed{measuring}")


def _uploads(use: BucketUse) -> str:
    what = "parts of imports that have not ended"
    return what if use.is_all_unfinished else f"{what}; they are too many to measure all"


def _until(use: BucketUse) -> str:
    until = use.soft_deleted_until
    return f"billed until {until:%Y-%m-%d} at the latest" if until else "billed"


def _size(size: int | None, *, is_all: bool) -> str:
    if size is None:
        return UNKNOWN.capitalize()
    return bytes_text(size) if is_all else f"At least {bytes_text(size)}"


def _notice(error: ManagerError) -> Notice:
    shown = Notice()
    shown.show_error(error, kind="warning")
    return shown
