"""The Models tab: the list of buckets with their models, an import, or one model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.page.models.buckets_page import ModelList
from llm_widgets.page.models.delete_dialog import DeleteDialog
from llm_widgets.page.models.import_form import ImportFormState
from llm_widgets.page.models.import_page import ImportPage
from llm_widgets.page.models.model import ModelPageState
from llm_widgets.page.models.model_page import ModelPage
from llm_widgets.page.models.models import row_id
from llm_widgets.page.models.tidy_dialog import TidyDialog
from llm_widgets.page.places import MODELS, Place, View
from llm_widgets.widgets.layout import column

if TYPE_CHECKING:
    from collections.abc import Callable

    import ipywidgets as w

    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.page.models.models import ModelsState
    from llm_widgets.page.session import Session


class ModelsView:
    """The tab; ``box`` is what goes into the page, ``dialogs`` beside it.

    Parameters
    ----------
    deploy
        Called with the bucket and a model that is ready.
    moved
        Called when another place is shown.
    """

    def __init__(
        self,
        session: Session,
        state: ModelsState,
        *,
        deploy: Callable[[str, ModelRecord], None],
        moved: Callable[[], None],
    ) -> None:
        self._moved = moved
        self._bucket = ""
        self._state = state
        self._deploy = deploy
        self._opened: tuple[str, str] | None = None
        self._shown: ModelRecord | None = None
        self._model = ModelPageState(session, state)
        self._list = ModelList(session, state, act=self._act, start_import=self.open_import)
        self._import = ImportPage(
            session, state, ImportFormState(session, state), back=self.show_list
        )
        self._page = ModelPage(session, self._model, back=self.show_list, act=self._act_on_opened)
        self._delete = DeleteDialog(self._model, state, deleted=self.show_list)
        self._tidy = TidyDialog(state.storage)
        self.dialogs: tuple[w.Widget, ...] = (self._delete.dialog, self._tidy.dialog)
        self.box = column(self._list.box)
        state.observe(self._draw_opened, "buckets")
        state.imports.observe(self._draw_opened, "watched")
        session.observe(lambda _: self._import.close(), "project")

    def show_list(self) -> None:
        """Show the buckets with their models."""
        self._opened = None
        self._show(self._list.box)

    @property
    def place(self) -> Place:
        """The place that is shown."""
        if self.box.children == (self._import.box,):
            return Place(View.IMPORT, (self._bucket,) if self._bucket else ())
        if self._opened is None or self._shown is None:
            return MODELS
        return self._state.place(self._opened[0], self._shown)

    def open_import(self, bucket: str = "") -> None:
        """Show the form that imports a model."""
        self._begin_import(bucket)

    def open_model(self, bucket: str, record: ModelRecord) -> None:
        """Show the page of a model."""
        self._open_model(bucket, row_id(record), record)

    def _begin_import(self, bucket: str, **what: str) -> None:
        self._opened, self._bucket = None, bucket
        self._import.open(bucket=bucket, **what)
        self._show(self._import.box)

    def _show(self, box: w.Widget) -> None:
        if self.box.children != (box,):
            self.box.children = (box,)
        self._moved()

    def _act_on_opened(self, action: str) -> None:
        if self._opened:
            self._act(action, *self._opened)

    def _act(self, action: str, bucket: str, key: str) -> None:
        if action == "delete-bucket":
            self._tidy.show_bucket(bucket)
        elif action == "tidy":
            self._remove(bucket, key)
        else:
            self._act_on_model(action, bucket, key)

    def _remove(self, bucket: str, key: str) -> None:
        measured = self._state.storage.measured.get(bucket)
        finding = measured.finding(key) if measured else None
        if finding and finding.model:
            self._delete.show(bucket, finding.model, type_name=True)
        elif finding:
            self._tidy.show_folder(bucket, finding)

    def _act_on_model(self, action: str, bucket: str, key: str) -> None:
        record = self._state.find(bucket, key)
        if record is None:
            return
        if action == "deploy":
            self._deploy(bucket, record)
        elif action == "delete":
            self._delete.show(bucket, record)
        elif action == "resume":
            self._state.imports.resume(bucket, record.import_id, record.id)
        elif action == "newer":
            self._begin_import(bucket, source=record.source, model_id=record.id)
        else:
            self._open_model(bucket, key, record)
            if action == "verify":
                self._model.verify()

    def _open_model(self, bucket: str, key: str, record: ModelRecord) -> None:
        self._opened, self._shown = (bucket, key), record
        self._model.open(bucket, record)
        self._page.show(bucket, record, self._state.imports.watched.get(record.import_id))
        self._show(self._page.box)

    def _draw_opened(self, _: object) -> None:
        if self._opened is None:
            return
        bucket, key = self._opened
        record = self._state.find(bucket, key)
        if record is None:
            self.show_list()
        elif self._shown and record.status is not self._shown.status:
            self._open_model(bucket, key, record)  # its import has ended, or begun anew
        else:
            self._page.show(bucket, record, self._state.imports.watched.get(record.import_id))
