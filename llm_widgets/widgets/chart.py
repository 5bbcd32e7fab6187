"""A small chart of one measure, over time or step by step."""

from __future__ import annotations

import traitlets as t

from llm_widgets.widgets._component import Component


class Chart(Component, module="chart"):
    """Draws points as bars, with the newest value and the largest in words.

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
    steps
        What stands below each bar, where the points are no times: the bars are side by side.
    marked
        Number of the bar that is drawn in another colour; below 0 for none.
    words
        Said of it in place of the newest value and the largest.
    """

    label = t.Unicode().tag(sync=True)
    unit = t.Unicode().tag(sync=True)
    points = t.List(t.List(t.Float())).tag(sync=True)
    since = t.Float().tag(sync=True)
    until = t.Float().tag(sync=True)
    steps = t.List(t.Unicode()).tag(sync=True)
    marked = t.Int(-1).tag(sync=True)
    words = t.Unicode().tag(sync=True)
