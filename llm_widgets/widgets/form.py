"""Forms: what both kinds of them share, and the one that stands in the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets as t

from llm_widgets.domain.secret_texts import HELD
from llm_widgets.widgets._component import Component, callbacks
from llm_widgets.widgets._own_page import is_own_page
from llm_widgets.widgets.fields import described, is_choice, may_hold

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from llm_widgets.widgets.fields import Field

Values = dict[str, Any]

_CHANGED = "The form has changed meanwhile. Look at it again, then try once more."


class FormBase(Component):
    """What a form in the page and one in a dialog share.

    On submit the form is busy, and the callbacks of `on_submit` get the values; end with `fail`
    to let the person correct something, or with what the kind of form has for success. Values
    are never a trait: they come once, in the submit.

    Parameters
    ----------
    fields
        `Field` objects. They may be replaced by `set_fields`; what was typed is kept.
    submit_label
        Words on the button that submits; no button when empty: Enter submits.
    busy_label
        Words beside it while Python works.
    live
        Whether `on_input` is called while typing.
    """

    fields = t.List(t.Dict()).tag(sync=True)
    submit_label = t.Unicode("OK").tag(sync=True)
    live = t.Bool(default_value=False).tag(sync=True)
    busy = t.Unicode().tag(sync=True)
    errors = t.Dict().tag(sync=True)
    error = t.Unicode().tag(sync=True)
    hints = t.Dict().tag(sync=True)
    busy_label = t.Unicode("Working…")

    def __init__(self, *, fields: Sequence[Field] = (), **traits: Any) -> None:
        self._submit_callbacks = callbacks()
        self._input_callbacks = callbacks()
        self._cancel_callbacks = callbacks()
        self._known = 0  # when the last message was sent whose values were taken, by its clock
        super().__init__(fields=described(fields), **traits)

    @property
    def is_open(self) -> bool:
        """Whether a person can fill it in now."""
        return True

    def set_fields(self, fields: Sequence[Field]) -> None:
        """Replace the fields."""
        self.fields = described(fields)

    def fill(self, values: Mapping[str, Any]) -> None:
        """Put values into fields; what is filled in elsewhere stays. No secrets: it is a message.

        What a person typed that is not known here yet stays as well, in a live form, and
        `on_input` tells it.

        What was wrong with these fields is forgotten, as when a person corrects them.

        Parameters
        ----------
        values
            ``{field key: value}``, as `on_submit` gives them. `on_input` is not called.
        """
        self.errors = {key: text for key, text in self.errors.items() if key not in values}
        self.send({"type": "fill", "known": self._known, "values": dict(values)})

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

        Text is stripped of outer spaces (passwords and rows are not); a number is a float or
        ``None``; a checkbox is a bool; rows are a list of strings, pairs one of ``[name, value]``.
        """
        self._submit_callbacks.register_callback(callback, remove=remove)

    def on_input(self, callback: Callable[[Values], object], *, remove: bool = False) -> None:
        """Call ``callback(values)`` 300 ms after the last key; passwords are not among them."""
        self._input_callbacks.register_callback(callback, remove=remove)

    def on_cancel(self, callback: Callable[[], object], *, remove: bool = False) -> None:
        """Call ``callback()`` when the dialog is left without a submit."""
        self._cancel_callbacks.register_callback(callback, remove=remove)

    def _values(self, content: dict[str, Any]) -> Values | None:
        """Take the values of a message; ``None`` if the fields as they are give no such values.

        Each choice that is shown is made, and what a field holds is what it offers or takes.
        """
        given = content.get("values")
        if not isinstance(given, dict):
            return None
        known = {field["key"]: field for field in self.fields}
        values = {key: given[key] for key in known if key in given}
        choices = [key for key, field in known.items() if is_choice(field, values)]
        if not all(key in values for key in choices):
            return None
        if not all(may_hold(known[key], value) for key, value in values.items()):
            return None
        at = content.get("at")
        self._known = at if isinstance(at, int) else self._known
        return values

    def _on_submit_message(self, content: dict[str, Any]) -> None:
        self._begin(content, self.busy_label, self._submit_callbacks)

    def _begin(self, content: dict[str, Any], busy: str, report: Callable[[Values], None]) -> None:
        """Take the values of a message and be busy with them."""
        if not self.is_open or self.busy:
            return
        values = self._values(content)
        if values is None:  # in a page of ours only where the fields have just been replaced
            self.fail(_CHANGED)
            return
        with self.hold_sync():
            self.error = ""
            self.errors = {}
            self.busy = busy
        report(values)

    def _on_input_message(self, content: dict[str, Any]) -> None:
        values = self._values(content)
        if values is None or not self.is_open or self.busy:
            return
        self.errors = {}
        self._input_callbacks(values)


class Form(FormBase, module="form"):
    """A form that stands in the page, its fields on cards by their `Field.group`.

    Parameters
    ----------
    label
        What the form is for, for screen readers.
    cancel_label
        Words on the button beside the one that submits; no button when empty. See `on_cancel`.
    check_label, checking_label
        Words on a button that asks whether the values would do, and words beside it meanwhile;
        no button when empty. See `on_check`.
    done
        Words beside the buttons when what was asked went well; `finish` sets them.
    folded
        ``{group: what it holds, in a line}`` of the cards that are folded at first. A field with
        an error unfolds its card.
    advanced
        The line beside "Advanced": what stands there.

    Examples
    --------
    >>> form = Form(label="Deploy", fields=[Field("name", "Name", group="Service")])
    >>> form.on_submit(lambda values: form.finish())
    """

    label = t.Unicode().tag(sync=True)
    cancel_label = t.Unicode().tag(sync=True)
    check_label = t.Unicode().tag(sync=True)
    folded = t.Dict().tag(sync=True)
    advanced = t.Unicode().tag(sync=True)
    done = t.Unicode().tag(sync=True)
    draft = t.Unicode(help="see `keep_as`").tag(sync=True)
    starts = t.Int(help="how often it was started over").tag(sync=True)
    secret = t.Unicode(help="regular expression of what `keep_as` keeps out").tag(sync=True)
    checking_label = t.Unicode("Checking…")

    def __init__(self, **traits: Any) -> None:
        self._check_callbacks = callbacks()
        super().__init__(**traits)

    def on_check(self, callback: Callable[[Values], object], *, remove: bool = False) -> None:
        """Call ``callback(values)`` when the button that only checks is pressed.

        The form is busy then, as on submit; end with `finish` or `fail`.
        """
        self._check_callbacks.register_callback(callback, remove=remove)

    def finish(self, done: str = "") -> None:
        """End the busy state after success; what was typed stays.

        Parameters
        ----------
        done
            Shown beside the buttons until something is typed.
        """
        with self.hold_sync():
            self.busy = ""
            self.done = done
            self.error = ""
            self.errors = {}

    def start_over(self, fields: Sequence[Field]) -> None:
        """Show fields as they are given, and forget what was typed."""
        self.finish()
        with self.hold_sync():  # in one message: nothing can be typed between two
            self.hints = {}
            self.draft = ""
            self.starts += 1
            self.set_fields(fields)

    def keep_as(self, draft: str) -> None:
        """Have the browser keep what is typed, and put in what it has kept.

        It is kept for as long as the browser's tab is open, on our own page only. No secret is:
        no password, no pair, as it may be a variable, and no row or long text that holds or names
        a secret, as ``--api-key`` does.

        Parameters
        ----------
        draft
            What the form is about, so that no other form gets it.
        """
        if is_own_page():
            with self.hold_sync():
                self.secret = HELD
                self.draft = draft

    def forget(self) -> None:
        """Have the browser forget what was typed: it was sent, or given up."""
        self.send({"type": "forget"})

    def _on_input_message(self, content: dict[str, Any]) -> None:
        self.done = ""
        super()._on_input_message(content)

    def _on_check_message(self, content: dict[str, Any]) -> None:
        if self.check_label:
            self._begin(content, self.checking_label, self._check_callbacks)

    def cancel(self) -> None:
        """Give up what was typed, as Cancel does."""
        self.forget()
        self.finish()
        self._cancel_callbacks()

    def _on_cancel_message(self, _content: dict[str, Any]) -> None:
        self.cancel()
