"""One import while it runs: a bar for the whole, bars for what moves, a list of every file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from llm_widgets.domain.imports import FileState, ImportProgress, ImportState
from llm_widgets.domain.units import bytes_text
from llm_widgets.widgets.files import FileProgress, FileRow
from llm_widgets.widgets.html import note, set_text
from llm_widgets.widgets.layout import button, card
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.progress import TransferBars

if TYPE_CHECKING:
    from collections.abc import Callable

_TITLES = {
    ImportState.STARTING: "Waiting for a worker …",
    ImportState.RUNNING: "Copying from the hub into the bucket",
    ImportState.VERIFYING: "Comparing digests, then publishing",
    ImportState.DONE: "Imported and verified",
    ImportState.FAILED: "The import failed",
    ImportState.CANCELLED: "The import was cancelled",
}


class ProgressCard:
    """Draws the progress of one import; ``box`` is what goes into the page."""

    def __init__(
        self,
        model_id: str,
        bucket: str,
        *,
        cancel: Callable[[], None],
        retry: Callable[[], None],
        dismiss: Callable[[], None],
    ) -> None:
        self._bars: TransferBars | None = None
        self._notice = Notice()
        self._phase = note("Starting …")
        self._bar_box = w.VBox()
        self._files = FileProgress(label=f"Files of {model_id}")
        self._cancel = button("Cancel", style="outlined")
        self._retry = button("Try again", style="outlined")
        self._dismiss = button("Close", style="text")
        self._buttons = w.HBox([self._cancel])
        self._cancel.on_click(lambda _: self._cancelled(cancel))
        self._retry.on_click(lambda _: retry())
        self._dismiss.on_click(lambda _: dismiss())
        self.box = card(
            f"Importing {model_id}",
            self._notice,
            self._phase,
            self._bar_box,
            self._files,
            text=f"into gs://{bucket}",
            actions=[self._buttons],
        )
        self._shown: ImportState | None = None

    def show(self, progress: ImportProgress) -> None:
        """Draw a state of the import."""
        self._draw_files(progress)
        self._draw_bars(progress)
        counted = f"{sum(f.state is FileState.DONE for f in progress.files)} of "
        counted += f"{len(progress.files)} files, {bytes_text(progress.done)} of "
        counted += bytes_text(progress.size)
        set_text(self._phase, f"{_TITLES[progress.state]} · {counted}")
        if progress.state is self._shown:
            return
        self._shown = progress.state
        if progress.state is ImportState.FAILED:
            said = "\n".join(part for part in (progress.cause, progress.fix) if part)
            self._notice.show("error", progress.message or "The import failed.", detail=said)
            self._buttons.children = (self._retry, self._dismiss)
        elif progress.state is ImportState.CANCELLED:
            self._notice.show("info", "Cancelled. Nothing of it was published.")
            self._buttons.children = (self._retry, self._dismiss)
        elif progress.state is ImportState.DONE:
            self._notice.show("success", "Every file has the digest that the hub published.")
            self._buttons.children = (self._dismiss,)
        else:
            self._notice.clear()
            self._cancel.disabled = False
            self._buttons.children = (self._cancel,)

    def _cancelled(self, cancel: Callable[[], None]) -> None:
        self._cancel.disabled = True
        cancel()

    def _draw_files(self, progress: ImportProgress) -> None:
        self._files.update(
            FileRow(name=f.path, total=f.size, bytes=f.done, state=f.state.value)
            for f in progress.files
        )

    def _draw_bars(self, progress: ImportProgress) -> None:
        if self._bars is None:
            self._bars = TransferBars("Total", progress.size, progress.done)
            self._bar_box.children = (self._bars,)
        active = {f.path: (f.done, f.size) for f in progress.files if f.state is FileState.ACTIVE}
        self._bars.advance(progress.done, active, total=progress.size)
        if progress.state is ImportState.DONE:
            self._bars.finish()
        elif progress.state.is_final:
            self._bars.fail()
