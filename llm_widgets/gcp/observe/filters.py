"""Values in the filters of Logging and Monitoring."""

from __future__ import annotations


def quoted(value: str) -> str:
    """Write a value as a string of a filter, so that it can't end before its own end."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
