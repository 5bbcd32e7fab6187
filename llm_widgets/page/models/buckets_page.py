"""The buckets with their models, and the imports under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import links
from llm_widgets.page.models.bucket_card import COLUMNS, BucketCard
from llm_widgets.page.models.models import row_id
from llm_widgets.page.models.progress_card import ProgressCard
from llm_widgets.page.models.status import can_be_deployed
from llm_widgets.widgets.layout import button, card, stack, toolbar
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.table import Column, DataTable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.page.models.models import BucketModels, ModelsState
    from llm_widgets.page.session import Session

_UNREAD = "Buckets that can't be read"
_UNREADABLE = (
    Column("bucket", "Bucket"),
    Column("location", "Location"),
    Column("reason", "Reason"),
    Column("fix", "Fix", "code"),
)


class ModelList:
    """Draws them; ``box`` is what goes into the page.

    Parameters
    ----------
    act
        Called with an action of a row, its bucket and its key.
    start_import
        Called with the bucket to import into; empty when any may be chosen.
    """

    def __init__(
        self,
        session: Session,
        state: ModelsState,
        *,
        act: Callable[[str, str, str], None],
        start_import: Callable[[str], None],
    ) -> None:
        self._session = session
        self._state = state
        self._act = act
        self._start_import = start_import
        self._cards: dict[str, BucketCard] = {}
        self._progress: dict[str, ProgressCard] = {}
        self._unreadable = _Unreadable()
        awaited = DataTable(caption="Models", columns=COLUMNS, loading=True)
        self._awaited = card("Buckets", awaited)
        self._notice = Notice()
        self._buckets = stack()
        self._imports = stack()
        self._import = button("Import model", style="primary", icon="plus")
        self._refresh = button("Refresh", style="outlined", icon="refresh")
        self._import.on_click(lambda _: start_import(""))
        self._refresh.on_click(lambda _: state.refresh())
        self.box = stack(
            toolbar("Models", self._import, self._refresh),
            self._notice,
            self._imports,
            self._buckets,
        )
        state.observe(self._draw, ["buckets", "loaded", "error", "waiting"])
        state.imports.observe(self._draw_imports, "watched")
        state.updates.observe(lambda _: self._draw_buckets(), "newest")
        state.storage.observe(lambda _: self._draw_buckets(), "measured")
        session.observe(self._draw, ["project", "is_opening"])
        self._draw()

    def _draw(self, _: object = None) -> None:
        state, chosen = self._state, self._session.project is not None
        self._import.disabled = self._refresh.disabled = not chosen
        if not chosen:
            self._notice.show("info", self._session.no_project)
        elif state.error:
            self._notice.show_error(state.error)
        elif not state.loaded:
            self._notice.show("info", "Reading the project's buckets …")
        elif state.waiting:
            self._notice.show("info", f"Reading {state.waiting} more buckets …")
        elif not state.buckets:
            self._notice.show(
                "info",
                "No models in this project's buckets yet.",
                detail="Import a model. You can create its bucket in the same step.",
            )
        else:
            self._notice.clear()
        self._draw_imports()

    def _draw_buckets(self) -> None:
        state = self._state
        shown = [bucket for bucket in state.buckets if bucket.is_ours or not bucket.problem]
        unreadable = [bucket for bucket in state.buckets if bucket not in shown]
        for bucket in shown:
            if bucket.name not in self._cards:
                self._cards[bucket.name] = self._bucket_card(bucket)
            measured = state.storage.measured.get(bucket.name)
            self._cards[bucket.name].show(bucket, state.imports.watched, state.updates, measured)
        boxes = [self._cards[bucket.name].box for bucket in shown]
        self._unreadable.show(unreadable)
        if unreadable:
            boxes.append(self._unreadable.box)
        if not boxes and self._is_reading:
            boxes.append(self._awaited)
        if boxes != list(self._buckets.children):
            self._buckets.children = boxes

    @property
    def _is_reading(self) -> bool:
        """Whether there may be buckets with models that nobody has seen yet."""
        if self._session.project is None:
            return self._session.is_opening
        return not self._state.loaded or self._state.waiting > 0

    def _imported(self, import_id: str, bucket: str) -> ModelRecord | None:
        """Return what an import has brought, once the list has it."""
        models = getattr(self._state.bucket(bucket), "models", ())
        return next((each for each in models if each.import_id == import_id), None)

    def _draw_imports(self, _: object = None) -> None:
        watched = self._state.imports.watched
        for key in [key for key in self._progress if key not in watched]:
            del self._progress[key]
        for key, seen in watched.items():
            if key not in self._progress:
                self._progress[key] = self._progress_card(key, seen.model_id, seen.bucket)
            record = self._imported(key, seen.bucket)
            self._progress[key].show(seen, can_deploy=bool(record and can_be_deployed(record)))
        boxes = [self._progress[key].box for key in watched]
        if boxes != list(self._imports.children):
            self._imports.children = boxes
        self._draw_buckets()

    def _bucket_card(self, bucket: BucketModels) -> BucketCard:
        name, local = bucket.name, self._session.settings.is_local_cloud
        return BucketCard(
            name,
            link="" if local else links.bucket(name, self._session.project_id),
            storage=self._state.storage,
            act=self._act,
            start_import=lambda: self._start_import(name),
            repair=lambda: self._state.repair(name),
        )

    def _progress_card(self, key: str, model_id: str, bucket: str) -> ProgressCard:
        imports = self._state.imports
        return ProgressCard(
            model_id,
            bucket,
            cancel=lambda: imports.cancel(key),
            resume=lambda: imports.resume(bucket, key, model_id),
            dismiss=lambda: imports.dismiss(key),
            deploy=lambda: self._deploy(key, bucket),
        )

    def _deploy(self, import_id: str, bucket: str) -> None:
        record = self._imported(import_id, bucket)
        if record:
            self._act("deploy", bucket, row_id(record))


class _Unreadable:
    """Buckets of which it can't be told whether they hold models, with the reasons."""

    def __init__(self) -> None:
        self._table = DataTable(caption=_UNREAD, columns=_UNREADABLE)
        self.box = card(
            _UNREAD,
            self._table,
            text="Models in these buckets are not shown here.",
        )

    def show(self, buckets: Sequence[BucketModels]) -> None:
        """Draw what is known of them."""
        self._table.rows = [
            {
                "id": bucket.name,
                "bucket": bucket.name,
                "location": bucket.location,
                "reason": {
                    "text": bucket.problem.message,
                    "note": bucket.problem.fix.text if bucket.problem.fix else "",
                },
                "fix": (bucket.problem.fix.command or None) if bucket.problem.fix else None,
            }
            for bucket in buckets
            if bucket.problem
        ]
