"""Models: where they come from and what a bucket holds of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class Source(StrEnum):
    """The hub that a model comes from. The value stands in ``llm-manager-metadata.json``."""

    HUGGING_FACE = "huggingface"
    OLLAMA = "ollama"

    @property
    def label(self) -> str:
        """The name as people write it."""
        return {Source.HUGGING_FACE: "Hugging Face", Source.OLLAMA: "Ollama"}[self]

    @property
    def framework(self) -> Framework:
        """The engine that serves models of this source."""
        return {Source.HUGGING_FACE: Framework.VLLM, Source.OLLAMA: Framework.OLLAMA}[self]


class Framework(StrEnum):
    """The engine that serves a model. The value stands in the label ``llm-engine``."""

    VLLM = "vllm"
    OLLAMA = "ollama"

    @property
    def label(self) -> str:
        """The name as people write it."""
        return {Framework.VLLM: "vLLM", Framework.OLLAMA: "Ollama"}[self]


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
    size
        Bytes of all files, 0 when not known.
    revision
        Commit sha at Hugging Face; sha256 of the manifest for Ollama.
    prefix
        Where its files lie in the bucket, without a slash at the end.
    error
        Why it failed; empty otherwise.
    extra
        Fields of the file that this version does not know; written back unchanged.
    """

    id: str
    source: Source
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
    def key(self) -> tuple[Source, str, str]:
        """What tells records of one bucket apart: source, id and revision."""
        return (self.source, self.id, self.revision)
