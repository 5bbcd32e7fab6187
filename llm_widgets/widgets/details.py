"""Facts about one thing: labels with values, and text to copy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import traitlets as t

from llm_widgets.widgets._component import Component

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_widgets.widgets.table import StatusState


@dataclass(frozen=True, slots=True)
class Detail:
    """A label and its value.

    Attributes
    ----------
    label, value
        Words; an empty value shows as a dash.
    href
        Makes the value a link.
    state
        Makes it a status with an icon.
    code
        Shows it in fixed width.
    copy
        Adds a copy button.
    note
        A quiet remark behind it.
    wide
        Gives it a line of its own.
    """

    label: str
    value: str
    href: str = ""
    state: StatusState | None = None
    code: bool = False
    copy: bool = False
    note: str = ""
    wide: bool = False


class DetailList(Component, module="details"):
    """Labels with values, in two columns where there is room.

    Parameters
    ----------
    items
        `Detail` objects; replace them with `show`.
    """

    items = t.List(t.Dict()).tag(sync=True)

    def __init__(self, items: Sequence[Detail] = (), **traits: Any) -> None:
        super().__init__(items=[asdict(item) for item in items], **traits)

    def show(self, items: Sequence[Detail]) -> None:
        """Show other facts."""
        self.items = [asdict(item) for item in items]


class CopyText(Component, module="copytext"):
    """A command or a piece of code in a box, with a copy button.

    Parameters
    ----------
    text
        What is shown and copied.
    label
        What it is, for screen readers: "Command", "Python".
    """

    text = t.Unicode().tag(sync=True)
    label = t.Unicode("Command").tag(sync=True)

    def __init__(self, text: str = "", **traits: Any) -> None:
        super().__init__(text=text, **traits)
