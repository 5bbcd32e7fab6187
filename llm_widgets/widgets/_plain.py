"""Widgets of ipywidgets that are only styled by style sheets."""

from __future__ import annotations

import ipywidgets as w
import traitlets as t

from llm_widgets.widgets._sending import Sending


class Plain(Sending):
    """A widget without a layout and a style, for a class that names it before one of ipywidgets.

    Each of both is a widget of its own otherwise: more than half of those of the page, and most of
    the time in which the browser draws it.
    """

    layout = t.Instance(w.Layout, allow_none=True).tag(sync=True, **w.widget_serialization)
    style = t.Instance(w.Style, allow_none=True).tag(sync=True, **w.widget_serialization)
