"""The Models tab: the list of buckets with their models, or an import being prepared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from llm_widgets.state.import_form import ImportFormState
from llm_widgets.views.models.bucket_card import BucketCard
from llm_widgets.views.models.bucket_dialog import BucketDialog
from llm_widgets.views.models.import_dialog import ImportDialog
from llm_widgets.views.models.progress_card import ProgressCard
from llm_widgets.views.models.review import ReviewPage
from llm_widgets.widgets.dialog import ConfirmDialog
from llm_widgets.widgets.layout import button, stack, toolbar
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.state.models import ModelsState
    from llm_widgets.state.session import Session


class ModelsView:
    """The tab; ``box`` is what goes into the page, ``dialogs`` beside it."""

    def __init__(
        self,
        session: Session,
        state: ModelsState,
        *,
        deploy: Callable[[str, ModelRecord], None],
    ) -> None:
        self._session = session
        self._state = state
        self._deploy = deploy
        self._asked: tuple[str, ModelRecord] | None = None
        self._cards: dict[str, BucketCard] = {}
        self._progress: dict[str, ProgressCard] = {}
        self._notice = Notice()
        self._buckets = stack()
        self._imports = stack()

        form = ImportFormState(session, state)
        self._review = ReviewPage(form, back=self._show_list)
        self._bucket_dialog = BucketDialog(session, state)
        self._import_dialog = ImportDialog(
            session,
            state,
            form,
            checked=self._show_review,
            new_bucket=lambda: self._bucket_dialog.show(then=self._import_dialog.show),
        )
        self._delete = ConfirmDialog(submit_label="Delete")
        self._delete.on_submit(lambda _: self._deleted())
        self.dialogs: tuple[w.Widget, ...] = (
            self._bucket_dialog.dialog,
            self._import_dialog.dialog,
            self._delete,
        )

        self._new_bucket = button("Create bucket", style="outlined")
        self._import = button("Import model", style="primary", icon="plus")
        refresh = button("Refresh", style="outlined", icon="refresh")
        self._new_bucket.on_click(lambda _: self._bucket_dialog.show())
        self._import.on_click(lambda _: self._import_dialog.show())
        refresh.on_click(lambda _: state.refresh())
        self._list = stack(
            toolbar("Models", self._import, self._new_bucket, refresh),
            self._notice,
            self._imports,
            self._buckets,
        )
        self.box = w.VBox([self._list])

        form.observe(lambda change: change["new"] is None and self._show_list(), "model")
        state.observe(self._draw, ["buckets", "loaded", "error"])
        state.imports.observe(self._draw_imports, "watched")
        session.observe(self._draw, "project")
        self._draw()

    def _show_list(self) -> None:
        self.box.children = (self._list,)

    def _show_review(self) -> None:
        self._review.show()
        self.box.children = (self._review.box,)

    def _act(self, action: str, bucket: str, key: str) -> None:
        record = self._state.find(bucket, key)
        if record is None:
            return
        if action == "deploy":
            self._deploy(bucket, record)
        elif action == "delete":
            self._asked = (bucket, record)
            self._delete.ask(
                title=f"Delete {record.id} from {bucket}?",
                text=f"Its files under gs://{bucket}/{record.prefix} go. "
                "Services that serve it will fail when they start next.",
            )
            self._delete.show()

    def _deleted(self) -> None:
        if self._asked:
            bucket, record = self._asked
            self._state.delete_model(
                bucket,
                record,
                deleted=self._delete.close,
                failed=lambda error: self._delete.fail(str(error)),
            )

    def _draw(self, _: object = None) -> None:
        state, chosen = self._state, self._session.project is not None
        self._new_bucket.disabled = self._import.disabled = not chosen
        if not chosen:
            self._notice.show("info", "Choose a project on the General tab first.")
        elif state.error:
            self._notice.show_error(state.error)
        elif not state.loaded:
            self._notice.show("info", "Looking into the project's buckets …")
        elif not state.buckets:
            self._notice.show(
                "info",
                "No bucket of this project holds models yet. Create one, then import a model.",
            )
        else:
            self._notice.clear()
        self._draw_buckets()

    def _draw_buckets(self) -> None:
        progress = {
            watched.id: watched.progress
            for watched in self._state.imports.watched.values()
            if watched.progress
        }
        for bucket in self._state.buckets:
            if bucket.name not in self._cards:
                self._cards[bucket.name] = BucketCard(
                    bucket.name, self._act, self._import_dialog.show
                )
            self._cards[bucket.name].show(bucket, progress)
        self._buckets.children = [self._cards[b.name].box for b in self._state.buckets]

    def _draw_imports(self, _: object = None) -> None:
        imports = self._state.imports
        watched = imports.watched
        for key in [key for key in self._progress if key not in watched]:
            del self._progress[key]
        for key, seen in watched.items():
            if key not in self._progress:
                self._progress[key] = self._progress_card(key, seen.model_id, seen.bucket)
            if seen.progress:
                self._progress[key].show(seen.progress)
        boxes = [self._progress[key].box for key in watched]
        if boxes != list(self._imports.children):
            self._imports.children = boxes
        self._draw_buckets()

    def _progress_card(self, key: str, model_id: str, bucket: str) -> ProgressCard:
        imports = self._state.imports
        return ProgressCard(
            model_id,
            bucket,
            cancel=lambda: imports.cancel(key),
            retry=lambda: imports.retry(key),
            dismiss=lambda: imports.dismiss(key),
        )
