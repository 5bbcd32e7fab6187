"""Files that hubs may not give over HTTP for their size: asked for before an import begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.units import bytes_text
from llm_widgets.errors import Fix, HubError, TransferError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.domain.imports import HubFile
    from llm_widgets.hubs.headers import ReadRange

LARGEST_WHOLE = 50_000_000_000
"""Bytes of the largest file that Hugging Face gives whole over HTTP (``huggingface_hub`` 2.4,
``constants.MAX_HTTP_DOWNLOAD_SIZE``). Larger ones came in ranges up to 165 GB, and were refused
with 400 from 411 GB on (huggingface_hub#4330, antirez/ds4#249): so each is asked for."""


def check(files: Iterable[HubFile], read: ReadRange, *, hub: str) -> None:
    """Check that the large files that are copied are given in ranges: their first and last byte.

    Parameters
    ----------
    read
        Reads a range.
    hub
        Whose files they are, to begin a sentence with.

    Raises
    ------
    TransferError
        The hub does not give one of them.
    ManagerError
        The hub can't be asked now.
    """
    for file in files:
        if file.skipped or file.size <= LARGEST_WHOLE:
            continue
        name = file.url.rpartition("/")[2] if file.path.startswith("blobs/") else file.path
        try:
            for first in (0, file.size - 1):
                read(file.url, first, first + 1)
        except HubError as error:
            raise TransferError(
                f"{hub} does not give {name}, which has {bytes_text(file.size)}, over HTTP.",
                cause=f"{error.message} Files over {bytes_text(LARGEST_WHOLE)} are imported where "
                "the hub gives them in ranges. Its own protocol for larger ones (Xet) is not used.",
                fix=Fix(text="Choose a version of the model with more and smaller files."),
            ) from error
