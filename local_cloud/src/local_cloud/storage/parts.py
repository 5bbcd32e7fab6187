"""The parts of an XML multipart upload on the disk.

Parts of one size, which is what uploaders send, are written side by side into one file, each
to its own place: completing the upload is then a rename, however large the object is. A part
that does not fit there, or that is sent again, gets a file of its own.
"""

from __future__ import annotations

import secrets
import shutil
import threading
from typing import TYPE_CHECKING, Any

from local_cloud.storage.backend import now
from local_cloud.storage.content import append
from local_cloud.storage.digests import Digest
from local_cloud.storage.receiving import write

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local_cloud.storage.backend import Backend

_KIND = "part"
_STRIDE = "part-size"


class Parts:
    """The parts that have come in, their files and their records.

    A part's record holds ``size`` and ``offset`` (bytes; no offset in a file of its own),
    ``file``, ``crc32c``, ``etag`` and ``updated``. It is written after the bytes, so that a
    crash leaves either a whole part or none.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._lock = threading.Lock()
        self._busy: set[tuple[str, int, int | None]] = set()
        self._joining: set[str] = set()

    def receive(
        self,
        upload_id: str,
        number: int,
        blocks: Iterable[bytes],
        *,
        length: int | None,
        declared: Mapping[str, str],
    ) -> tuple[dict[str, Any], Digest]:
        """Write a part, and keep it if it is what the client meant.

        Parameters
        ----------
        upload_id, number
            The part.
        blocks
            Its bytes.
        length
            How many they are, if the client says it before.
        declared
            Checksums, as from `declared_in_headers`.

        Returns
        -------
        tuple
            The part's record and its checksums.

        Raises
        ------
        StorageError
            400: the bytes are not those that were declared.
        """
        offset = self._reserve(upload_id, number, length)
        file = _common_file(upload_id) if offset is not None else self._own_file(upload_id)
        path = self._backend.content.path(file)
        try:
            # A client that declares a CRC has no use for the MD5, which costs more than all else.
            digest = Digest(with_md5="crc32c" not in declared)
            path.touch()
            with path.open("r+b", buffering=0) as out:
                out.seek(offset or 0)
                write(blocks, out, digest)
            digest.check(declared)
            part = {
                "size": digest.size,
                "offset": offset,
                "file": file,
                "crc32c": digest.crc32c,
                "etag": f'"{digest.md5_hex or secrets.token_hex(16)}"',
                "updated": now(),
            }
            self._backend.store.put(_KIND, _name(upload_id, number), part)
        except BaseException:
            if offset is None:
                path.unlink(missing_ok=True)
            raise
        finally:
            with self._lock:
                self._busy.discard((upload_id, number, offset))
        return part, digest

    def received(
        self, upload_id: str, after: int = 0, limit: int | None = None
    ) -> list[tuple[int, dict[str, Any]]]:
        """Return parts by number, from the one after `after` on."""
        start = _name(upload_id, after + 1)
        found = self._backend.store.list(_KIND, f"{upload_id}/", start, limit)
        return [(int(name.rpartition("/")[2]), part) for name, part in found]

    def join(self, upload_id: str, numbers: list[int]) -> str:
        """Join parts in the order given; may be repeated after a crash.

        The parts that are not named are given up.

        Returns
        -------
        str
            The file of the object, relative to the data folder.
        """
        content, store = self._backend.content, self._backend.store
        named, end = set(numbers), 0
        parts: list[dict[str, Any]] = []
        offsets: list[int] = []
        for number, part in self.received(upload_id):
            if number in named:
                parts.append(part)
                offsets.append(end)
                end += part["size"]
            else:
                store.delete(_KIND, _name(upload_id, number))
        with self._lock:  # from now on, no late part is written to the common file
            self._joining.add(upload_id)
            in_use = any(upload == upload_id for upload, _, _ in self._busy)
        in_place = not in_use and all(
            part["offset"] in {None, offset} for part, offset in zip(parts, offsets, strict=True)
        )
        target = _common_file(upload_id) if in_place else self._own_file(upload_id)
        content.path(target).touch()
        with content.path(target).open("r+b", buffering=0) as out:
            for part, offset in zip(parts, offsets, strict=True):
                if in_place and part["offset"] is not None:
                    continue
                with content.open(part["file"]) as source:
                    append(source, out, part["size"], start=part["offset"] or 0, at=offset)
            out.truncate(end)
        return target

    def make_folder(self, upload_id: str) -> None:
        """Make the folder of a new upload."""
        self._backend.content.path(_folder(upload_id)).mkdir()

    def forget(self, upload_id: str) -> None:
        """Remove what is left of an upload that has ended."""
        with self._backend.store.transaction():
            for number, _ in self.received(upload_id):
                self._backend.store.delete(_KIND, _name(upload_id, number))
            self._backend.store.delete(_STRIDE, upload_id)
        shutil.rmtree(self._backend.content.path(_folder(upload_id)), ignore_errors=True)
        with self._lock:
            self._joining.discard(upload_id)

    def forget_all_but(self, open_uploads: set[str]) -> None:
        """Remove what a crash has left of uploads that had ended."""
        known = {name.partition("/")[0] for name, _ in self._backend.store.list(_KIND)}
        for upload_id in known - open_uploads:
            self.forget(upload_id)

    def _reserve(self, upload_id: str, number: int, length: int | None) -> int | None:
        """Return a part's offset in the common file, or None if it cannot be there."""
        if not length:
            return None
        store = self._backend.store
        with self._lock:
            stride = (store.get(_STRIDE, upload_id) or {}).get("bytes")
            if stride is None:  # the part that comes first sets the distance
                stride = length
                store.put(_STRIDE, upload_id, {"bytes": stride})
            offset = (number - 1) * stride
            taken = store.get(_KIND, _name(upload_id, number)) is not None
            entry = (upload_id, number, offset)
            if length > stride or taken or entry in self._busy or upload_id in self._joining:
                return None
            self._busy.add(entry)
        return offset

    def _own_file(self, upload_id: str) -> str:
        return f"{_folder(upload_id)}/{secrets.token_hex(8)}"


def _folder(upload_id: str) -> str:
    return f"uploads/{upload_id}"


def _common_file(upload_id: str) -> str:
    return f"{_folder(upload_id)}/object"


def _name(upload_id: str, number: int) -> str:
    return f"{upload_id}/{number:05d}"
