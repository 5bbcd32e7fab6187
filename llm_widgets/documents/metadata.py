"""The metadata file of a bucket, read from it; damage of one entry is the entry's alone."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any

import msgspec

from llm_widgets.documents import reading
from llm_widgets.documents.reading import Count, Line, Sentence
from llm_widgets.domain import folders
from llm_widgets.domain.metadata import (
    DESCRIPTION,
    FIELDS,
    SCHEMA_VERSION,
    MetadataFile,
    MetadataFileError,
)
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.errors import DocumentError

MOST_MODELS = 10_000
"""Entries of a file: more than a person can have meant."""

_NAME = "The entry"
_Key = Annotated[str, msgspec.Meta(min_length=1, max_length=512, pattern=r"^[^\x00-\x1f\x7f]+\Z")]

_TYPES: dict[str, Any] = {
    "size": Count,
    "file_count": Count,
    "submitted_at": datetime,
    "finished_at": datetime,
    "license": Sentence,
    "error": Sentence,
}
"""What is no :data:`~llm_widgets.documents.reading.Line`."""

_CHECKS = {"prefix": folders.is_plain, "import_id": folders.is_import_id}

_OLD_PREFIXES = {"huggingface": "{id}", "ollama": "ollama/models"}
"""Where the application before this one, which knew these two hubs, put a model: those of the
second all share a folder. Its entries don't tell it."""


class _Entry(msgspec.Struct, frozen=True):
    id: _Key
    source: _Key
    status: ModelStatus


def read(raw: bytes | str) -> MetadataFile:
    """Read a file.

    Entries that are none are kept as they are; of the others, so is each field that is not what
    it should be.

    Raises
    ------
    MetadataFileError
        The text is something else, cut off, or beyond the limits of a document.
    """
    try:
        data = reading.parsed(raw, name="The metadata file")
    except DocumentError as error:
        raise MetadataFileError("The metadata file is damaged.", cause=error.cause) from error
    if not isinstance(data, dict) or not isinstance(data.get("models", []), list):
        raise MetadataFileError(
            "The metadata file is damaged.", cause="It is JSON, but holds no list of models."
        )
    version = data.pop("schemaVersion", SCHEMA_VERSION)
    entries = data.pop("models", [])
    if len(entries) > MOST_MODELS:
        raise MetadataFileError(
            "The metadata file is damaged.", cause=f"It lists more than {MOST_MODELS} models."
        )
    read_entries = [(_record(entry), entry) for entry in entries]
    return MetadataFile(
        description=str(data.pop("description", DESCRIPTION)),
        models=tuple(record for record, _ in read_entries if record),
        schema_version=version if isinstance(version, int) else SCHEMA_VERSION,
        others=tuple(entry for record, entry in read_entries if not record),
        extra=data,
    )


def _record(entry: Any) -> ModelRecord | None:
    """Read an entry; ``None`` where it has no id or source, or its status is not known."""
    try:
        key = reading.checked(entry, _Entry, name=_NAME)
    except DocumentError:
        return None
    left = {name: entry[name] for name in entry if name not in _Entry.__struct_fields__}
    known: dict[str, Any] = {}
    for name, attribute in FIELDS.items():
        with suppress(DocumentError):  # it is kept as it is
            if left.get(name) is not None:
                known[attribute] = _value(attribute, left[name])
                del left[name]
    if not {"prefix", "importId"} & entry.keys():
        known["prefix"] = _old_prefix(key)
    return ModelRecord(id=key.id, source=key.source, status=key.status, extra=left, **known)


def _value(attribute: str, value: Any) -> Any:
    """Read a field.

    Raises
    ------
    DocumentError
        It is of another type, or out of its limits.
    """
    kind = _TYPES.get(attribute, Line)
    if kind is datetime:
        return _time(value)
    found: Any = reading.checked(value, kind, name=_NAME)
    check = _CHECKS.get(attribute)
    if check and not check(found):
        raise DocumentError(f"{_NAME} can't be read.", cause=f"It has an odd {attribute}.")
    return found


def _time(value: Any) -> datetime:
    try:
        # More forms than RFC 3339 has: other applications write the file too.
        return reading.time(datetime.fromisoformat(value), name=_NAME)
    except (TypeError, ValueError, OverflowError) as error:
        raise DocumentError(f"{_NAME} can't be read.", cause=str(error)) from error


def _old_prefix(key: _Entry) -> str:
    folder = _OLD_PREFIXES.get(key.source, "").format(id=key.id)
    return folder if folders.is_plain(folder) else ""
