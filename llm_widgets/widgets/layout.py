"""Where things stand: the page, its tabs, cards, rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as w
import traitlets as t

from llm_widgets.widgets._component import Component, callbacks
from llm_widgets.widgets._own_page import STATES_TYPE, is_own_page, states
from llm_widgets.widgets._plain import Plain
from llm_widgets.widgets.html import heading, note

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


_HIDDEN = "llm-hidden"


class InSight(Component, module="insight"):
    """Brings into sight what a click has led to; `page` adds it."""


class Header(Component, module="header"):
    """The bar at the top.

    Parameters
    ----------
    product
        Name of the product.
    project
        Name of the selected project; empty for none. It is a button, see `on_project`.
    mark
        A mark that can't be overlooked, for example "Local cloud"; empty for none.
    docs_url
        Where the documentation is; empty for none.
    user
        Who is signed in; empty for nobody.
    """

    product = t.Unicode("Cloud Run LLM Manager").tag(sync=True)
    project = t.Unicode().tag(sync=True)
    mark = t.Unicode().tag(sync=True)
    docs_url = t.Unicode().tag(sync=True)
    user = t.Unicode().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self._project_callbacks = callbacks()
        super().__init__(**traits)

    def on_project(self, callback: Callable[[], object], *, remove: bool = False) -> None:
        """Call ``callback()`` when the project is pressed."""
        self._project_callbacks.register_callback(callback, remove=remove)

    def _on_project_message(self, _: dict[str, Any]) -> None:
        self._project_callbacks()


class TabRoles(Component, module="tabs"):
    """Adds to a tab bar of ipywidgets what it lacks; `tabs` adds it.

    Roles for screen readers, and to be told when the tab that is shown is pressed again.
    """

    tab_class = t.Unicode().tag(sync=True)
    label = t.Unicode().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self._again_callbacks = callbacks()
        super().__init__(**traits)

    def on_again(self, callback: Callable[[], object], *, remove: bool = False) -> None:
        """Call ``callback()`` when the tab that is shown is pressed again."""
        self._again_callbacks.register_callback(callback, remove=remove)

    def _on_again_message(self, _: dict[str, Any]) -> None:
        self._again_callbacks()


class _Box(Plain, w.Box):  # type: ignore[misc] # ipywidgets has no types
    """A box that style sheets style."""


class _HBox(Plain, w.HBox):  # type: ignore[misc] # ipywidgets has no types
    """A row that style sheets style."""


class _VBox(Plain, w.VBox):  # type: ignore[misc] # ipywidgets has no types
    """A column that style sheets style."""


class Root(_VBox):
    """The page's outermost box.

    Its ``repr`` is short: IPython asks for it when it displays the page, and the repr of a box
    would go through the whole tree, down to progress bars that may be gone meanwhile.
    """

    __repr__ = object.__repr__

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """Return what IPython displays; for our own page with the states of all widgets.

        In a notebook they would be saved with it.
        """
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        if is_own_page():
            bundle[STATES_TYPE] = states()
        return bundle


def page(*children: w.Widget) -> Root:
    """Put the whole page together: header, tabs, dialogs, toasts."""
    root = Root([InSight(), *children])
    root.add_class("llm-page")
    return root


def tabs(
    panels: Sequence[tuple[str, w.Widget]],
    *,
    label: str = "Sections",
    again: Callable[[int], object] | None = None,
) -> tuple[w.Tab, w.Box]:
    """Make a tab bar.

    Parameters
    ----------
    panels
        ``(title, content)`` of each tab.
    label
        What the tabs are, for screen readers.
    again
        Called with the number of the tab that is shown when it is pressed again.

    Returns
    -------
    tab, box
        The ``ipywidgets.Tab`` (its ``selected_index`` may be observed and set), and the box that
        goes into the page.
    """
    tab = w.Tab([content for _, content in panels], titles=[title for title, _ in panels])
    tab_class = f"llm-tabs-{tab.model_id}"
    tab.add_class("llm-tabs")
    tab.add_class(tab_class)
    roles = TabRoles(tab_class=tab_class, label=label)
    if again:
        roles.on_again(lambda: again(tab.selected_index))
    return tab, _VBox([tab, roles])


def card(
    title: str, *children: w.Widget, text: str = "", actions: Sequence[w.Widget] = ()
) -> w.VBox:
    """Make a card: a title, an optional line below it, actions at its right, content.

    Parameters
    ----------
    title
        Heading (of level 2).
    *children
        Content.
    text
        One line below the title.
    actions
        Buttons beside the title.
    """
    head = _HBox([heading(title), row(*actions)])
    head.add_class("llm-card-head")
    parts = [head, *([note(text)] if text else []), *children]
    box = _VBox(parts)
    box.add_class("llm-card")
    return box


def toolbar(title: str, *actions: w.Widget) -> w.HBox:
    """Make the line at the top of a tab: its heading, and buttons."""
    bar = _HBox([heading(title, 1), row(*actions)])
    bar.add_class("llm-toolbar")
    return bar


def row(*children: w.Widget) -> w.HBox:
    """Put widgets side by side; they wrap where there is no room."""
    box = _HBox(children)
    box.add_class("llm-row")
    return box


def stack(*children: w.Widget) -> w.VBox:
    """Put widgets one below the other, with the usual distance."""
    box = _VBox(children)
    box.add_class("llm-stack")
    return box


def grid(*children: w.Widget) -> w.Box:
    """Put cards side by side in columns of equal width, one column on narrow screens."""
    box = _Box(children)
    box.add_class("llm-grid")
    return box


def split(main: w.Widget, side: w.Widget) -> w.Box:
    """Put what is worked on beside what it comes to; that comes below where there is no room."""
    box = _Box([main, side])
    box.add_class("llm-split")
    return box


class _Button(Plain, w.Button):  # type: ignore[misc] # ipywidgets has no types
    """A button that the browser can press while it may be pressed, and not change."""

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take no state from the browser: it would enable itself."""

    def _handle_button_msg(self, _: object, content: dict[str, Any], buffers: object) -> None:
        if not self.disabled:
            super()._handle_button_msg(_, content, buffers)


def button(
    label: str, *, style: str = "text", icon: str = "", tooltip: str = "", **traits: Any
) -> w.Button:
    """Make a button.

    Parameters
    ----------
    label
        Words on it.
    style
        ``"primary"`` (filled), ``"outlined"``, ``"text"`` or ``"danger"`` (filled red).
    icon
        Name of a Font Awesome 4 icon, for example ``"plus"``.
    tooltip
        Shown on hover.
    **traits
        Further traits of ``ipywidgets.Button``.
    """
    styles = {"primary": "primary", "outlined": "", "text": "", "danger": "danger"}
    made = _Button(
        description=label,
        icon=icon,
        tooltip=tooltip or None,
        button_style=styles[style],
        **traits,
    )
    made.add_class(f"llm-button-{style}")
    return made


def column(*children: w.Widget) -> w.VBox:
    """Put widgets one below the other, without a distance."""
    return _VBox(children)


def show(*widgets: w.DOMWidget) -> None:
    """Show widgets."""
    for widget in widgets:
        widget.remove_class(_HIDDEN)


def hide(*widgets: w.DOMWidget) -> None:
    """Hide widgets."""
    for widget in widgets:
        widget.add_class(_HIDDEN)


def show_if(wanted: object, *widgets: w.DOMWidget) -> None:
    """Show widgets where something is true or there, and hide them otherwise."""
    (show if wanted else hide)(*widgets)


def is_shown(widget: w.DOMWidget) -> bool:
    """Return whether a widget is not hidden."""
    return _HIDDEN not in widget._dom_classes  # noqa: SLF001 - told in no other way
