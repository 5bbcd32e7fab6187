"""Models: where they come from and what a bucket holds of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class ModelStatus(StrEnum):
    """How far a model in a bucket is. The value stands in ``llm-manager-metadata.json``."""

    IMPORTING = "downloading"
    READY = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ModelRecord:
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
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells records of one bucket apart: source, id and revision."""
        return (self.source, self.id, self.revision)
