"""The browser's side of all components as one widget, so that a page gets its text once."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import ClassVar, Self

import ipywidgets as w
import traitlets as t

BUILT = Path(__file__).parent / "built"
"""What `make bundle` writes from the sources in ``static``."""


@cache
def built(name: str) -> str:
    """Read a built file."""
    return (BUILT / name).read_text("utf-8")


class Library(w.Widget):  # type: ignore[misc] # it has no types
    """The module and the style sheet of all components.

    Each component names its library in a trait. Its loader (``static/loader.js``) finds the
    library's model by that name, among the models of its own kernel or of a saved notebook.

    Parameters
    ----------
    script
        Text of an ES module.
    styles
        Text of a style sheet.
    """

    script = t.Unicode().tag(sync=True)
    styles = t.Unicode().tag(sync=True)

    _lock: ClassVar[threading.Lock] = threading.Lock()
    _shared: ClassVar[Self | None] = None

    @classmethod
    def shared(cls) -> Self:
        """Return the process's library; a new one when there is none or it has been closed.

        It is made with the first component, not at import: a component that is shown must find
        it in the browser, and only a widget that is made while its kernel runs gets there.
        """
        with cls._lock:
            if cls._shared is None or cls._shared.comm is None:
                cls._shared = cls(script=built("components.js"), styles=built("components.css"))
            return cls._shared
