"""The page of one model: what it is, who uses it, and its files with their digests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets import hubs
from llm_widgets.domain import links, parts
from llm_widgets.domain.progress import ImportState
from llm_widgets.domain.units import bytes_text
from llm_widgets.engines import registry
from llm_widgets.errors import Fix, ManagerError, NotFoundError
from llm_widgets.imports.remove import CANCEL_FIRST
from llm_widgets.imports.verify import FileCheck
from llm_widgets.page.models.check_card import loading_details
from llm_widgets.page.models.status import Condition, condition, status_cell
from llm_widgets.widgets.details import Detail, DetailList
from llm_widgets.widgets.layout import button, card, row, stack, toolbar
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.table import Column, DataTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from llm_widgets.domain.imports import HubFile
    from llm_widgets.domain.manifest import ManifestFile
    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.page.models.imports import WatchedImport
    from llm_widgets.page.models.model import ModelPageState
    from llm_widgets.page.session import Session

_COLUMNS = (
    Column("file", "File", width=38),
    Column("size", "Size", "bytes", width=8),
    Column("check", "State", "status", width=16),
    Column("digest", "Hub checksum", "code", width=26),
    Column("crc32c", "CRC-32C", "code", width=12),
)
_CHECKS = {
    FileCheck.SAME: "ok",
    FileCheck.MISSING: "error",
    FileCheck.CHANGED: "error",
    FileCheck.ADDED: "info",
}


class ModelPage:
    """Draws a model; ``box`` is what goes into the page.

    Parameters
    ----------
    act
        Called with ``"deploy"``, ``"delete"`` or ``"resume"``.
    """

    def __init__(
        self,
        session: Session,
        state: ModelPageState,
        *,
        back: Callable[[], None],
        act: Callable[[str], None],
    ) -> None:
        self._session = session
        self._state = state
        self._shown: tuple[str, ModelRecord, WatchedImport | None] | None = None
        self._details = DetailList()
        self._result = Notice()
        self._result.on_action(lambda: act("resume"))
        self._problem = Notice()
        self._files = DataTable(
            caption="Files of the model",
            columns=_COLUMNS,
            filterable=True,
            loading=True,
            empty="The model's files are unknown.",
        )
        self._deploy = button("Deploy", style="primary")
        self._verify = button("Verify again", style="outlined")
        self._delete = button("Delete", style="outlined")
        go_back = button("Back to models", style="text", icon="arrow-left")
        self._deploy.on_click(lambda _: act("deploy"))
        self._verify.on_click(lambda _: state.verify())
        self._delete.on_click(lambda _: act("delete"))
        go_back.on_click(lambda _: back())
        self._actions = (self._deploy, self._verify, self._delete)
        self._title = toolbar("Model", *self._actions)
        self.box = stack(
            row(go_back),
            self._title,
            self._result,
            card("Overview", self._details),
            card("Files", self._problem, self._files),
        )
        state.observe(self._draw, ["manifest", "plan", "usage", "usage_error"])
        state.observe(
            self._draw_files, ["manifest", "manifest_error", "plan", "plan_error", "verification"]
        )
        state.observe(
            self._draw_result, ["verification", "verification_error", "verifying", "progress"]
        )

    def show(self, bucket: str, record: ModelRecord, seen: WatchedImport | None) -> None:
        """Draw what is known of the model now."""
        if self._shown is None or self._shown[1].id != record.id:
            self._title.children = toolbar(record.id, *self._actions).children
        self._shown = bucket, record, seen
        how = condition(record, seen)
        self._verify.disabled = how is not Condition.READY
        self._deploy.disabled = self._verify.disabled or not registry.for_source(record.source)
        self._delete.disabled = how is Condition.IMPORTING
        self._delete.tooltip = CANCEL_FIRST if self._delete.disabled else None
        self._draw()
        self._draw_files()
        self._draw_result()

    def _draw(self, _: object = None) -> None:
        if self._shown is None:
            return
        bucket, record, seen = self._shown
        status = status_cell(record, seen)
        word, reason = str(status["text"]), str(status.get("note", ""))
        project = self._session.project_id
        settings = self._session.settings
        address = f"gs://{bucket}/{record.prefix}" if record.prefix else f"gs://{bucket}"
        when = record.finished_at or record.submitted_at
        self._details.show(
            [
                Detail("Status", word, state=status["state"], note=reason),
                Detail(
                    "Source",
                    hubs.label(record.source),
                    href=hubs.page(record.source, record.id, settings),
                ),
                Detail("Revision", record.revision, code=True, copy=bool(record.revision)),
                Detail("Size", bytes_text(record.size) if record.size else "", note=_count(record)),
                Detail("Licence", record.license or "not stated"),
                *self._loading(),
                Detail(
                    "Imported" if record.finished_at else "Begun",
                    f"{when:%Y-%m-%d %H:%M} UTC" if when else "",
                ),
                Detail("Imported by", record.imported_by),
                Detail(
                    "Address",
                    address,
                    code=True,
                    copy=True,
                    href="" if settings.is_local_cloud else links.bucket(bucket, project),
                ),
                self._used_by(),
            ]
        )

    def _loading(self) -> list[Detail]:
        """Say what the model does, as was found when it was imported."""
        kept = self._state.manifest or self._state.plan
        return loading_details(kept.facts) if kept else []

    def _used_by(self) -> Detail:
        usage, error = self._state.usage, self._state.usage_error
        if error:
            return Detail("Used by", "Unknown", note=error.message)
        if usage is None:
            return Detail("Used by", "Checking …")
        nobody = "Unknown" if usage.unanswered else "No service"
        note = f"No answer from {usage.unknown}. {usage.reason.message}" if usage.reason else ""
        return Detail("Used by", usage.names or nobody, note=note)

    def _draw_files(self, _: object = None) -> None:
        state = self._state
        error = state.manifest_error or state.plan_error
        self._files.loading = not (state.manifest or state.plan or error)
        if isinstance(error, NotFoundError):  # nothing is wrong with the model
            self._problem.show("info", error.message, detail=f"{error.cause} {_fix(error)}".strip())
        elif error:
            self._problem.show_error(error)
        elif state.plan:
            self._problem.show("info", "The import has not finished: no files are published yet.")
        else:
            self._problem.clear()
        checks = state.verification.files if state.verification else {}
        if state.manifest:
            self._files.rows = _rows(state.manifest.files, checks, "Verified on import")
        else:
            self._files.rows = _rows(state.plan.files if state.plan else (), {}, "")

    def _failure(self) -> ManagerError | None:
        """Return why the import of the model failed, if it did."""
        progress = self._state.progress
        if progress is None or progress.state is not ImportState.FAILED or self._shown is None:
            return None
        _, record, seen = self._shown
        if condition(record, seen) is not Condition.FAILED:
            return None  # it is resumed
        fix = Fix(text=progress.fix) if progress.fix else None
        return ManagerError(progress.message, cause=progress.cause, fix=fix)

    def _draw_result(self, _: object = None) -> None:
        state = self._state
        if state.verifying:
            self._result.show("info", "Comparing sizes and checksums with the manifest …")
        elif state.verification_error:
            self._result.show_error(state.verification_error)
        elif failure := self._failure():
            self._result.show_error(failure, action_label="Resume")
        elif state.verification is None:
            self._result.clear()
        elif state.verification.is_whole:
            self._result.show("success", state.verification.sentence)
        else:
            self._result.show(
                "error", state.verification.sentence, detail="Import the model again."
            )


def _count(record: ModelRecord) -> str:
    if not record.file_count:
        return ""
    return "1 file" if record.file_count == 1 else f"{record.file_count} files"


def _fix(error: ManagerError) -> str:
    return error.fix.text if error.fix else ""


def _rows(
    files: Iterable[ManifestFile | HubFile], checks: dict[str, FileCheck], unchecked: str
) -> list[dict[str, Any]]:
    """Make a row for each file; ``unchecked`` is what is said of one without a check."""
    known = {file.path: file for file in files}
    rows = []
    for path in sorted({*known, *checks}):
        file, check = known.get(path), checks.get(path)
        row: dict[str, Any] = {"id": path, "file": path, "size": None, "digest": None}
        if file:
            row["file"] = parts.cell(path, file.part)
            row |= {"size": file.size, "crc32c": getattr(file, "crc32c", None)}
            row["digest"] = f"{file.digest.kind.value}:{file.digest.value}"
        state = _CHECKS[check] if check else "ok" if unchecked else "off"
        row["check"] = {"state": state, "text": check.value if check else unchecked or "Missing"}
        rows.append(row)
    return rows
