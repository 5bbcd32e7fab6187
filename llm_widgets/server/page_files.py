"""The browser's side of the page: its script, style sheet and fonts, kept in memory."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_HERE = Path(__file__).parent
_BUILT = _HERE / "built"
"""What `make bundle` writes from the sources in ``frontend``."""
_STATIC = _HERE / "share/jupyter/nbconvert/templates/llm_widgets/static"
_FONT = "font/woff2"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": _FONT,
}


@dataclass(frozen=True)
class PageFile:
    """A file that the page loads.

    Attributes
    ----------
    name
        Its name, without a folder.
    body
        Its bytes.
    """

    name: str
    body: bytes

    @property
    def media_type(self) -> str:
        """What it is, as HTTP says it."""
        return _TYPES[Path(self.name).suffix]

    @cached_property
    def gzipped(self) -> bytes | None:
        """Its bytes compressed; ``None`` for fonts, which are compressed already."""
        if self.media_type == _FONT:
            return None
        return gzip.compress(self.body, mtime=0)


class PageFiles:
    """All files that the page loads, below an address that changes with their contents.

    So a browser may keep them for good, and a page never meets a script of another version. The
    files name one another by relative addresses.
    """

    def __init__(self) -> None:
        found = [*_STATIC.glob("*.svg"), *_STATIC.glob("*.woff2"), *_BUILT.glob("page*.*")]
        self._files = {path.name: PageFile(path.name, path.read_bytes()) for path in found}
        digest = hashlib.sha256()
        for name, file in sorted(self._files.items()):
            digest.update(f"{name} {len(file.body)} ".encode() + file.body)
        self.folder = f"files/{digest.hexdigest()[:16]}/"
        """Where they are, below the page's own address."""

    def find(self, name: str) -> PageFile | None:
        """Return a file by its name; ``None`` if there is no such file."""
        return self._files.get(name)
