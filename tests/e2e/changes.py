"""The lines of a log that say who changed what."""

from __future__ import annotations

import json
from typing import Any


def changes(log: str) -> list[dict[str, Any]]:
    """Return what the lines of changes say that are in a log, in their order."""
    lines = (line for line in log.splitlines() if line.startswith("{"))
    return [entry for entry in map(json.loads, lines) if "request_id" in entry]
