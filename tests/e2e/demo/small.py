"""The smallest page: two tabs, the heartbeat, who is visiting."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import ipywidgets as w

from llm_widgets.widgets import ConnectionGuard, page, tabs


def app() -> w.Widget:
    """Make the page; ``DEMO_FAILS`` in the environment makes it fail.

    With ``DEMO_BEGUN`` it makes a file of that name, and is never finished.
    """
    if os.environ.get("DEMO_FAILS"):
        raise RuntimeError("a secret that no visitor may read")
    if begun := os.environ.get("DEMO_BEGUN"):
        Path(begun).touch()
        time.sleep(600)
    contact = w.Label("nobody yet")
    clock = w.Label("0")
    guard = ConnectionGuard(period_ms=400, limit_ms=8000, grey_ms=300, away_ms=1000)
    guard.on_first_contact(lambda: setattr(contact, "value", "somebody"))

    def tick() -> None:
        # A kernel that always says something is never idle; it must go all the same.
        while True:
            time.sleep(0.2)
            clock.value = str(int(clock.value) + 1)

    threading.Thread(target=tick, daemon=True).start()
    _, box = tabs([("One", w.VBox([contact, clock])), ("Two", w.Label("two"))])
    return page(box, guard)
