"""Forms and confirmations in a dialog."""

from __future__ import annotations

from typing import Any

import traitlets as t

from llm_widgets.widgets.fields import Field, Option
from llm_widgets.widgets.form import FormBase, Values

__all__ = ["ConfirmDialog", "Field", "FormDialog", "Option", "Values"]


class FormDialog(FormBase, module="dialog"):
    """A form in a modal dialog.

    Show it with `show`. On submit the dialog stays open and busy, and the callbacks of
    `on_submit` get the values; end with `close` when the thing is done, or with `fail` to let
    the person correct it. Values are never a trait: they come once, in the submit.

    Parameters
    ----------
    title, text
        Heading, and a paragraph below it.
    changes
        ``{"label", "removed", "added"}`` of what would change, the last two lists of lines.
    command
        Command lines that do the same, with a copy button; `show` takes them away.
    danger
        Whether submitting takes something away: the button is red, and Cancel has the focus.
    wide
        Whether the dialog may be 720 pixels wide instead of 480.

    Examples
    --------
    >>> dialog = FormDialog(
    ...     title="Create bucket",
    ...     fields=[Field("name", "Name", required=True)],
    ...     submit_label="Create",
    ... )
    >>> def submitted(values):
    ...     if values["name"] == "taken":
    ...         dialog.fail(errors={"name": "This name is taken."})
    ...     else:
    ...         dialog.close()
    >>> dialog.on_submit(submitted)
    """

    title = t.Unicode().tag(sync=True)
    text = t.Unicode().tag(sync=True)
    changes = t.List(t.Dict()).tag(sync=True)
    command = t.Unicode().tag(sync=True)
    danger = t.Bool(default_value=False).tag(sync=True)
    wide = t.Bool(default_value=False).tag(sync=True)
    shown = t.Bool(default_value=False).tag(sync=True)

    @property
    def is_open(self) -> bool:
        """Whether it is shown."""
        return bool(self.shown)

    def may_set(self, name: str, value: object) -> bool:
        """Return whether the browser may set a trait: it may close a dialog, and open none."""
        return (name, value) == ("shown", False)

    def show(self) -> None:
        """Open the dialog, without the errors and hints of the last time."""
        with self.hold_sync():
            self.busy = ""
            self.error = ""
            self.errors = {}
            self.hints = {}
            self.command = ""
            self.shown = True

    def close(self) -> None:
        """Close the dialog; what was typed is forgotten."""
        with self.hold_sync():
            self.busy = ""
            self.shown = False

    def _on_cancel_message(self, _content: dict[str, Any]) -> None:
        self.close()
        self._cancel_callbacks()


class ConfirmDialog(FormDialog):
    """Ask before something is taken away.

    Parameters
    ----------
    title, text
        What is going to happen: what goes and what stays.
    submit_label
        The deed, for example "Delete".
    type_name
        When given, this has to be typed before the button works.
    """

    def __init__(self, *, submit_label: str = "Delete", type_name: str = "", **traits: Any) -> None:
        super().__init__(submit_label=submit_label, danger=True, **traits)
        self.ask(type_name=type_name)

    def ask(
        self, *, type_name: str = "", title: str | None = None, text: str | None = None
    ) -> None:
        """Set what is asked, for a dialog that serves many things; then `show` it."""
        if title is not None:
            self.title = title
        if text is not None:
            self.text = text
        self._type_name = type_name
        self.set_fields(self._confirmed())

    def insist(self, field: Field) -> None:
        """Add a field to what is asked, once it turned out to be needed."""
        self.set_fields([*self._confirmed(), field])

    def _confirmed(self) -> list[Field]:
        name = self._type_name
        label = f"Type {name} to confirm"
        return [Field("confirm_name", label, required=True)] if name else []

    def _on_submit_message(self, content: dict[str, Any]) -> None:
        values = self._values(content)
        if self._type_name and (values or {}).get("confirm_name") != self._type_name:
            self.fail(errors={"confirm_name": f"This is not {self._type_name}."})
            return
        super()._on_submit_message(content)
