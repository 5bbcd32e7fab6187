"""Models: where they come from and what a bucket holds of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.tables import Shown, Values

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from llm_widgets.domain.memory.measured import MeasuredStart


class ModelStatus(StrEnum):
    """How far a model in a bucket is. The value stands in ``llm-manager-metadata.json``."""

    IMPORTING = "downloading"
    READY = "completed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """One that this version does not know: the record has it as it was told."""


@dataclass(frozen=True, slots=True)
class ModelRecord(Shown):
    """One model as a bucket's metadata file tells of it.

    Attributes
    ----------
    id
        Id at its hub, for example ``meta-llama/Llama-3.1-8B`` or ``gemma2:9b``.
    source
        Id of the hub that it comes from: see :mod:`llm_widgets.hubs.registry`. It may be one
        that this version does not know.
    size
        Bytes of all files, 0 when not known.
    revision
        What the hub pins the model's files to: a commit, or the sha256 of a manifest.
    prefix
        Where its files lie in the bucket, without a slash at the end.
    error
        Why it failed; empty otherwise.
    told_status
        The status as the file has it, where this version does not know it.
    starts
        What engines measured of the GPU's memory when they started with it.
    extra
        Fields of the file that this version does not know; written back unchanged.
    """

    id: str
    source: str
    status: ModelStatus
    size: int = 0
    revision: str = ""
    prefix: str = ""
    file_count: int = 0
    import_id: str = ""
    submitted_at: datetime | None = None
    finished_at: datetime | None = None
    imported_by: str = ""
    license: str = ""
    error: str = ""
    told_status: str = ""
    starts: tuple[MeasuredStart, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells records of one bucket apart: source, id and revision."""
        return (self.source, self.id, self.revision)

    def shown(self) -> Values:
        """Return what a list of models tells of it."""
        return {
            "id": self.id,
            "status": self.told_status or self.status.value,
            "source": self.source,
            "size": self.size or None,
            "files": self.file_count or None,
            "revision": self.revision,
            "license": self.license,
            "error": self.error,
            "imported_at": self.finished_at,
            "imported_by": self.imported_by,
            "folder": self.prefix,
            "import_id": self.import_id,
        }
