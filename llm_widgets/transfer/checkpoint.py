"""How far one file is, as a small object in the bucket: whoever comes later goes on from there."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from llm_widgets.errors import ConflictError, Fix
from llm_widgets.transfer.objects import NEW

if TYPE_CHECKING:
    from llm_widgets.domain.imports import HubFile
    from llm_widgets.transfer.objects import SmallObjects

_VERSION = 1


class TakenOverError(ConflictError):
    """Another worker carries the import out now."""


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

    def to_json(self) -> str:
        """Write it as JSON text."""
        return json.dumps({"version": _VERSION, **asdict(self)})

    @classmethod
    def from_json(cls, text: bytes) -> Checkpoint | None:
        """Read it; ``None`` for what another version of the product wrote."""
        try:
            data = json.loads(text)
            return cls(**data) if data.pop("version") == _VERSION else None
        except (ValueError, TypeError, KeyError, AttributeError):
            return None


def checkpoint_name(folder: str, file: HubFile) -> str:
    """Name the object of a file's checkpoint: the same for the same path and digest."""
    key = hashlib.sha256(f"{file.path}\n{file.digest.value}".encode()).hexdigest()[:24]
    return f"{folder}/files/{key}.json"


class CheckpointObject:
    """A file's checkpoint in the bucket, written by one worker at a time.

    Parameters
    ----------
    name
        See :func:`checkpoint_name`.
    """

    def __init__(self, objects: SmallObjects, name: str) -> None:
        self._objects = objects
        self._name = name
        self._generation = NEW

    def load(self) -> Checkpoint | None:
        """Read it and become its owner; ``None`` when there is nothing to go on from."""
        found = self._objects.read(self._name)
        if not found:
            self._generation = NEW
            return None
        content, self._generation = found
        return Checkpoint.from_json(content)

    def save(self, checkpoint: Checkpoint) -> None:
        """Write it.

        Raises
        ------
        TakenOverError
            Another worker has taken the import over.
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
                fix=Fix(text="Nothing is lost: it goes on there."),
            ) from error

    def delete(self) -> None:
        """Remove it."""
        self._objects.delete(self._name)
        self._generation = NEW
