"""Forms and confirmations in a dialog."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import traitlets as t

from llm_widgets.widgets._component import Component, callbacks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FieldKind = Literal["text", "password", "select", "cards", "checkbox", "textarea", "number"]
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a ``select`` or ``cards`` field; ``description`` is shown on cards."""

    value: str
    label: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a `FormDialog`.

    Attributes
    ----------
    key
        Key of its value.
    label
        Words above it.
    kind
        ``cards`` is a choice of one, each `Option` explained on a card of its own.
    help
        One line below it.
    required
        Whether it must be filled in.
    value
        What it holds when the dialog opens. Never a secret: this is widget state.
    options
        Choices of ``select`` and ``cards``.
    suggestions
        Values offered while typing in a ``text`` field.
    pattern, pattern_help
        Regular expression for the whole value, and the sentence that says what it asks for.
    placeholder
        Example in an empty field.
    max_length
        Characters; 0 for no limit.
    minimum, maximum, step
        Limits of a ``number``; the step is 1 unless given.
    show_when
        ``(key, value)``: shown, checked and sent only while the other field has that value.
    """

    key: str
    label: str
    kind: FieldKind = "text"
    help: str = ""
    required: bool = False
    value: str | bool | float | None = None
    options: tuple[Option, ...] = ()
    suggestions: tuple[str, ...] = ()
    pattern: str = ""
    pattern_help: str = ""
    placeholder: str = ""
    max_length: int = 0
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    show_when: tuple[str, str] | None = None


class FormDialog(Component, module="dialog"):
    """A form in a modal dialog.

    Show it with `show`. On submit the dialog stays open and busy, and the callbacks of
    `on_submit` get the values; end with `close` when the thing is done, or with `fail` to let
    the person correct it. Values are never a trait: they come once, in the submit.

    Parameters
    ----------
    title, text
        Heading, and a paragraph below it.
    fields
        `Field` objects. They may be replaced while the dialog is open by `set_fields`; what was
        typed is kept.
    submit_label
        Words on the button that submits.
    busy_label
        Words beside it while Python works.
    danger
        Whether submitting takes something away: the button is red, and Cancel has the focus.
    live
        Whether `on_input` is called while typing.
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
    fields = t.List(t.Dict()).tag(sync=True)
    submit_label = t.Unicode("OK").tag(sync=True)
    danger = t.Bool(default_value=False).tag(sync=True)
    live = t.Bool(default_value=False).tag(sync=True)
    wide = t.Bool(default_value=False).tag(sync=True)
    shown = t.Bool(default_value=False).tag(sync=True)
    busy = t.Unicode().tag(sync=True)
    errors = t.Dict().tag(sync=True)
    error = t.Unicode().tag(sync=True)
    hints = t.Dict().tag(sync=True)
    busy_label = t.Unicode("Working…")

    def __init__(self, *, fields: Sequence[Field] = (), **traits: Any) -> None:
        self._submit_callbacks = callbacks()
        self._input_callbacks = callbacks()
        self._cancel_callbacks = callbacks()
        super().__init__(fields=_described(fields), **traits)

    def set_fields(self, fields: Sequence[Field]) -> None:
        """Replace the fields."""
        self.fields = _described(fields)

    def show(self) -> None:
        """Open the dialog, without the errors and hints of the last time."""
        with self.hold_sync():
            self.busy = ""
            self.error = ""
            self.errors = {}
            self.hints = {}
            self.shown = True

    def close(self) -> None:
        """Close the dialog; what was typed is forgotten."""
        with self.hold_sync():
            self.busy = ""
            self.shown = False

    def fail(self, message: str = "", *, errors: Mapping[str, str] | None = None) -> None:
        """Say what is wrong, and let the person go on.

        Parameters
        ----------
        message
            Shown above the buttons; empty for none.
        errors
            ``{field key: what is wrong with it}``.
        """
        with self.hold_sync():
            self.busy = ""
            self.error = message
            self.errors = dict(errors or {})

    def hint(self, hints: Mapping[str, str]) -> None:
        """Show a quiet remark below fields, for example ``{"model": "Found: 271 MB"}``."""
        self.hints = dict(hints)

    def on_submit(self, callback: Callable[[Values], object], *, remove: bool = False) -> None:
        """Call ``callback(values)`` on submit, with the values of the fields that are shown.

        Text is stripped of outer spaces (passwords are not); a number is a float or ``None``;
        a checkbox is a bool.
        """
        self._submit_callbacks.register_callback(callback, remove=remove)

    def on_input(self, callback: Callable[[Values], object], *, remove: bool = False) -> None:
        """Call ``callback(values)`` 300 ms after the last key; passwords are not among them."""
        self._input_callbacks.register_callback(callback, remove=remove)

    def on_cancel(self, callback: Callable[[], object], *, remove: bool = False) -> None:
        """Call ``callback()`` when the dialog is left without a submit."""
        self._cancel_callbacks.register_callback(callback, remove=remove)

    def _values(self, content: dict[str, Any]) -> Values | None:
        """Take the values out of a message; only those of our fields, of the right type."""
        given = content.get("values")
        if not isinstance(given, dict):
            return None
        known = {field["key"]: field["kind"] for field in self.fields}
        types = {"checkbox": bool, "number": (int, float, type(None))}
        values = {key: given[key] for key in known if key in given}
        fits = all(isinstance(value, types.get(known[key], str)) for key, value in values.items())
        return values if fits else None

    def _on_submit_message(self, content: dict[str, Any]) -> None:
        values = self._values(content)
        if values is None or not self.shown or self.busy:
            return
        with self.hold_sync():
            self.error = ""
            self.errors = {}
            self.busy = self.busy_label
        self._submit_callbacks(values)

    def _on_input_message(self, content: dict[str, Any]) -> None:
        values = self._values(content)
        if values is None or not self.shown or self.busy:
            return
        self.errors = {}
        self._input_callbacks(values)

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
        label = f"Type {type_name} to confirm"
        self.set_fields([Field("confirm_name", label, required=True)] if type_name else [])

    def _on_submit_message(self, content: dict[str, Any]) -> None:
        values = self._values(content)
        if self._type_name and (values or {}).get("confirm_name") != self._type_name:
            self.fail(errors={"confirm_name": f"This is not {self._type_name}."})
            return
        super()._on_submit_message(content)


def _described(fields: Sequence[Field]) -> list[dict[str, Any]]:
    keys = [field.key for field in fields]
    if len(set(keys)) != len(keys):
        raise ValueError("two fields have the same key")
    for field in fields:
        if field.kind == "password" and field.value is not None:
            raise ValueError("a password field has no default: it would be widget state")
    return [asdict(field) for field in fields]
