"""What the Hugging Face Hub serves over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.units import bytes_text
from llm_widgets.errors import Fix, TransferError

if TYPE_CHECKING:
    from llm_widgets.domain.imports import HubFile

LARGEST_FILE = 50_000_000_000
"""Bytes of the largest file that is served over HTTP; larger ones take the hub's own protocol,
Xet (``huggingface_hub`` 2.4, ``constants.MAX_HTTP_DOWNLOAD_SIZE``)."""


def check_file(file: HubFile) -> None:
    """Check that a file can be had over HTTP.

    Raises
    ------
    TransferError
        It can't be.
    """
    if file.size > LARGEST_FILE:
        raise TransferError(
            f"{file.path} has {bytes_text(file.size)}: too large to be imported.",
            cause=f"Hugging Face serves files over {bytes_text(LARGEST_FILE)} by its own protocol "
            "(Xet) only, which this version does not speak.",
            fix=Fix(text="Choose a version of the model with smaller, more files."),
        )
