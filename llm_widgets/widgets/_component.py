"""What all browser components share: one class here, one ES module in ``static``."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
import traitlets as t
from ipywidgets import CallbackDispatcher, widget_serialization

from llm_widgets.widgets._library import Library, built
from llm_widgets.widgets._own_page import is_own_page
from llm_widgets.widgets._plain import Plain

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)


class Component(Plain, anywidget.AnyWidget):
    """A widget whose browser side is ``static/<module>.js``.

    Our own page has the code of all components; elsewhere the library brings it.

    Parameters
    ----------
    **traits
        Values of the component's traits. A name that it does not have is an error.

    Raises
    ------
    TypeError
        For a keyword that is no trait of the component.
    """

    _esm = built("loader.js")
    _module = t.Unicode().tag(sync=True)
    _library = t.Instance(Library, allow_none=True).tag(sync=True, **widget_serialization)

    module: ClassVar[str] = ""

    def __init_subclass__(cls, *, module: str = "", **kwargs: Any) -> None:
        if module:
            cls.module = module
        super().__init_subclass__(**kwargs)

    def __init__(self, **traits: Any) -> None:
        unknown = sorted(name for name in traits if not self.has_trait(name))
        if unknown:
            raise TypeError(f"{type(self).__name__} has no {', '.join(unknown)}")
        if is_own_page():
            self._esm = ""
        library = None if is_own_page() else Library.shared()
        super().__init__(_module=self.module, _library=library, **traits)
        self.on_msg(self._receive)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take from the browser what it may say of the traits: nothing, unless a component does.

        Rows, actions and fields are what messages are checked against, so that a page which
        sets them could do what it is not offered.
        """
        allowed = {name: value for name, value in sync_data.items() if self.may_set(name, value)}
        if allowed:
            super().set_state(allowed)

    def may_set(self, name: str, value: object) -> bool:
        """Return whether the browser may set a trait to a value."""
        del name, value
        return False

    def _receive(self, _widget: object, content: object, _buffers: object) -> None:
        """Take a message of the browser apart; what has no known shape is dropped."""
        if not isinstance(content, dict):
            return
        kind = content.get("type")
        handler: Callable[[dict[str, Any]], None] | None = None
        if isinstance(kind, str) and kind.isidentifier():
            handler = getattr(self, f"_on_{kind}_message", None)
        if handler is None:
            log.warning("%s got an unknown message", type(self).__name__)
            return
        handler(content)


def callbacks() -> CallbackDispatcher:
    """Make a list of callbacks; a callback that fails is logged and does not stop the others."""
    return CallbackDispatcher()
