"""The archive that the image of this installation is built from: always the same bytes."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from llm_widgets.errors import Fix, ManagerError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGE = Path(__file__).parents[2]
_NOTEBOOK = "notebooks/app.ipynb"
_IN_WHEEL = {
    "Dockerfile": _PACKAGE / "container" / "Dockerfile",
    "requirements/page.txt": _PACKAGE / "container" / "requirements" / "page.txt",
    _NOTEBOOK: _PACKAGE / _NOTEBOOK,
}
"""Where a wheel has what lies beside the package in the repository."""

_LEFT_OUT = {"__pycache__", "container", "notebooks"}
"""Folders of the package that the image has elsewhere, or not at all."""

_MODE = 0o644
_DIGITS = 12
"""Of the digest that names an image: 48 bits tell any two versions apart."""


def archive() -> bytes:
    """Pack what the Dockerfile needs of this installation, as ``.tar.gz``.

    Raises
    ------
    ManagerError
        It was installed in a way that leaves out the Dockerfile.
    """
    packed = io.BytesIO()
    # Neither times nor owners: the same files are the same bytes, and need no other build.
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as file,
    ):
        for name, path in sorted(_files()):
            content = path.read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), _MODE
            file.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def tag(content: bytes) -> str:
    """Return the tag of the image that is built from an archive."""
    return hashlib.sha256(content).hexdigest()[:_DIGITS]


def _files() -> Iterator[tuple[str, Path]]:
    """Yield the files by their names in the archive."""
    for name, packaged in _IN_WHEEL.items():
        beside = _PACKAGE.parent / name
        path = packaged if packaged.exists() else beside
        if not path.is_file():
            raise ManagerError(
                "This installation lacks what an image is built from.",
                cause=f"There is no {name}.",
                fix=Fix(text="Name an image with --image, or install the package from its wheel."),
            )
        yield name, path
    for path in _PACKAGE.rglob("*"):
        parts = path.relative_to(_PACKAGE).parts
        if path.is_file() and not _LEFT_OUT & set(parts) and path.suffix != ".pyc":
            yield f"{_PACKAGE.name}/{'/'.join(parts)}", path
