"""Manifests of imported models, read from their buckets."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

from llm_widgets.documents import reading
from llm_widgets.documents.plans import DigestDocument
from llm_widgets.documents.reading import MOST_FILES, Count, Crc32c, Line, Name, Sentence
from llm_widgets.domain.manifest import MANIFEST_VERSION, ManifestFile, ModelManifest


class _File(msgspec.Struct, frozen=True):
    path: Name
    size: Count
    digest: DigestDocument
    crc32c: Crc32c
    part: Line = ""


class _Manifest(msgspec.Struct, frozen=True):
    version: int
    source: Line
    model_id: Line
    revision: Line
    prefix: Line
    files: Annotated[tuple[_File, ...], msgspec.Meta(max_length=MOST_FILES)]
    submitted_at: datetime
    finished_at: datetime
    imported_by: Line = ""
    license: Sentence = ""
    facts: dict[str, Any] = {}


def read(raw: bytes | str, *, import_id: str) -> ModelManifest:
    """Read a manifest; of which import, the parameter says.

    Raises
    ------
    DocumentError
        The text is none, or one of a later version of the product.
    """
    name = f"The manifest of the import {import_id}"
    found = reading.read(raw, _Manifest, name=name)
    reading.refuse_later(found.version, MANIFEST_VERSION, name=name)
    return ModelManifest(
        import_id=import_id,
        source=found.source,
        model_id=found.model_id,
        revision=found.revision,
        prefix=found.prefix,
        files=tuple(
            ManifestFile(each.path, each.size, each.digest.value_of(), each.crc32c, each.part)
            for each in found.files
        ),
        submitted_at=reading.time(found.submitted_at, name=name),
        finished_at=reading.time(found.finished_at, name=name),
        imported_by=found.imported_by,
        license=found.license,
        facts=found.facts,
    )
