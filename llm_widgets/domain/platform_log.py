"""What Cloud Run itself writes into the log of a service, in ``varlog/system``."""

from __future__ import annotations

import re

STARTING = "Starting new instance."
"""Beginning of the entry of a start: "Starting new instance. Reason: AUTOSCALING - …"."""

PROBE_SUCCEEDED = re.compile(r"STARTUP \w{2,5} probe succeeded", re.IGNORECASE)
"""The end of a start: a startup probe that has passed."""

BEFORE_CONTAINER = re.compile(
    rf"{re.escape(STARTING)}|(?:Default )?STARTUP \w{{2,5}} probe ", re.IGNORECASE
)
"""Entries that say nothing of whether the container runs yet."""
