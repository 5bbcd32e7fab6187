"""The file in the root of a bucket that tells which models it holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from llm_widgets.domain.memory.measured import MeasuredStart, with_start
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.errors import ManagerError

METADATA_NAME = "llm-manager-metadata.json"
"""Name of the object that makes a bucket a bucket of models."""

SCHEMA_VERSION = 1
DESCRIPTION = "Models in this bucket, written by Cloud Run LLM Manager."

STARTS = "measuredStarts"
"""Name in an entry of what engines measured when they started with the model."""

_REPAIRED = "repaired"

FIELDS = {
    # name in the file: field of ModelRecord
    "size": "size",
    "revision": "revision",
    "prefix": "prefix",
    "fileCount": "file_count",
    "importId": "import_id",
    "submittedAt": "submitted_at",
    "finishedAt": "finished_at",
    "importedBy": "imported_by",
    "license": "license",
    "error": "error",
}


class MetadataFileError(ManagerError):
    """The text is no metadata file."""


@dataclass(frozen=True, slots=True)
class MetadataFile:
    """The models of a bucket.

    Files of ``oded996/cloud-run-llm-manager`` are read too: they have no schema version, and
    their entries no revision and no prefix.

    Attributes
    ----------
    models
        The entries that this version understands, in the order of the file.
    others
        Entries that it does not understand; written back unchanged.
    extra
        Fields of the file that it does not know; written back unchanged.
    is_mended
        Whether its text was no JSON, and could be read all the same.
    """

    description: str = DESCRIPTION
    models: tuple[ModelRecord, ...] = ()
    schema_version: int = SCHEMA_VERSION
    others: tuple[Any, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    is_mended: bool = field(default=False, compare=False)

    def find(self, key: tuple[str, str, str]) -> ModelRecord | None:
        """Find the entry with a key: source, id and revision."""
        return next((model for model in self.models if model.key == key), None)

    def with_model(self, record: ModelRecord) -> MetadataFile:
        """Return the file with an entry added, or put in place of the one with the same key."""
        old = self.find(record.key)
        if old is None:
            return replace(self, models=(*self.models, record))
        extra = {**old.extra, **record.extra}
        record = replace(record, extra=extra, starts=record.starts or old.starts)
        models = tuple(record if model.key == record.key else model for model in self.models)
        return replace(self, models=models)

    def with_measured(self, key: tuple[str, str, str], start: MeasuredStart) -> MetadataFile:
        """Return the file with what an engine measured of the model with a key, if it has that."""
        old = self.find(key)
        if old is None:
            return self
        return self.with_model(replace(old, starts=with_start(old.starts, start)))

    def with_unfinished(self, record: ModelRecord) -> MetadataFile:
        """Return the file with the entry of an unfinished import; a ready model stays so."""
        old = self.find(record.key)
        return self if old and old.status is ModelStatus.READY else self.with_model(record)

    def with_failed(self, import_id: str, error: str) -> MetadataFile:
        """Return the file with what an import has not finished as failed."""
        models = tuple(
            replace(model, status=ModelStatus.FAILED, error=error)
            if (model.import_id, model.status) == (import_id, ModelStatus.IMPORTING)
            else model
            for model in self.models
        )
        return replace(self, models=models)

    def without(self, key: tuple[str, str, str]) -> MetadataFile:
        """Return the file without the entry with a key."""
        return replace(self, models=tuple(model for model in self.models if model.key != key))

    @property
    def repaired(self) -> str:
        """Name of the backup from which the file was rebuilt last; empty when it never was."""
        note = self.extra.get(_REPAIRED)
        return str(note.get("backup", "")) if isinstance(note, Mapping) else ""

    def with_repair(self, backup: str, when: datetime) -> MetadataFile:
        """Return the file with a note that it was rebuilt."""
        note = {"backup": backup, "at": _time_text(when)}
        return replace(self, extra={**self.extra, _REPAIRED: note})

    def to_json(self) -> str:
        """Write the file as JSON text."""
        data = {
            "schemaVersion": self.schema_version,
            "description": self.description,
            "models": [*map(_entry, self.models), *self.others],
            **self.extra,
        }
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _time_text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _entry(record: ModelRecord) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": record.id,
        "source": record.source,
        "status": record.told_status or record.status.value,
        "size": record.size,
    }
    for name, attribute in FIELDS.items():
        value = getattr(record, attribute)
        if isinstance(value, datetime):
            entry[name] = _time_text(value)
        elif value:
            entry[name] = value
    if record.starts:
        entry[STARTS] = [_start(start) for start in record.starts]
    # A field that could not be read gives way to one that can.
    kept = {name: value for name, value in record.extra.items() if not entry.get(name)}
    return {**entry, **kept}


def _start(start: MeasuredStart) -> dict[str, Any]:
    configuration = asdict(start.configuration)
    told = dict(start.configuration.told)
    return {**configuration, "told": told, "at": _time_text(start.at), **asdict(start.measured)}
