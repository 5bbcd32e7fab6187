"""Changing a service: the fields that can change, and what would be sent before it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.errors import ConflictError, Fix, NotFoundError
from llm_widgets.manager.change import FIXED
from llm_widgets.page.services.cost_card import CostCard
from llm_widgets.page.services.deploy_fields import advanced, beginning, deploy_fields, summaries
from llm_widgets.page.services.deploy_values import followers, values_of
from llm_widgets.page.services.field_errors import placed
from llm_widgets.page.services.memory_card import MemoryCard
from llm_widgets.widgets.dialog import FormDialog
from llm_widgets.widgets.form import Form, Values
from llm_widgets.widgets.html import note
from llm_widgets.widgets.layout import button, row, split, stack, toolbar
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.services import Deployment
    from llm_widgets.errors import ManagerError
    from llm_widgets.page.services.service_edit import ServiceEditState
    from llm_widgets.widgets.fields import Field

# A service keeps its name, its place and its files; who may call has a section of its own.
_FIXED = frozenset({*FIXED, "grant_access", "callers", "members", "mount_path", "cache_gib"})


class EditPage:
    """The form; ``box`` goes into the page, ``dialog`` beside it."""

    def __init__(self, state: ServiceEditState, *, back: Callable[[], None]) -> None:
        self._state = state
        self._labels: dict[str, str] = {}
        self._is_refused = False
        self._title = toolbar("Edit")
        self._cost = CostCard(state.prices)
        self._notice = Notice()
        self._notice.add_class("llm-answer")
        self._form = Form(
            label="Change a service",
            submit_label="Review changes",
            busy_label="Comparing …",
            cancel_label="Cancel",
            live=True,
        )
        self.dialog = FormDialog(
            title="Deploy these changes?",
            submit_label="Deploy changes",
            busy_label="Asking Cloud Run …",
            wide=True,
        )
        go_back = button("Back", style="text", icon="arrow-left")
        go_back.on_click(lambda _: self._form.cancel())
        memory = MemoryCard(state.memory, self._use_context)
        side = stack(self._cost.box, memory.box)
        self.box = stack(
            row(go_back),
            self._title,
            note("Settings not shown here (sidecars, other mounts …) are kept."),
            split(stack(self._notice, self._form), side),
        )
        self._form.on_input(self._typed)
        self._form.on_submit(self._submitted)
        self._form.on_cancel(back)
        self.dialog.on_submit(lambda _: state.send(self.dialog.close, self._refused))
        self._notice.on_action(state.reload)
        state.observe(self._opened, "before")
        state.on_sent(self._form.forget)
        state.memory.observe(self._draw_refusal, ["estimate", "too_small"])

    def _opened(self, _: object = None) -> None:
        before, now = self._state.before, self._state.now
        if before is None or now is None:
            return
        self._title.children = toolbar(f"Edit {before.name}").children
        self._notice.clear()
        # What begins as a change is in the fields themselves: a form that is only being put into
        # the page takes no messages yet.
        self._form.start_over(beginning(self._described(before, now), now))
        # The name is one of the project and the region, too.
        self._form.keep_as(f"edit {self._state.name}")
        self._draw(now)

    def _described(self, before: Deployment, now: Deployment) -> list[Field]:
        self._is_refused = self._state.memory.is_refused
        made = deploy_fields(before, now, before.region, is_refused=self._is_refused)
        fields = [field for field in made if field.key not in _FIXED]
        self._labels = {field.key: field.label for field in fields}
        return fields

    def _draw_refusal(self, _: object = None) -> None:
        """Ask whether to insist only while the memory does not suffice."""
        before, now = self._state.before, self._state.now
        if before and now and self._state.memory.is_refused != self._is_refused:
            self._form.set_fields(self._described(before, now))

    def _draw(self, now: Deployment) -> None:
        self._cost.show(now)
        self._form.folded = summaries(now)
        self._form.advanced = advanced(self._state.before or now, now)

    def _typed(self, values: Values) -> None:
        state = self._state
        before, was = state.before, state.now
        if before is None or was is None:
            return
        state.read(values)
        now = state.now
        if now and now != was:
            self._draw(now)
            if (now.accelerator, now.cpu) != (was.accelerator, was.cpu):
                self._form.set_fields(self._described(before, now))
            followed = followers(now, values)
            if followed:
                self._form.fill(followed)
        self._show()

    def _use_context(self, tokens: int) -> None:
        wanted = self._state.use_context(tokens)
        if wanted is not None:
            self._form.fill(values_of(wanted))

    def _submitted(self, values: Values) -> None:
        if self._state.review(values):
            self._form.finish()
            if self._state.now:
                self._form.fill(followers(self._state.now, values))
            self.dialog.changes = [
                {
                    "label": self._labels.get(change.field, change.field),
                    "removed": list(change.removed),
                    "added": list(change.added),
                }
                for change in self._state.changes
            ]
            self.dialog.show()
        else:
            self._show()

    def _refused(self, error: ManagerError) -> None:
        self.dialog.close()
        if isinstance(error, NotFoundError):
            gone = Fix(text="The service was deleted. Deploy its model again from the Models tab.")
            error = NotFoundError(error.message, cause=error.cause, fix=gone)
        again = isinstance(error, ConflictError)
        self._notice.show_error(error, action_label="Reload, keep my changes" * again)

    def _show(self) -> None:
        text, errors = placed(self._state.problems, self._labels)
        self._form.fail(text, errors=errors)
