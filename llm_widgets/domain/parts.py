"""What a file of a model is, where its path does not tell: Ollama's are named by their digests."""

from __future__ import annotations

_DIGEST = len("sha256-") + 8  # characters of a path's end that tell two files apart


def title(path: str, part: str) -> str:
    """Return what a file is called in a list, in one line."""
    return f"{part} ({path.rpartition('/')[2][:_DIGEST]})" if part else path


def cell(path: str, part: str) -> str | dict[str, str]:
    """Return what a file is called in a table: what it is, and its path below."""
    return {"text": part, "note": path} if part else path
