"""What a pre-flight found, to be confirmed: facts, warnings, and the files with their choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain import loading, parts
from llm_widgets.domain.units import bytes_text, duration_text
from llm_widgets.hubs import registry
from llm_widgets.manager.import_target import TargetKind
from llm_widgets.widgets.details import Detail, DetailList
from llm_widgets.widgets.layout import button, card, hide, row, show_if, stack
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.table import Action, Column, DataTable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llm_widgets.domain.imports import HubFile
    from llm_widgets.manager.import_check import ImportCheck
    from llm_widgets.page.models.import_form import ImportFormState

_COLUMNS = (
    Column("file", "File"),
    Column("size", "Size", "bytes"),
    Column("copied", "Copied", "status"),
    Column("digest", "Digest", "code"),
)
_ACTIONS = (Action("leave", "Leave out"), Action("take", "Copy"))
_LONG = 60.0  # seconds; a shorter estimate would pretend to know


class CheckCard:
    """Draws the answer of the pre-flight; ``box`` is what goes into the page."""

    def __init__(
        self, form: ImportFormState, *, confirm: Callable[[], None], cancel: Callable[[], None]
    ) -> None:
        self._form = form
        self._files_shown = False
        self._details = DetailList()
        self._warnings = Notice()
        self._error = Notice()
        self._files = DataTable(
            caption="Files of the model", columns=_COLUMNS, actions=_ACTIONS, filterable=True
        )
        self._import = button("Import", style="primary")
        self._cancel = button("Cancel", style="text")
        self._show_files = button("Show files", style="outlined")
        self._import.on_click(lambda _: confirm())
        self._cancel.on_click(lambda _: cancel())
        self._show_files.on_click(lambda _: self._open_files(not self._files_shown))
        self._files.on_action(lambda _, path: form.toggle(path))
        self.box = stack(
            card(
                "Ready to import",
                self._details,
                self._warnings,
                self._error,
                row(self._import, self._cancel, self._show_files),
            )
        )
        self._files_card = card(
            "Files",
            self._files,
            text="Only files that the engine loads are copied.",
        )
        hide(self.box)
        form.observe(self._draw, "checked")
        form.observe(self._draw_state, ["starting", "error"])

    def _draw(self, change: Any) -> None:
        checked = self._form.checked
        show_if(checked is not None, self.box)
        if checked is None:
            self._open_files(shown=False)
            return
        self._details.show(_facts(checked))
        if checked.warnings:
            self._warnings.show("warning", "Before you import:", detail="\n".join(checked.warnings))
        else:
            self._warnings.clear()
        can_choose = registry.get(checked.model.source).can_choose_files
        ordered = sorted(checked.found.files, key=lambda file: (bool(file.skipped), file.path))
        now = {file.path: file for file in checked.model.files}
        self._files.rows = [_row(now[file.path], can_choose=can_choose) for file in ordered]
        self._draw_state()
        self._open_files(self._files_shown)
        if change["old"] is None:
            self._import.focus()  # brings it into view, and the keyboard to it

    def _draw_state(self, _: object = None) -> None:
        checked = self._form.checked
        nothing = checked is not None and not checked.model.chosen
        self._import.disabled = self._form.starting or nothing
        self._import.description = "Starting …" if self._form.starting else "Import"
        self._cancel.disabled = self._form.starting
        if self._form.error:
            self._error.show_error(self._form.error)
        else:
            self._error.clear()

    def _open_files(self, shown: bool) -> None:  # noqa: FBT001 - the one thing it is about
        self._files_shown = shown
        checked = self._form.checked
        if checked:
            verb = "Hide" if shown else "Show"
            self._show_files.description = f"{verb} the {len(checked.found.files)} files"
        head = self.box.children[0]
        self.box.children = (head, self._files_card) if shown else (head,)


def _facts(checked: ImportCheck) -> list[Detail]:
    model, target = checked.model, checked.place.target
    left_out = len(model.files) - len(model.chosen)
    files = f"{len(model.chosen)} files" if len(model.chosen) != 1 else "1 file"
    if left_out:
        files += f", {left_out} left out"
    time = f"About {duration_text(checked.seconds)}"
    if checked.seconds < _LONG:
        time = "Less than a minute"
    new = "New bucket " if target.kind is TargetKind.CREATE else ""
    bucket = f"{new}gs://{target.name} in {checked.place.location}"
    bucket += f" ({target.words})" if target.words else ""
    count, size = checked.held
    held = f"holds {count} model{'' if count == 1 else 's'}, {bytes_text(size)}" if count else ""
    return [
        Detail("Model", model.id, state="ok"),
        Detail("Access", _access(checked)),
        Detail("Licence", model.license or "Not stated"),
        *loading_details(model.facts),
        Detail("Size", f"{bytes_text(model.size)} in {files}"),
        Detail("Bucket", bucket, note=held),
        Detail("Already downloaded", _present(checked)),
        Detail("Estimated time", f"{time}, {checked.basis}"),
        Detail("Pinned revision", model.revision, code=True, copy=True),
    ]


def loading_details(facts: Mapping[str, Any]) -> list[Detail]:
    """Say what a model does, and what tells it; nothing where no engine was asked."""
    found = loading.from_facts(facts)
    if found is None:
        return []
    return [Detail("Task", found.task.value.capitalize(), note=_by(found.source))]


def _by(source: str) -> str:
    return f"by {source}" if source else ""


def _present(checked: ImportCheck) -> str:
    if checked.is_ready:
        return "Another selection of its files" if checked.is_changed else "Everything"
    if checked.is_begun:
        return f"{bytes_text(checked.present)} of {bytes_text(checked.model.size)}"
    return "None"


def _access(checked: ImportCheck) -> str:
    if checked.model.gated and checked.has_token:
        return "Gated; your token has access"
    return "Your token has access" if checked.has_token else "Public"


def _row(file: HubFile, *, can_choose: bool) -> dict[str, Any]:
    hidden = ["take", "leave"]
    if can_choose:
        hidden.remove("take" if file.skipped else "leave")
    return {
        "id": file.path,
        "file": parts.cell(file.path, file.part),
        "size": file.size,
        "digest": f"{file.digest.kind.value}:{file.digest.value}",
        "copied": {
            "state": "off" if file.skipped else "ok",
            "text": "No" if file.skipped else "Yes",
            "note": file.skipped,
        },
        "hidden": hidden,
    }
