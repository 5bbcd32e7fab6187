"""One import while it runs: a bar for the whole, bars for what moves, a list of every file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import parts
from llm_widgets.domain.progress import FileState, ImportProgress, ImportState
from llm_widgets.domain.units import bytes_text, duration_text
from llm_widgets.widgets.files import FileProgress, FileRow
from llm_widgets.widgets.html import note, set_text
from llm_widgets.widgets.layout import button, card, column, hide, row, show, show_if
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.progress import TransferBars

if TYPE_CHECKING:
    from collections.abc import Callable

    import ipywidgets as w

    from llm_widgets.domain.progress import FileProgress as ImportedFile
    from llm_widgets.page.models.imports import WatchedImport
    from llm_widgets.widgets.files import RowState

_ROW_STATES: dict[FileState, RowState] = {
    FileState.WAITING: "waiting",
    FileState.DONE: "done",
    FileState.FAILED: "failed",
}
_TITLES = {
    ImportState.STARTING: "Starting …",
    ImportState.RUNNING: "Copying from the hub into the bucket",
    ImportState.VERIFYING: "Verifying checksums, then publishing",
    ImportState.FAILED: "The import failed",
}
_TOLD_BY_NOTICE = (ImportState.DONE, ImportState.CANCELLED)
_ABANDONED = (None, False, "")


class ProgressCard:
    """Draws the progress of one import; ``box`` is what goes into the page."""

    def __init__(
        self,
        model_id: str,
        bucket: str,
        *,
        cancel: Callable[[], None],
        resume: Callable[[], None],
        dismiss: Callable[[], None],
        deploy: Callable[[], None],
    ) -> None:
        self._bars: TransferBars | None = None
        self._notice = Notice()
        self._notice.on_action(deploy)
        self._phase = note("Reading the import's progress …")
        self._files = FileProgress(label=f"Files of {model_id}")
        self._moving = column()
        self._moving.add_class("llm-stack")
        self._cancel = button("Cancel", style="outlined")
        self._resume = button("Resume", style="outlined")
        self._dismiss = button("Close", style="text")
        self._buttons = row(self._cancel)
        self._cancel.on_click(lambda _: self._pressed(self._cancel, cancel))
        self._resume.on_click(lambda _: self._pressed(self._resume, resume))
        self._dismiss.on_click(lambda _: dismiss())
        self.box = card(
            f"Import of {model_id} into {bucket}",
            self._phase,
            self._notice,
            self._moving,
            actions=[self._buttons],
        )
        self._shown: tuple[ImportState | None, bool, str] | None = None

    def show(self, seen: WatchedImport, *, can_deploy: bool) -> None:
        """Draw a state of the import.

        Parameters
        ----------
        can_deploy
            Whether the list of models has what was imported, and an engine serves it.
        """
        progress = seen.progress
        if progress is None:
            self._draw_abandoned(seen)
            return
        self._draw_files(seen, progress)
        show_if(progress.state not in _TOLD_BY_NOTICE, self._phase)
        if progress.state not in _TOLD_BY_NOTICE:
            set_text(self._phase, _phase(seen, progress))
        if seen.is_abandoned:
            self._draw_abandoned(seen)
        elif (progress.state, can_deploy, progress.trouble) != self._shown:
            self._shown = progress.state, can_deploy, progress.trouble
            self._draw_state(progress, can_deploy=can_deploy)

    def _draw_state(self, progress: ImportProgress, *, can_deploy: bool) -> None:
        self._resume.disabled = self._cancel.disabled = False
        if progress.state is ImportState.FAILED:
            said = "\n".join(part for part in (progress.cause, progress.fix) if part)
            self._notice.show("error", progress.message or "The import failed.", detail=said)
            self._buttons.children = (self._resume, self._dismiss)
        elif progress.state is ImportState.CANCELLED:
            self._notice.show("info", "Cancelled. No files were published.")
            self._buttons.children = (self._resume, self._dismiss)
        elif progress.state is ImportState.DONE:
            next_step = "Deploy" if can_deploy else ""
            self._notice.show("success", _what_was_done(progress), action_label=next_step)
            self._buttons.children = (self._dismiss,)
        else:
            if progress.trouble:
                self._notice.show("warning", progress.trouble)
            else:
                self._notice.clear()
            self._buttons.children = (self._cancel,)

    def _draw_abandoned(self, seen: WatchedImport) -> None:
        if not seen.is_abandoned or self._shown == _ABANDONED:
            return
        self._shown = _ABANDONED
        self._notice.show(
            "warning",
            "Import interrupted.",
            detail="Resume to continue. Files already copied are kept.",
        )
        self._resume.disabled = self._cancel.disabled = False
        self._buttons.children = (self._resume, self._cancel)

    @staticmethod
    def _pressed(pressed: w.Button, act: Callable[[], None]) -> None:
        pressed.disabled = True
        act()

    def _draw_files(self, seen: WatchedImport, progress: ImportProgress) -> None:
        """Draw bars and list, as long as there is something to tell about single files."""
        if progress.state in _TOLD_BY_NOTICE:
            hide(self._moving)  # all are there, or none is
            self._moving.children = ()
            self._bars = None
            return
        is_moving = not (seen.is_abandoned or progress.state.is_final)
        self._files.update(
            FileRow(
                name=parts.title(f.path, f.part),
                total=f.size,
                bytes=f.done,
                state=_state(f, is_moving),
            )
            for f in sorted(progress.files, key=lambda each: each.path)
        )
        if self._bars is None:
            self._bars = TransferBars("Total", progress.size, progress.done)
            self._moving.children = (self._bars, self._files)
            show(self._moving)
        active = {
            parts.title(f.path, f.part): (f.done, f.size)
            for f in progress.files
            if is_moving and f.state is FileState.ACTIVE and f.done < f.size
        }
        self._bars.advance(progress.done, active, total=progress.size)
        if progress.state is ImportState.FAILED:
            self._bars.fail()


def _state(file: ImportedFile, is_moving: bool) -> RowState:  # noqa: FBT001 - it is what decides
    if file.state is not FileState.ACTIVE:
        return _ROW_STATES[file.state]
    if not is_moving:
        return "stopped"
    return "verifying" if file.done == file.size else "active"


def _what_was_done(progress: ImportProgress) -> str:
    """Write what an import has brought."""
    count, size = len(progress.files), bytes_text(progress.size)
    files = "1 file" if count == 1 else f"{count} files"
    took = duration_text(max(1, (progress.updated_at - progress.started_at).total_seconds()))
    return f"Imported and verified: {files}, {size} in {took}. All checksums match the hub."


def _phase(seen: WatchedImport, progress: ImportProgress) -> str:
    """Write the phase, what has arrived, and what is left to wait for."""
    title = "Interrupted" if seen.is_abandoned else _TITLES[progress.state]
    done = sum(file.state is FileState.DONE for file in progress.files)
    count = len(progress.files)
    arrived, size = bytes_text(progress.done), bytes_text(progress.size)
    parts = [title, f"{done} of {count} files, {arrived} of {size}"]
    left = seen.seconds_left
    if not seen.is_abandoned and not progress.state.is_final:
        if left is not None and progress.state is ImportState.RUNNING:
            parts.append(f"about {duration_text(left)} left")
        parts.append("you can close this page; the import continues")
    return " · ".join(parts)
