"""Contents of files, stored once under their sha256 and shared by all models of the hub."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

_CHUNK = 1 << 20  # bytes read at once


@dataclass(frozen=True, slots=True)
class Blob:
    r"""A stored content: its size in bytes and its digests in hexadecimal.

    Attributes
    ----------
    git_sha1
        What git calls the content: sha1 over ``"blob <size>\0"`` and the bytes.
    """

    size: int
    sha256: str
    git_sha1: str


class Blobs:
    """A folder of contents, each named ``sha256-<hex>``; a file there is always whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Return the file that holds the content with this digest, whether it exists or not."""
        return self._folder / f"sha256-{sha256}"

    def add(self, content: bytes) -> Blob:
        """Store a content, unless it is there already."""
        blob = Blob(
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            git_sha1=hashlib.sha1(
                b"blob %d\0" % len(content) + content, usedforsecurity=False
            ).hexdigest(),
        )
        target = self.path(blob.sha256)
        if not target.exists():
            handle, name = tempfile.mkstemp(prefix=".new-", dir=self._folder)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(name).replace(target)
        return blob

    def add_file(self, source: Path) -> Blob:
        """Store the content of a file, unless it is there already.

        The file is hard-linked where the file system allows it, so that it takes no space
        twice; otherwise it is copied.
        """
        size = source.stat().st_size
        sha256 = hashlib.sha256()
        git_sha1 = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        with source.open("rb") as file:
            while chunk := file.read(_CHUNK):
                sha256.update(chunk)
                git_sha1.update(chunk)
        blob = Blob(size, sha256.hexdigest(), git_sha1.hexdigest())
        target = self.path(blob.sha256)
        if not target.exists():
            try:
                os.link(source, target)
            except OSError:  # another file system, or one without links
                handle, name = tempfile.mkstemp(prefix=".new-", dir=self._folder)
                os.close(handle)
                shutil.copyfile(source, name)
                Path(name).replace(target)
        return blob
