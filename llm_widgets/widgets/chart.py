"""A small chart of one measure over time."""

from __future__ import annotations

import traitlets as t

from llm_widgets.widgets._component import Component


class Chart(Component, module="chart"):
    """Draws points as bars over time, with the newest value and the largest in words.

    Parameters
    ----------
    label
        What is measured.
    unit
        Behind each number; may be empty.
    points
        ``[seconds since 1970, value]`` each, in order.
    since, until
        Seconds since 1970 at the left and the right edge; 0 for those of the points.
    """

    label = t.Unicode().tag(sync=True)
    unit = t.Unicode().tag(sync=True)
    points = t.List(t.List(t.Float())).tag(sync=True)
    since = t.Float().tag(sync=True)
    until = t.Float().tag(sync=True)
