"""Changing a service: the fields that can change, and what would be sent before it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.views.services.deploy_fields import deploy_fields
from llm_widgets.views.services.deploy_page import cost
from llm_widgets.widgets.dialog import FormDialog
from llm_widgets.widgets.form import Form, Values
from llm_widgets.widgets.html import note, paragraph, set_text
from llm_widgets.widgets.layout import button, card, row, stack, toolbar
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.services import Deployment
    from llm_widgets.errors import ManagerError
    from llm_widgets.state.service_edit import ServiceEditState
    from llm_widgets.widgets.form import Field

# A service keeps its name, its place and its files; who may call has a section of its own.
_FIXED = frozenset(
    {"name", "region", "grant_access", "callers", "members", "mount_path", "cache_gib"}
)


class EditPage:
    """The form; ``box`` goes into the page, ``dialog`` beside it."""

    def __init__(self, state: ServiceEditState, *, back: Callable[[], None]) -> None:
        self._state = state
        self._fields: dict[str, str] = {}
        self._choices: tuple[str, float] = ("", 0)
        self._title = toolbar("Edit")
        self._cost = paragraph("")
        self._notice = Notice()
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
        go_back.on_click(lambda _: back())
        self.box = stack(
            row(go_back),
            self._title,
            card("Cost", self._cost),
            note("What is not shown here stays as it is: sidecars, other mounts, other settings."),
            self._notice,
            self._form,
        )
        self._form.on_input(self._typed)
        self._form.on_submit(self._submitted)
        self._form.on_cancel(back)
        self.dialog.on_submit(lambda _: state.send(self.dialog.close, self._refused))
        state.observe(self._opened, "before")

    def _opened(self, _: object = None) -> None:
        before = self._state.before
        if before is None:
            return
        self._title.children = toolbar(f"Edit {before.name}").children
        self._notice.clear()
        self._form.start_over(self._described(before, before))
        set_text(self._cost, cost(before))

    def _described(self, before: Deployment, now: Deployment) -> list[Field]:
        self._choices = (now.accelerator, now.cpu)
        fields = [f for f in deploy_fields(before, now, before.region) if f.key not in _FIXED]
        self._fields = {field.key: field.label for field in fields}
        return fields

    def _typed(self, values: Values) -> None:
        before, after = self._state.before, self._state.read(values)
        if before is None:
            return
        self._show()
        if after is None:
            return
        set_text(self._cost, cost(after))
        if (after.accelerator, after.cpu) != self._choices:
            self._form.set_fields(self._described(before, after))

    def _submitted(self, values: Values) -> None:
        if self._state.review(values):
            self._form.finish()
            self.dialog.text = "\n".join(
                f"{self._fields.get(change.field, change.field)}: {change.before} → {change.after}"
                for change in self._state.changes
            )
            self.dialog.show()
        else:
            self._show()

    def _refused(self, error: ManagerError) -> None:
        self.dialog.close()
        self._notice.show_error(error)

    def _show(self) -> None:
        problems = self._state.problems
        errors = {key: text for key, text in problems.items() if key in self._fields}
        rest = "\n".join(text for key, text in problems.items() if key not in self._fields)
        self._form.fail(rest, errors=errors)
