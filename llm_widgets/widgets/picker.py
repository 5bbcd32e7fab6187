"""A file that a person chooses or drops, brought to Python in pieces."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import traitlets as t

from llm_widgets.widgets._component import Component, callbacks

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST_NAME = 255  # characters of a file's name, as on file systems


@dataclass(frozen=True, slots=True)
class PickedFile:
    """A file of a person's machine.

    Attributes
    ----------
    kind
        Its type as the browser says it, for example ``image/png``: one that is accepted.
    """

    name: str
    kind: str
    content: bytes

    @property
    def data_url(self) -> str:
        """The whole file as an address."""
        return f"data:{self.kind};base64,{base64.b64encode(self.content).decode()}"


class FilePicker(Component, module="picker"):
    """A place to choose or drop one file; it holds it until it is removed or replaced.

    Parameters
    ----------
    label
        Words on the button.
    accept
        Types of the files, for example ``["image/png"]``.
    most
        Bytes of the largest one.
    picked
        Name of the file that is held; empty for none.
    problem
        What is wrong with the file that was chosen last; empty for nothing.
    """

    label = t.Unicode("Choose a file").tag(sync=True)
    accept = t.List(t.Unicode()).tag(sync=True)
    most = t.Int(1 << 20).tag(sync=True)
    picked = t.Unicode().tag(sync=True)
    problem = t.Unicode().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self._file: PickedFile | None = None
        self._parts: list[str] = []
        self._callbacks = callbacks()
        super().__init__(**traits)

    @property
    def file(self) -> PickedFile | None:
        """The file that is held."""
        return self._file

    def on_change(self, callback: Callable[[], object]) -> None:
        """Call ``callback()`` when another file is held, or none any more."""
        self._callbacks.register_callback(callback)

    def clear(self) -> None:
        """Hold nothing."""
        self._hold(None)

    def _hold(self, file: PickedFile | None, problem: str = "") -> None:
        self._file, self._parts = file, []
        with self.hold_sync():
            self.picked = file.name if file else ""
            self.problem = problem
        self._callbacks()

    def _on_part_message(self, content: dict[str, Any]) -> None:
        """Add a piece; the last one makes the file whole."""
        name, kind, data = content.get("name"), content.get("kind"), content.get("data")
        index, count = content.get("index"), content.get("count")
        if not (isinstance(name, str) and isinstance(kind, str) and isinstance(data, str)):
            return
        if type(index) is not int or type(count) is not int:
            return
        if index == 0:
            self._parts = []
        if index != len(self._parts) or kind not in self.accept:
            return
        self._parts.append(data)
        if sum(map(len, self._parts)) > self.most * 4 // 3 + 8:
            self._hold(None, "This file is too large.")
        elif len(self._parts) == count:
            try:
                whole = base64.b64decode("".join(self._parts), validate=True)
            except (binascii.Error, ValueError):
                self._hold(None, "This file can't be read.")
                return
            self._hold(PickedFile(name[:_LONGEST_NAME], kind, whole))

    def _on_clear_message(self, _content: dict[str, Any]) -> None:
        self.clear()
