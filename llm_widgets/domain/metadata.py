"""The file in the root of a bucket that tells which models it holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.errors import ManagerError

METADATA_NAME = "llm-manager-metadata.json"
"""Name of the object that makes a bucket a bucket of models."""

SCHEMA_VERSION = 1
DESCRIPTION = "Models in this bucket, written by Cloud Run LLM Manager."

_REPAIRED = "repaired"

_OLD_PREFIXES = {"huggingface": "{id}", "ollama": "ollama/models"}
"""Where the application before this one, which knew these two hubs, put a model: those of the
second all share a folder. Its entries don't tell it."""

_FIELDS = {
    # name in the file: (field of ModelRecord, type)
    "size": ("size", int),
    "revision": ("revision", str),
    "prefix": ("prefix", str),
    "fileCount": ("file_count", int),
    "importId": ("import_id", str),
    "submittedAt": ("submitted_at", datetime),
    "finishedAt": ("finished_at", datetime),
    "importedBy": ("imported_by", str),
    "license": ("license", str),
    "error": ("error", str),
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
    """

    description: str = DESCRIPTION
    models: tuple[ModelRecord, ...] = ()
    schema_version: int = SCHEMA_VERSION
    others: tuple[Any, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def find(self, key: tuple[str, str, str]) -> ModelRecord | None:
        """Find the entry with a key: source, id and revision."""
        return next((model for model in self.models if model.key == key), None)

    def with_model(self, record: ModelRecord) -> MetadataFile:
        """Give the file with an entry added, or put in place of the one with the same key."""
        old = self.find(record.key)
        if old is None:
            return replace(self, models=(*self.models, record))
        record = replace(record, extra={**old.extra, **record.extra})
        models = tuple(record if model.key == record.key else model for model in self.models)
        return replace(self, models=models)

    def with_unfinished(self, record: ModelRecord) -> MetadataFile:
        """Give the file with the entry of an unfinished import; a model that is ready stays so."""
        old = self.find(record.key)
        return self if old and old.status is ModelStatus.READY else self.with_model(record)

    def without(self, key: tuple[str, str, str]) -> MetadataFile:
        """Give the file without the entry with a key."""
        return replace(self, models=tuple(model for model in self.models if model.key != key))

    @property
    def repaired(self) -> str:
        """Name of the backup from which the file was rebuilt last; empty when it never was."""
        note = self.extra.get(_REPAIRED)
        return str(note.get("backup", "")) if isinstance(note, Mapping) else ""

    def with_repair(self, backup: str, when: datetime) -> MetadataFile:
        """Give the file with a note that it was rebuilt."""
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

    @classmethod
    def from_json(cls, text: str | bytes) -> MetadataFile:
        """Read a file.

        Raises
        ------
        MetadataFileError
            The text is something else, or cut off.
        """
        try:
            data = json.loads(text)
        except ValueError as error:
            raise MetadataFileError("The metadata file is damaged.", cause=str(error)) from error
        if not isinstance(data, dict) or not isinstance(data.get("models", []), list):
            raise MetadataFileError(
                "The metadata file is damaged.", cause="It is JSON, but holds no list of models."
            )
        version = data.pop("schemaVersion", SCHEMA_VERSION)
        models: list[ModelRecord] = []
        others: list[Any] = []
        for entry in data.pop("models", []):
            record = _record(entry)
            if record:
                models.append(record)
            else:
                others.append(entry)
        return cls(
            description=str(data.pop("description", DESCRIPTION)),
            models=tuple(models),
            schema_version=version if isinstance(version, int) else SCHEMA_VERSION,
            others=tuple(others),
            extra=data,
        )


def _record(entry: Any) -> ModelRecord | None:
    """Read an entry; ``None`` where it has no id or source, or its status is not known."""
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        return None
    left = dict(entry)
    source = left.pop("source", None)
    if not isinstance(source, str) or not source:
        return None
    try:
        status = ModelStatus(left.pop("status", None))
    except ValueError:
        return None
    known: dict[str, Any] = {}
    for name, (attribute, kind) in _FIELDS.items():
        value = _value(left.get(name), kind)
        if value is not None:
            known[attribute] = value
            del left[name]
    identifier = left.pop("id")
    if "prefix" not in known and "import_id" not in known:
        known["prefix"] = _OLD_PREFIXES.get(source, "").format(id=identifier)
    return ModelRecord(id=identifier, source=source, status=status, extra=left, **known)


def _value(value: Any, kind: type) -> Any:
    """Read a field; ``None`` where it is absent or of another type, so that it is kept as it is."""
    if kind is datetime:
        return _time(value)
    if isinstance(value, bool) or not isinstance(value, kind):
        return None
    return value


def _time(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _time_text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _entry(record: ModelRecord) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": record.id,
        "source": record.source,
        "status": record.status.value,
        "size": record.size,
    }
    for name, (attribute, _) in _FIELDS.items():
        value = getattr(record, attribute)
        if isinstance(value, datetime):
            entry[name] = _time_text(value)
        elif value:
            entry[name] = value
    return {**entry, **record.extra}
