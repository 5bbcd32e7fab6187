"""Compares a model in its bucket with the manifest that was written when it was imported."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from llm_widgets.documents import manifests
from llm_widgets.domain.manifest import manifest_name
from llm_widgets.errors import DocumentError, Fix, NotFoundError, TransferError
from llm_widgets.gcp.storage.objects import SmallObjects

if TYPE_CHECKING:
    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.gcp.client.clients import Clients


class FileCheck(StrEnum):
    """How a file in the bucket compares with the manifest; the values are shown."""

    SAME = "As imported"
    MISSING = "Missing"
    CHANGED = "Changed"
    ADDED = "Not part of the import"


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of :func:`verify_model`: the check of every file by its path."""

    files: dict[str, FileCheck]

    @property
    def is_whole(self) -> bool:
        """Whether every imported file is there, unchanged."""
        return not set(self.files.values()) & {FileCheck.MISSING, FileCheck.CHANGED}

    def count(self, check: FileCheck) -> int:
        """Return the number of files with a result."""
        return sum(each is check for each in self.files.values())

    @property
    def sentence(self) -> str:
        """The result in a sentence."""
        same = self.count(FileCheck.SAME)
        if self.is_whole:
            return (
                f"All {same} files are as imported: Cloud Storage reports the same size and "
                "CRC-32C for each."
            )
        missing, changed = self.count(FileCheck.MISSING), self.count(FileCheck.CHANGED)
        return f"{missing} of {len(self.files)} files are missing, {changed} have changed."


def read_manifest(clients: Clients, bucket: str, record: ModelRecord) -> ModelManifest:
    """Return the manifest of a model.

    Raises
    ------
    NotFoundError
        There is none: another application imported the model, or it is not imported yet.
    TransferError
        It can't be read.
    """
    objects = SmallObjects(clients.storage(), bucket)
    found = objects.read(manifest_name(record.import_id)) if record.import_id else None
    if not found:
        raise NotFoundError(
            f"No manifest of {record.id} is in the bucket.",
            cause="Another application imported the model, or the import has not finished.",
            fix=Fix(text="Import the model again to record the checksums."),
        )
    try:
        manifest = manifests.read(found[0], import_id=record.import_id)
    except DocumentError as error:
        raise TransferError(
            f"The manifest of {record.id} can't be read.",
            cause=error.cause,
            fix=Fix(text="Import the model again."),
        ) from error
    if (manifest.record().key, manifest.prefix) != (record.key, record.prefix):
        raise TransferError(
            f"The manifest of {record.id} is that of another model.",
            cause=f"It names {manifest.model_id}, in the folder {manifest.prefix}.",
            fix=Fix(text="Import the model again."),
        )
    return manifest


def verify_model(clients: Clients, bucket: str, record: ModelRecord) -> Verification:
    """Compare the sizes and CRC-32C that Cloud Storage reports with those of the manifest.

    Cheap: only metadata is read. Cloud Storage computed the checksums over the stored bytes, and
    the import proved that they belong to the bytes with the hub's digests.

    Raises
    ------
    ManagerError
        As :func:`read_manifest`, or the bucket can't be listed.
    """
    manifest = read_manifest(clients, bucket, record)
    objects = SmallObjects(clients.storage(), bucket)
    start = len(manifest.prefix) + 1
    there = {stored.name[start:]: stored for stored in objects.list(f"{manifest.prefix}/")}
    files: dict[str, FileCheck] = {}
    for file in manifest.files:
        stored = there.pop(file.path, None)
        if stored is None:
            files[file.path] = FileCheck.MISSING
        elif (stored.size, stored.crc32c) == (file.size, file.crc32c):
            files[file.path] = FileCheck.SAME
        else:
            files[file.path] = FileCheck.CHANGED
    return Verification({**files, **dict.fromkeys(there, FileCheck.ADDED)})
