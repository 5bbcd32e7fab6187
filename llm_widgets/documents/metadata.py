"""The metadata file of a bucket, read from it; damage of one entry is the entry's alone."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

import msgspec

from llm_widgets.documents import mending, reading
from llm_widgets.documents.reading import Count, Line, Sentence
from llm_widgets.domain import folders
from llm_widgets.domain.memory.measured import (
    MOST_STARTS,
    Configuration,
    Measured,
    MeasuredStart,
)
from llm_widgets.domain.metadata import (
    DESCRIPTION,
    FIELDS,
    SCHEMA_VERSION,
    STARTS,
    MetadataFile,
    MetadataFileError,
)
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.errors import DocumentError

MOST_MODELS = 10_000
"""Entries of a file: more than a person can have meant."""

_DAMAGED = "The metadata file is damaged."
_NAME = "The entry"
_LIST = re.compile(r'"models"\s*:')
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
    status: _Key


class _Start(msgspec.Struct, frozen=True):
    engine: Line
    image: Line
    accelerator: Line
    told: Annotated[dict[Line, Line], msgspec.Meta(max_length=64)]
    at: datetime
    weights: Count
    cache: Count
    work: Count = 0
    requests: Annotated[float, msgspec.Meta(ge=0, le=1e9)] = 0
    context: Count = 0
    tokens: Count = 0


def read(raw: bytes | str) -> MetadataFile:
    """Read a file.

    Entries that are none are kept as they are; of the others, so is each field that is not what
    it should be. A text that is no JSON only because a person edited it is read as it is meant.

    Raises
    ------
    MetadataFileError
        The text is something else, cut off, or beyond the limits of a document.
    """
    try:
        _check_one_list(raw)
        return _file(reading.parsed(raw, name="The metadata file"))
    except DocumentError as error:
        found = mending.mended(raw) if len(raw) <= mending.LARGEST else None
        if found and found.is_whole and isinstance(found.value, dict):
            with suppress(DocumentError):
                return replace(_file(_checked(found.value)), is_mended=True)
        raise MetadataFileError(_DAMAGED, cause=error.cause) from error


def salvaged(raw: bytes | str) -> MetadataFile:
    """Return what can still be read of a damaged file: also entries behind the damage."""
    raw = raw[: mending.LARGEST]
    found = mending.mended(raw).value
    data = dict(found) if isinstance(found, dict) else {}
    listed = data.get("models") if data else found
    entries = list(filter(_is_within_limits, listed if isinstance(listed, list) else []))
    further = filter(_is_within_limits, _missing(entries, mending.objects(raw)))
    data["models"] = [*entries, *further][:MOST_MODELS]
    try:
        return _file(_checked(data))
    except (DocumentError, MetadataFileError):
        return MetadataFile()


def _is_within_limits(entry: Any) -> bool:
    try:
        _checked({"models": [entry]})
    except DocumentError:
        return False
    return True


def _missing(entries: list[Any], others: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the others that are no entry that is known, nor a part of one."""
    known = {_identity(entry) for entry in entries if isinstance(entry, dict)}
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for other in others:
        identity = _identity(other)
        if identity not in known and len(other) > len(found.get(identity, ())):
            found[identity] = other
    return list(found.values())


def _identity(entry: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(entry.get(key, "")) for key in ("id", "source", "revision"))


def _check_one_list(raw: bytes | str) -> None:
    """Check that there is one list of models: of two under one key, JSON's readers take the last.

    Raises
    ------
    DocumentError
        There are more.
    """
    text = raw if isinstance(raw, str) else raw.decode("utf-8", "replace")
    if len(_LIST.findall(text)) > 1 and mending.has_twice(text, "models"):
        raise DocumentError(_DAMAGED, cause="It has two lists of models.")


def _checked(value: Any) -> Any:
    """Hold what was mended to the limits of every document: sizes, depths, numbers, texts."""
    return reading.parsed(json.dumps(value), name="The metadata file")


def _file(data: Any) -> MetadataFile:
    if not isinstance(data, dict) or not isinstance(data.get("models", []), list):
        raise MetadataFileError(_DAMAGED, cause="It is JSON, but holds no list of models.")
    version = data.pop("schemaVersion", SCHEMA_VERSION)
    entries = data.pop("models", [])
    if len(entries) > MOST_MODELS:
        raise MetadataFileError(_DAMAGED, cause=f"It lists more than {MOST_MODELS} models.")
    read_entries = _each_once([(_record(entry), entry) for entry in entries])
    return MetadataFile(
        description=str(data.pop("description", DESCRIPTION)),
        models=tuple(record for record, _ in read_entries if record),
        schema_version=version if isinstance(version, int) else SCHEMA_VERSION,
        others=tuple(entry for record, entry in read_entries if not record),
        extra=data,
    )


_Read = tuple[ModelRecord | None, Any]
"""An entry, read if it can be, and as it stands there."""


def _each_once(entries: list[_Read]) -> list[_Read]:
    """Take of entries of the same model the first; the others are kept as they are."""
    seen: set[tuple[str, str, str]] = set()
    found: list[_Read] = []
    for record, entry in entries:
        is_first = record is not None and record.key not in seen
        found.append((record if is_first else None, entry))
        if record:
            seen.add(record.key)
    return found


def _record(entry: Any) -> ModelRecord | None:
    """Read an entry; ``None`` where it has no id, no source or no status."""
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
    with suppress(DocumentError):
        known["starts"] = _starts(left.get(STARTS, []))
        left.pop(STARTS, None)
    if not {"prefix", "importId"} & entry.keys():
        known["prefix"] = _old_prefix(key)
    is_known = key.status in set(ModelStatus) - {ModelStatus.UNKNOWN}
    return ModelRecord(
        id=key.id,
        source=key.source,
        status=ModelStatus(key.status) if is_known else ModelStatus.UNKNOWN,
        told_status="" if is_known else key.status,
        extra=left,
        **known,
    )


def _starts(value: Any) -> tuple[MeasuredStart, ...]:
    """Read what engines measured; the newest, where somebody wrote more than are kept.

    Raises
    ------
    DocumentError
        One of them is something else.
    """
    return tuple(
        MeasuredStart(
            Configuration(
                each.engine, each.image, each.accelerator, tuple(sorted(each.told.items()))
            ),
            Measured(each.weights, each.cache, each.work, each.requests, each.context, each.tokens),
            reading.time(each.at, name=_NAME),
        )
        for each in reading.checked(value, list[_Start], name=_NAME)[-MOST_STARTS:]
    )


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
