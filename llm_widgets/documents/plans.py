"""Plans of imports, read from their buckets."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

from llm_widgets.documents import reading
from llm_widgets.documents.reading import MOST_FILES, Count, Line, Name, Sentence
from llm_widgets.domain.imports import PLAN_VERSION, Digest, DigestKind, HubFile, ImportPlan


class DigestDocument(msgspec.Struct, frozen=True):
    """A hub's digest of a file."""

    kind: DigestKind
    value: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")]

    def value_of(self) -> Digest:
        """Return it as the product knows it."""
        return Digest(self.kind, self.value)


class _File(msgspec.Struct, frozen=True):
    path: Name
    size: Count
    digest: DigestDocument
    url: Annotated[str, msgspec.Meta(max_length=4096, pattern=r"^[!-~]*\Z")] = ""
    content: bytes | None = None
    skipped: Line = ""
    part: Line = ""


class _Plan(msgspec.Struct, frozen=True):
    version: int
    source: Line
    model_id: Line
    revision: Line
    prefix: Line
    files: Annotated[tuple[_File, ...], msgspec.Meta(max_length=MOST_FILES)]
    created_at: datetime
    created_by: Line = ""
    license: Sentence = ""
    token_secret: Line = ""
    facts: dict[str, Any] = {}


def read(raw: bytes | str, *, bucket: str, import_id: str) -> ImportPlan:
    """Read a plan.

    What it says of its own bucket, id and project, and of the secret with its token, is left out.
    Whether its files and its folder are those of its model, its hub knows: see
    :func:`llm_widgets.imports.plan.checked`.

    Raises
    ------
    DocumentError
        The text is no plan, or one of a later version of the product.
    """
    name = f"The plan of the import {import_id}"
    found = reading.read(raw, _Plan, name=name)
    reading.refuse_later(found.version, PLAN_VERSION, name=name)
    return ImportPlan(
        id=import_id,
        bucket=bucket,
        project="",
        source=found.source,
        model_id=found.model_id,
        revision=found.revision,
        prefix=found.prefix,
        files=tuple(
            HubFile(
                each.path,
                each.size,
                each.digest.value_of(),
                each.url,
                each.content,
                each.skipped,
                each.part,
            )
            for each in found.files
        ),
        created_at=reading.time(found.created_at, name=name),
        created_by=found.created_by,
        license=found.license,
        has_token=bool(found.token_secret),
        facts=found.facts,
    )
