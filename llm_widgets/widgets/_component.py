"""What all browser components share: one class here, one ES module in ``static``."""

from __future__ import annotations

import logging
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
from ipywidgets import CallbackDispatcher

if TYPE_CHECKING:
    from collections.abc import Callable

STATIC = Path(__file__).parent / "static"

log = logging.getLogger(__name__)

_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const) (\w+))", re.MULTILINE)


@cache
def module_source(name: str) -> str:
    """Read an ES module and put the modules that it imports from ``static`` in front of it.

    The browser gets each component as one text without an address, from which relative
    imports can't be followed. The sources stay plain modules that editors and linters know;
    here each imported one becomes a function that is called once, so that names don't clash.

    Parameters
    ----------
    name
        File name without ``.js``.
    """
    helpers: dict[str, str] = {}

    def resolved(module: str) -> str:
        text = (STATIC / f"{module}.js").read_text("utf-8")
        for _, needed in _IMPORT.findall(text):
            if needed not in helpers:
                body = resolved(needed)
                names = ", ".join(_EXPORT.findall(body))
                inner = _EXPORT.sub("", body)
                helpers[needed] = (
                    f"const from_{needed} = (() => {{\n{inner}return {{ {names} }};\n}})();"
                )
        return _IMPORT.sub(r"const \1 = from_\2;", text)

    own = resolved(name)
    return "\n".join([*helpers.values(), own])


class Component(anywidget.AnyWidget):
    """A widget whose browser side is ``static/<module>.js``.

    Parameters
    ----------
    **traits
        Values of the component's traits. A name that it does not have is an error.

    Raises
    ------
    TypeError
        For a keyword that is no trait of the component.
    """

    def __init_subclass__(cls, *, module: str = "", **kwargs: Any) -> None:
        if module:
            cls._esm = module_source(module)
        super().__init_subclass__(**kwargs)

    def __init__(self, **traits: Any) -> None:
        unknown = sorted(name for name in traits if not self.has_trait(name))
        if unknown:
            raise TypeError(f"{type(self).__name__} has no {', '.join(unknown)}")
        super().__init__(**traits)
        self.on_msg(self._receive)

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
