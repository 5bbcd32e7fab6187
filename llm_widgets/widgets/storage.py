"""State that is kept in the person's browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets as t

from llm_widgets.widgets._component import Component, callbacks, log

if TYPE_CHECKING:
    from collections.abc import Callable

Saved = dict[str, Any]


def _anything(value: Saved) -> Saved:
    return value


class BrowserStorage(Component, module="storage"):
    """A small dictionary in the browser's local storage.

    It is read once the page is drawn, and written whenever it changes.
    What is read back is what a person may have typed: ``validate`` must check it. Keep no
    secrets in it.

    Parameters
    ----------
    key
        Name in the browser, without version.
    version
        Raise it when the meaning of the values changes; what an older one saved is not read.
    validate
        ``validate(saved) -> values``: returns what may be used of what was saved; an exception
        of the kinds ValueError, TypeError and KeyError counts as nothing saved.

    Examples
    --------
    >>> storage = BrowserStorage(key="llm-widgets")
    >>> storage.on_ready(lambda values: print(values.get("project")))
    >>> storage.set(project="local-project")
    """

    key = t.Unicode("llm-widgets").tag(sync=True)
    version = t.Int(1).tag(sync=True)
    value = t.Dict().tag(sync=True)
    ready = t.Bool(default_value=False).tag(sync=True)

    def __init__(self, *, validate: Callable[[Saved], Saved] = _anything, **traits: Any) -> None:
        self._validate = validate
        self._ready_callbacks = callbacks()
        super().__init__(**traits)

    def on_ready(self, callback: Callable[[Saved], object], *, remove: bool = False) -> None:
        """Call ``callback(values)`` once the browser's values are here; at once if they are."""
        self._ready_callbacks.register_callback(callback, remove=remove)
        if self.ready and not remove:
            callback(dict(self.value))

    def set(self, **values: Any) -> None:
        """Save values (JSON); ``None`` removes one."""
        merged = {**self.value, **values}
        self.value = {name: value for name, value in merged.items() if value is not None}

    def _on_saved_message(self, content: dict[str, Any]) -> None:
        """Take what the browser has; what was set before it came has precedence."""
        if self.ready:
            return
        saved = content.get("value")
        try:
            checked = self._validate(saved) if isinstance(saved, dict) else {}
        except (ValueError, TypeError, KeyError):
            log.warning("what the browser had saved under %s is not valid: left out", self.key)
            checked = {}
        with self.hold_sync():
            self.value = {**checked, **self.value}
            self.ready = True
        self._ready_callbacks(dict(self.value))

    def _on_refused_message(self, _content: dict[str, Any]) -> None:
        log.warning("the browser does not allow local storage: nothing is kept there")
