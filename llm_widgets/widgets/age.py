"""How old something is that the page shows."""

from __future__ import annotations

import traitlets as t

from llm_widgets.widgets._component import Component


class Age(Component, module="age"):
    """A quiet "Checked 2 minutes ago" that grows older by itself; nothing before the first time.

    Parameters
    ----------
    word
        What happened then.
    at
        When: seconds since 1970, or 0.
    """

    word = t.Unicode("Checked").tag(sync=True)
    at = t.Float(0.0).tag(sync=True)
