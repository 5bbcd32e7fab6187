"""What is kept beside a model: every file with the digests that it was verified against."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.folders import OWN_FOLDER
from llm_widgets.domain.models import ModelRecord, ModelStatus

if TYPE_CHECKING:
    from datetime import datetime

    from llm_widgets.domain.imports import Digest

MANIFESTS_PREFIX = f"{OWN_FOLDER}/models"
"""Where the manifests of the models of a bucket lie in it."""

MANIFEST_VERSION = 1


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """A file of a model as it was published.

    Attributes
    ----------
    path
        Path below the model's prefix.
    size
        Bytes.
    digest
        The hub's.
    crc32c
        Cloud Storage's, base64.
    part
        What it is, where its path does not tell.
    """

    path: str
    size: int
    digest: Digest
    crc32c: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class ModelManifest:
    """A model as it was published; see :class:`llm_widgets.domain.imports.ImportPlan`.

    Attributes
    ----------
    facts
        What the hub knew of it; :mod:`llm_widgets.domain.memory` reckons with a part of it.
    """

    import_id: str
    source: str
    model_id: str
    revision: str
    prefix: str
    files: tuple[ManifestFile, ...]
    submitted_at: datetime
    finished_at: datetime
    imported_by: str = ""
    license: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    def record(self) -> ModelRecord:
        """Return the model's entry in the bucket's metadata file."""
        return ModelRecord(
            id=self.model_id,
            source=self.source,
            status=ModelStatus.READY,
            size=self.size,
            revision=self.revision,
            prefix=self.prefix,
            file_count=len(self.files),
            import_id=self.import_id,
            submitted_at=self.submitted_at,
            finished_at=self.finished_at,
            imported_by=self.imported_by,
            license=self.license,
        )

    def to_json(self) -> str:
        """Write the manifest as JSON text."""
        data = {"version": MANIFEST_VERSION, **asdict(self)}
        data["submitted_at"] = self.submitted_at.isoformat()
        data["finished_at"] = self.finished_at.isoformat()
        return json.dumps(data, indent=1)


def manifest_name(import_id: str) -> str:
    """Name the object of a model's manifest."""
    return f"{MANIFESTS_PREFIX}/{import_id}.json"
