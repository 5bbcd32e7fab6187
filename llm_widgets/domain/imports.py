"""An import: what the hub offers, and which bytes go where."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.folders import OWN_FOLDER
from llm_widgets.domain.models import ModelRecord, ModelStatus

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

IMPORTS_PREFIX = f"{OWN_FOLDER}/imports"
"""Where plans, progress and finished parts of imports lie in a bucket."""

PLAN_VERSION = 1

LEFT_OUT_BY_HAND = "left out by you"
"""Why a file is not copied that a person does not want."""


class DigestKind(StrEnum):
    """How a hub vouches for a file."""

    SHA256 = "sha256"
    GIT_SHA1 = "git-sha1"  # sha1 over "blob <length>\0" and the content


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest that a hub publishes: its kind and its value in hexadecimal."""

    kind: DigestKind
    value: str


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file of a model at its hub.

    Attributes
    ----------
    path
        Path inside the model's folder in the bucket, for example ``config.json`` or
        ``blobs/sha256-…``.
    size
        Bytes.
    url
        Where the bytes are; may answer with a redirect to a signed URL. Empty for a file
        whose content is in the listing already.
    content
        The bytes themselves, for small files that the hub's answer carried.
    skipped
        Why the engine does not need it, so that it is not copied; empty when it is.
    part
        What it is, where its path does not tell, for example ``Weights``; else empty.
    """

    path: str
    size: int
    digest: Digest
    url: str = ""
    content: bytes | None = None
    skipped: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True)
class HubModel:
    """The answer of a pre-flight: a model that exists, and that this person may read.

    Attributes
    ----------
    source
        Id of its hub.
    id
        Normal form of what was typed.
    revision
        Commit sha, or sha256 of the manifest: what is copied is pinned to it.
    files
        All files, those that are left out included. Those whose content is in the listing are
        published last and in this order: one that makes the model visible to an engine stands
        at the end.
    license
        Licence id or first line, empty when the hub names none.
    gated
        Whether the hub asks for an accepted licence.
    facts
        What the hub knows besides: architecture, parameters by dtype, quantisation, …
    notes
        Sentences that the person should read before confirming.
    """

    source: str
    id: str
    revision: str
    files: tuple[HubFile, ...]
    license: str = ""
    gated: bool = False
    facts: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def chosen(self) -> tuple[HubFile, ...]:
        """The files that are copied."""
        return tuple(file for file in self.files if not file.skipped)

    @property
    def size(self) -> int:
        """Bytes of the files that are copied."""
        return sum(file.size for file in self.chosen)

    def with_chosen(self, paths: Collection[str]) -> HubModel:
        """Return the model with another choice of files: those of these paths are copied."""
        files = tuple(
            replace(
                file,
                skipped="" if file.path in paths else file.skipped or LEFT_OUT_BY_HAND,
            )
            for file in self.files
        )
        return replace(self, files=files)


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """Everything that a worker needs to carry an import out, and nothing secret.

    Attributes
    ----------
    id
        Made from bucket, source, model, revision and the choice of files: two starts of the
        same import have the same id, and so join.
    prefix
        Folder of the model in the bucket, without a slash at the end.
    has_token
        Whether a token of the hub is kept for it: :mod:`llm_widgets.gcp.secrets` knows where.
    """

    id: str
    bucket: str
    project: str
    source: str
    model_id: str
    revision: str
    prefix: str
    files: tuple[HubFile, ...]
    created_at: datetime
    created_by: str = ""
    license: str = ""
    has_token: bool = False
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def folder(self) -> str:
        """Where the import keeps its small objects in the bucket."""
        return f"{IMPORTS_PREFIX}/{self.id}"

    def object_name(self, file: HubFile) -> str:
        """Return the final name of a file's object."""
        return f"{self.prefix}/{file.path}"

    def record(self, status: ModelStatus, error: str = "") -> ModelRecord:
        """Return the entry in the bucket's metadata file of a model that is not imported yet."""
        return ModelRecord(
            id=self.model_id,
            source=self.source,
            status=status,
            size=self.size,
            revision=self.revision,
            prefix=self.prefix,
            file_count=len(self.files),
            import_id=self.id,
            submitted_at=self.created_at,
            imported_by=self.created_by,
            license=self.license,
            error=error,
        )

    def to_json(self) -> str:
        """Write the plan as JSON text."""
        data = asdict(self)
        data["version"] = PLAN_VERSION
        # The field named the secret once; nobody believes a name that stands in a bucket.
        data["token_secret"] = "kept" if data.pop("has_token") else ""
        data["created_at"] = self.created_at.isoformat()
        for entry in data["files"]:
            if entry["content"] is not None:
                entry["content"] = base64.b64encode(entry["content"]).decode()
        return json.dumps(data, indent=1)
