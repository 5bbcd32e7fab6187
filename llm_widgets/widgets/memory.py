"""A bar of what fills a memory."""

from __future__ import annotations

import traitlets as t

from llm_widgets.widgets._component import Component


class MemoryBar(Component, module="memory"):
    """Parts of a memory as a bar with numbers; what does not fit sticks out.

    Parameters
    ----------
    label
        What the memory is.
    total
        Its size in bytes.
    parts
        ``{"label", "bytes", "why"}`` each.
    """

    label = t.Unicode().tag(sync=True)
    total = t.Int().tag(sync=True)
    parts = t.List(t.Dict()).tag(sync=True)
