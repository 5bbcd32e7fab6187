"""Checkpoints: how far one file is, as a small object in the bucket from which it is resumed.

Tasks that share a file hand checkpoints over to each other, in objects beside it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import msgspec

from llm_widgets.documents import reading
from llm_widgets.documents.reading import Line
from llm_widgets.errors import ConflictError, DocumentError, Fix
from llm_widgets.gcp.storage.objects import NEW
from llm_widgets.transfer.options import MAX_PARTS, MIB, MOST_PARTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.domain.imports import HubFile
    from llm_widgets.gcp.storage.objects import SmallObjects

_VERSION = 1
_TRIES = 5
_LARGEST_USUAL_PART = 64 * MIB


class TakenOverError(ConflictError):
    """Another worker process carries the import out now."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far one file is.

    Attributes
    ----------
    upload_id
        The multipart upload that holds its parts.
    part_size
        Bytes of each part but the last.
    parts
        Parts, from the first on, that are stored and have been hashed.
    hash_state
        The digest's state after them, or ``None`` where it can't be saved.
    crc32c
        CRC-32C of them together.
    verified
        Whether all parts are there and the file's digest is the hub's.
    """

    upload_id: str
    part_size: int
    parts: int = 0
    hash_state: str | None = None
    crc32c: int = 0
    verified: bool = False

    def fits(self, size: int) -> bool:
        """Return whether it can be of a file of so many bytes: nobody else may have written it."""
        parts = -(-size // self.part_size)
        usual = max(_LARGEST_USUAL_PART, size // (MAX_PARTS // 2))
        return self.parts <= parts <= MOST_PARTS and self.part_size <= usual

    def to_json(self) -> str:
        """Return it as JSON text."""
        return json.dumps({"version": _VERSION, **asdict(self)})

    @classmethod
    def from_json(cls, text: bytes) -> Checkpoint | None:
        """Return the checkpoint of a JSON text; ``None`` for one that this version didn't write."""
        try:
            found = reading.read(text, _Document, name="The checkpoint")
        except DocumentError:
            return None
        if found.version != _VERSION:
            return None
        return cls(
            found.upload_id,
            found.part_size,
            found.parts,
            found.hash_state,
            found.crc32c,
            found.verified,
        )


class _Document(msgspec.Struct, frozen=True):
    version: int
    upload_id: Line
    part_size: Annotated[int, msgspec.Meta(ge=1, le=1 << 40)]
    parts: Annotated[int, msgspec.Meta(ge=0, le=MOST_PARTS)] = 0
    hash_state: Annotated[str, msgspec.Meta(max_length=4096)] | None = None
    crc32c: Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)] = 0
    verified: bool = False


def checkpoint_name(folder: str, file: HubFile) -> str:
    """Return the name of a file's checkpoint object: the same for the same path and digest."""
    key = hashlib.sha256(f"{file.path}\n{file.digest.value}".encode()).hexdigest()[:24]
    return f"{folder}/files/{key}.json"


def handover_name(name: str, parts: int) -> str:
    """Return the name of the object in which a task hands the digest of so many parts over."""
    return f"{name.removesuffix('.json')}/{parts:06d}.json"


def latest_handovers(names: Iterable[str]) -> dict[str, str]:
    """Find, among all names of an import's checkpoints, the latest handover of each file.

    Returns
    -------
    dict
        By :func:`checkpoint_name`.
    """
    found: dict[str, str] = {}
    for name in sorted(names):
        folder, _, last = name.rpartition("/")
        if last.removesuffix(".json").isdigit() and last.endswith(".json"):
            found[f"{folder}.json"] = name
    return found


class CheckpointObject:
    """A file's checkpoint in the bucket, written by one worker process at a time.

    Parameters
    ----------
    name
        See :func:`checkpoint_name`.
    """

    def __init__(self, objects: SmallObjects, name: str) -> None:
        self._objects = objects
        self._name = name
        self._generation = NEW

    @property
    def objects(self) -> SmallObjects:
        """The small objects of the bucket that holds it."""
        return self._objects

    @property
    def folder(self) -> str:
        """Folder of the leases and handovers of the tasks that share the file."""
        return self._name.removesuffix(".json")

    def load(self, latest: str = "") -> Checkpoint | None:
        """Read it and become its owner; return ``None`` when there is nothing to resume.

        Parameters
        ----------
        latest
            Name of the file's latest handover, or empty; see :func:`latest_handovers`.
        """
        found = self._objects.read(self._name)
        if not found:
            self._generation = NEW
            return None
        content, self._generation = found
        saved = Checkpoint.from_json(content)
        handover = self._objects.read(latest) if saved and latest else None
        later = Checkpoint.from_json(handover[0]) if handover else None
        if saved and later and later.upload_id == saved.upload_id and later.parts > saved.parts:
            return later
        return saved

    def save(self, checkpoint: Checkpoint) -> None:
        """Write it.

        Raises
        ------
        TakenOverError
            Another worker process has taken the import over.
        """
        text = checkpoint.to_json()
        try:
            self._generation = self._objects.write(self._name, text, generation=self._generation)
        except ConflictError as error:
            found = self._objects.read(self._name)
            if found and found[0] == text.encode():  # our own write, of which no answer came
                self._generation = found[1]
                return
            raise TakenOverError(
                "Another worker has taken this import over.",
                cause=error.cause,
                fix=Fix(text="Nothing is lost: the import continues there."),
            ) from error

    def acquire(self, checkpoint: Checkpoint) -> None:
        """Write it as the new owner of the file, whoever owned it before.

        Raises
        ------
        TakenOverError
            Others do the same all the time.
        """
        for _ in range(_TRIES):
            try:
                self.save(checkpoint)
            except TakenOverError:  # the owner before has written once more; now it notices
                found = self._objects.read(self._name)
                self._generation = found[1] if found else NEW
            else:
                return
        self.save(checkpoint)

    def load_handover(self, parts: int) -> Checkpoint | None:
        """Read the handover after so many parts; return ``None`` before a task has written it."""
        found = self._objects.read(handover_name(self._name, parts))
        return Checkpoint.from_json(found[0]) if found else None

    def save_handover(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint for the task that continues from there."""
        self._objects.write(handover_name(self._name, checkpoint.parts), checkpoint.to_json())

    def delete(self) -> None:
        """Delete it, with the leases and handovers of tasks."""
        self._objects.delete_all(f"{self.folder}/")
        self._objects.delete(self._name)
        self._generation = NEW
