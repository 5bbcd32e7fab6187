"""Whether an engine can load a model: what is looked at, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

QUANTIZED_FROM = "quantized_from"
"""Key among a model's facts of the model that it is a quantized form of."""

LAYERS = "layers"
"""Key among a model's facts of its files by what they are: ``model``, ``projector``."""

HEADER = "header"
"""Key among a model's documents of what the header of its weights says."""


class Task(StrEnum):
    """What a model does for whoever asks it."""

    CHAT = "chat"
    VISION = "chat with pictures"
    EMBED = "embeddings"
    RERANK = "reranking"
    CLASSIFY = "classification"
    TRANSCRIBE = "transcription"

    @classmethod
    def of(cls, value: object) -> Task | None:
        """Return the task of a value; ``None`` where it is none that is known."""
        return next((task for task in cls if task.value == value), None)


CHATS = frozenset({Task.CHAT, Task.VISION})
"""Tasks whose answer is text to what is said."""

POOLING = frozenset({Task.EMBED, Task.RERANK, Task.CLASSIFY})
"""Tasks whose answer is numbers instead of text."""


class Way(StrEnum):
    """Where a model is to be had that an engine can load, when this one can't be."""

    NONE = ""
    BASE = "base"  # the model that it was made from
    GGUF = "gguf"  # the engine that loads GGUF files
    OTHER = "other"  # another form of the same model
    KIND = "kind"  # a model of another kind: what it was made from is of the same


@dataclass(frozen=True, slots=True)
class Contents:
    """What a hub tells of a model, before a byte of its weights is copied.

    Attributes
    ----------
    paths
        All files, or what else the hub counts.
    config
        Its configuration; ``None`` where it has none.
    task, library, tags
        As its author labels it.
    base
        Id of the model that it was made from; empty where nobody says.
    adapters
        Folders of adapters that the model itself names.
    documents
        Further JSON files by their path, those that could be read.
    """

    paths: frozenset[str]
    config: Mapping[str, Any] | None = None
    task: str = ""
    library: str = ""
    tags: tuple[str, ...] = ()
    base: str = ""
    adapters: tuple[str, ...] = ()
    documents: Mapping[str, Any] = field(default_factory=dict)

    @property
    def top(self) -> frozenset[str]:
        """The files of the top folder."""
        return frozenset(path for path in self.paths if "/" not in path)

    @property
    def architecture(self) -> str:
        """The class that its configuration names; empty where it names none."""
        config = self.config or {}
        nested = config.get("text_config")
        for place in (config, nested if isinstance(nested, Mapping) else {}):
            named = place.get("architectures")
            if isinstance(named, list) and named and isinstance(named[0], str):
                return named[0]
        return ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an engine makes of a model.

    Attributes
    ----------
    refusal
        Why it can't load it, in a sentence; empty where it can.
    way
        Where to turn then.
    task
        What the model does.
    source
        What tells its task.
    notes
        What should be known before it is imported.
    code
        Whether it brings code of its own, which runs only if a person agrees.
    format
        The layout of its files, where that is not the engine's usual one.
    beside
        Files, and folders, with further weights that the engine reads beside the model's own.
    """

    refusal: str = ""
    way: Way = Way.NONE
    task: Task = Task.CHAT
    source: str = ""
    notes: tuple[str, ...] = ()
    code: bool = False
    format: str = ""
    beside: tuple[str, ...] = ()

    def to_facts(self, engine: str) -> dict[str, Any]:
        """Write what is kept of it beside the model, with the id of the engine that found it."""
        return {
            "engine": engine,
            "task": self.task.value,
            "source": self.source,
            "notes": list(self.notes),
            "code": self.code,
            "format": self.format,
        }


def from_facts(facts: Mapping[str, Any], engine: str = "") -> Verdict | None:
    """Read what was kept beside a model; ``None`` of one that was imported before that was.

    Parameters
    ----------
    engine
        Id of the engine that is asked for; any when empty.
    """
    kept = facts.get("loading")
    if not isinstance(kept, Mapping) or (engine and kept.get("engine") != engine):
        return None
    task = Task.of(kept.get("task"))
    if task is None:
        return None
    notes = kept.get("notes")
    return Verdict(
        task=task,
        source=str(kept.get("source") or ""),
        notes=tuple(str(note) for note in notes) if isinstance(notes, list) else (),
        code=kept.get("code") is True,
        format=str(kept.get("format") or ""),
    )
