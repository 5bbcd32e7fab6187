"""Publishes verified files: makes the objects of a model, checks them, writes its manifest."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llm_widgets.documents import manifests
from llm_widgets.domain.manifest import ManifestFile, ModelManifest, manifest_name
from llm_widgets.domain.models import ModelStatus
from llm_widgets.errors import ConflictError, DocumentError, Fix, TransferError
from llm_widgets.gcp.storage.objects import NEW
from llm_widgets.transfer import crc
from llm_widgets.transfer.connections import Connections
from llm_widgets.transfer.hashing import hex_digest
from llm_widgets.transfer.multipart import MultipartUpload
from llm_widgets.transfer.retry import Stopped
from llm_widgets.transfer.xml_api import UploadGoneError

if TYPE_CHECKING:
    from llm_widgets.domain.imports import HubFile, ImportPlan
    from llm_widgets.gcp.storage.objects import SmallObjects, Stored
    from llm_widgets.transfer.checkpoint import Checkpoint
    from llm_widgets.transfer.multipart import Part
    from llm_widgets.transfer.options import Options
    from llm_widgets.transfer.xml_api import Bucket

_AT_ONCE = 8
_PUBLISH_TIMEOUT = 600.0
"""Seconds for one response: Cloud Storage may take minutes to put an object together."""


_LOOK = 1.0
"""Seconds between two looks whether an object is put together."""


class MissingPartsError(Exception):
    """A verified file is neither an unfinished upload nor an object any more."""

    def __init__(self, file: HubFile) -> None:
        super().__init__(file.path)
        self.file = file


class Publisher:
    """Publishes the files of one import. Every step may be repeated, also by two at once."""

    def __init__(
        self, plan: ImportPlan, objects: SmallObjects, bucket: Bucket, options: Options
    ) -> None:
        self._plan = plan
        self._objects = objects
        self._bucket = bucket
        self._options = replace(options, stall_timeout=_PUBLISH_TIMEOUT)

    def published(self) -> ModelManifest | None:
        """Return the manifest when the import is published already, complete and unchanged."""
        found = self._objects.read(manifest_name(self._plan.id))
        if not found:
            return None
        try:
            manifest = manifests.read(found[0], import_id=self._plan.id)
        except DocumentError:
            return None
        wanted = {(file.path, file.size, file.digest) for file in self._plan.files}
        told = {(file.path, file.size, file.digest) for file in manifest.files}
        if told != wanted or manifest.record().key != self._plan.record(ModelStatus.READY).key:
            return None
        manifest = replace(manifest, prefix=self._plan.prefix)
        there = self._stored(manifest.prefix)
        whole = all(
            _is(there.get(f"{manifest.prefix}/{file.path}"), file.size, file.crc32c)
            for file in manifest.files
        )
        return manifest if whole else None

    def publish(self, checkpoints: dict[str, Checkpoint]) -> ModelManifest:
        """Make all files visible, then the manifest.

        Files whose content is in the plan come last, in its order.

        Parameters
        ----------
        checkpoints
            Of the files with a URL, by path; all verified.

        Raises
        ------
        TransferError
            What Cloud Storage put together is not what was sent.
        MissingPartsError
            A file has to be moved again.
        """
        moved = [file for file in self._plan.files if file.path in checkpoints]
        held = [file for file in self._plan.files if file.path not in checkpoints]
        contents = {file.path: _content(file) for file in held}

        def complete(file: HubFile) -> bool:
            return self._complete(file, checkpoints[file.path])

        with ThreadPoolExecutor(_AT_ONCE, "publish") as pool:
            were_open = list(pool.map(complete, moved))
        there = self._stored(self._plan.prefix) if moved else {}
        done = [_published(file, crc.text(checkpoints[file.path].crc32c)) for file in moved]
        self._refuse_wrong(moved, were_open, done, there)
        done += [self._put(file, contents[file.path]) for file in held]
        manifest = self._manifest(done)
        self._objects.write(manifest_name(self._plan.id), manifest.to_json())
        return manifest

    def _stored(self, prefix: str) -> dict[str, Stored]:
        return {stored.name: stored for stored in self._objects.list(f"{prefix}/")}

    def _complete(self, file: HubFile, checkpoint: Checkpoint) -> bool:
        """Complete a file's upload; return whether it was still open."""
        name = self._plan.object_name(file)
        upload = MultipartUpload(self._bucket, name, checkpoint.upload_id)
        connections = Connections(self._options)
        try:
            parts = upload.parts(connections)
            if sum(part.size for part in parts) != file.size:
                raise MissingPartsError(file)
            is_ours = self._put_together(upload, connections, parts)
        except UploadGoneError:
            return False  # completed before a crash
        finally:
            connections.close()
        if not is_ours:
            self._wait_for(name, file.size, crc.text(checkpoint.crc32c))
        return is_ours

    @staticmethod
    def _put_together(upload: MultipartUpload, connections: Connections, parts: list[Part]) -> bool:
        """Return whether it was this request that put the parts together."""
        try:
            upload.complete(connections, parts)
        except UploadGoneError:
            return False  # an earlier one did, whose response was lost, or that is still at work
        return True

    def _wait_for(self, name: str, size: int, crc32c: str) -> None:
        """Wait until an object is there that Cloud Storage may still be putting together."""
        until = time.monotonic() + self._options.give_up_after
        while not _is(self._objects.find(name), size, crc32c) and time.monotonic() < until:
            if self._bucket.stop.wait(_LOOK):
                raise Stopped

    def _refuse_wrong(
        self,
        moved: list[HubFile],
        were_open: list[bool],
        done: list[ManifestFile],
        there: dict[str, Stored],
    ) -> None:
        """Check that all objects are what was sent; delete those that are not."""
        stored = [there.get(self._plan.object_name(file)) for file in moved]
        wrong = [
            (file, found, was_open)
            for file, found, was_open, sent in zip(moved, stored, were_open, done, strict=True)
            if not _is(found, sent.size, sent.crc32c)
        ]
        for _, found, was_open in wrong:
            if was_open and found:
                self._objects.delete(found.name, generation=found.generation)
        for file, _, was_open in wrong:
            if not was_open:
                raise MissingPartsError(file)
        if wrong:
            raise TransferError(
                f"Cloud Storage put {wrong[0][0].path} together wrongly; it was removed.",
                cause="Its size or CRC-32C is not that of the bytes that were sent.",
                fix=Fix(text="Start the import again."),
            )

    def _put(self, file: HubFile, content: bytes) -> ManifestFile:
        checksum = crc.text(crc.extend(0, content))
        name = self._plan.object_name(file)
        stored = self._objects.find(name)
        if not _is(stored, file.size, checksum):
            generation = stored.generation if stored else NEW
            try:
                self._objects.write(
                    name, content, generation=generation, content_type="application/octet-stream"
                )
            except ConflictError:  # another task publishes the same
                if not _is(self._objects.find(name), file.size, checksum):
                    raise
        return _published(file, checksum)

    def _manifest(self, files: list[ManifestFile]) -> ModelManifest:
        plan = self._plan
        return ModelManifest(
            import_id=plan.id,
            source=plan.source,
            model_id=plan.model_id,
            revision=plan.revision,
            prefix=plan.prefix,
            files=tuple(sorted(files, key=lambda file: file.path)),
            submitted_at=plan.created_at,
            finished_at=datetime.now(UTC),
            imported_by=plan.created_by,
            license=plan.license,
            facts=dict(plan.facts),
        )


def is_held(file: HubFile) -> bool:
    """Return whether a file's bytes are known without the hub: in the plan, or none."""
    return file.content is not None or not file.size


def _published(file: HubFile, checksum: str) -> ManifestFile:
    return ManifestFile(file.path, file.size, file.digest, checksum, file.part)


def _content(file: HubFile) -> bytes:
    content = file.content or b""
    if len(content) != file.size or hex_digest(file.digest.kind, content) != file.digest.value:
        raise TransferError(
            f"{file.path} is not what the hub promised; nothing was published.",
            cause=f"Its {file.digest.kind} is another one.",
        )
    return content


def _is(stored: Stored | None, size: int, crc32c: str) -> bool:
    return stored is not None and (stored.size, stored.crc32c) == (size, crc32c)
