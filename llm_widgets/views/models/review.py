"""What an import would copy, to be confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.units import bytes_text
from llm_widgets.widgets.details import Detail, DetailList
from llm_widgets.widgets.layout import button, card, row, stack, toolbar
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.table import Column, DataTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.state.import_form import ImportFormState

_COLUMNS = (
    Column("file", "File"),
    Column("size", "Size", "bytes"),
    Column("copied", "Copied", "status"),
)


class ReviewPage:
    """Draws the answer of the pre-flight; ``box`` is what goes into the page."""

    def __init__(self, form: ImportFormState, *, back: Callable[[], None]) -> None:
        self._form = form
        self._details = DetailList()
        self._notes = Notice()
        self._error = Notice()
        self._files = DataTable(caption="Files of the model", columns=_COLUMNS)
        self._start = button("Import", style="primary")
        cancel = button("Cancel", style="text")
        go_back = button("Back to models", style="text", icon="arrow-left")
        self._start.on_click(lambda _: form.start())
        for each in (cancel, go_back):
            each.on_click(lambda _: (form.give_up(), back()))
        self.box = stack(
            row(go_back),
            toolbar("Import model"),
            card("Found", self._details, self._notes),
            self._error,
            row(self._start, cancel),
            card("Files", self._files),
        )
        form.observe(self._draw_error, ["starting", "error"])

    def show(self) -> None:
        """Draw the model that was found."""
        model = self._form.model
        if model is None:
            return
        left_out = len(model.files) - len(model.chosen)
        files = f"{len(model.chosen)} files" + (f", {left_out} left out" if left_out else "")
        self._details.show(
            [
                Detail("Model", model.id, state="ok"),
                Detail("Source", model.source.label),
                Detail("Revision", model.revision, code=True, copy=True),
                Detail("Size", bytes_text(model.size), note=files),
                Detail("Licence", model.license or "not stated"),
                Detail("Access", "gated; this token may read it" if model.gated else "open"),
                Detail("Bucket", self._form.bucket),
            ]
        )
        if model.notes:
            self._notes.show("warning", "\n".join(model.notes))
        else:
            self._notes.clear()
        self._files.rows = [
            {
                "id": file.path,
                "file": file.path,
                "size": file.size,
                "copied": {
                    "state": "off" if file.skipped else "ok",
                    "text": "No" if file.skipped else "Yes",
                    "note": file.skipped,
                },
            }
            for file in sorted(model.files, key=lambda each: (bool(each.skipped), each.path))
        ]
        self._draw_error()

    def _draw_error(self, _: object = None) -> None:
        self._start.disabled = self._form.starting
        if self._form.error:
            self._error.show_error(self._form.error)
        else:
            self._error.clear()
