"""The way of one file: where its bytes come from, what they become, and how far they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.transfer.options import part_size_for

if TYPE_CHECKING:
    from llm_widgets.domain.imports import HubFile
    from llm_widgets.transfer.checkpoint import Checkpoint, CheckpointObject
    from llm_widgets.transfer.progress import Progress
    from llm_widgets.transfer.range_reader import Source
    from llm_widgets.transfer.xml_api import Bucket


@dataclass(slots=True)
class FileWay:
    """One file on its way from a hub into an object.

    Attributes
    ----------
    name
        Name of the object that it becomes.
    checkpoint
        Where it is written down how far it is.
    saved
        How far it is, where something of it is stored.
    """

    file: HubFile
    name: str
    source: Source
    bucket: Bucket
    checkpoint: CheckpointObject
    saved: Checkpoint | None
    progress: Progress

    @property
    def part_size(self) -> int:
        """Bytes of its parts: those of the upload that is gone on with, or of a new one."""
        if self.saved:
            return self.saved.part_size
        return part_size_for(self.file.size, self.bucket.options)
