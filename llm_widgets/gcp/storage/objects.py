"""Small objects of a bucket, read and written whole, with preconditions."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from llm_widgets.documents.reading import LARGEST
from llm_widgets.errors import Fix, NotFoundError
from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.client.failures import explained

_AT_ONCE = 16

NEW = 0
"""The generation of an object that must not exist yet."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What Cloud Storage knows of an object: bytes, CRC-32C in base64, generation."""

    name: str
    size: int
    crc32c: str
    generation: int


class SmallObjects:
    """The small objects of a bucket. Safe to use from threads.

    All methods raise :class:`llm_widgets.errors.ManagerError` where Cloud Storage refuses.
    """

    def __init__(self, client: lazy.storage.Client, bucket: str) -> None:
        self.bucket = bucket
        self._bucket = client.bucket(bucket)

    def read(self, name: str) -> tuple[bytes, int] | None:
        """Return an object's bytes and its generation; ``None`` when it does not exist."""
        blob = self._bucket.blob(name)
        with explained(f"read gs://{self.bucket}/{name}", bucket=self.bucket):
            try:
                content = content_of(blob)
            except lazy.api_exceptions.NotFound:
                return None
        return content, int(blob.generation)

    def write(
        self,
        name: str,
        content: bytes | str,
        *,
        generation: int | None = None,
        content_type: str = "application/json",
    ) -> int:
        """Write an object and give its generation.

        Parameters
        ----------
        generation
            The generation that is replaced, or :data:`NEW`; any when left out.

        Raises
        ------
        ConflictError
            The object has another generation.
        """
        blob = self._bucket.blob(name)
        with explained(f"write gs://{self.bucket}/{name}", bucket=self.bucket):
            try:
                blob.upload_from_string(
                    content,
                    content_type=content_type,
                    if_generation_match=generation,
                    checksum="crc32c",
                    retry=_retry(),
                )
            except lazy.api_exceptions.NotFound as error:
                raise bucket_gone(self.bucket, error.message) from error
        return int(blob.generation)

    def delete(self, name: str, *, generation: int | None = None) -> None:
        """Delete an object; it is no failure when it does not exist."""
        blob = self._bucket.blob(name)
        with explained(f"delete gs://{self.bucket}/{name}", bucket=self.bucket):
            try:
                blob.delete(if_generation_match=generation, retry=_retry())
            except lazy.api_exceptions.NotFound:
                return

    def delete_all(self, prefix: str) -> None:
        """Delete the objects whose names start with a prefix."""
        with ThreadPoolExecutor(_AT_ONCE, "delete") as pool:
            list(pool.map(lambda stored: self.delete(stored.name), self.list(prefix)))

    def find(self, name: str) -> Stored | None:
        """Return what is known of an object; ``None`` when it does not exist."""
        with explained(f"look at gs://{self.bucket}/{name}", bucket=self.bucket):
            blob = self._bucket.get_blob(name, retry=_retry())
        return _stored(blob) if blob else None

    def list(self, prefix: str) -> list[Stored]:
        """List the objects whose names start with a prefix."""
        with explained(f"list gs://{self.bucket}/{prefix}", bucket=self.bucket):
            return [
                _stored(blob)
                for blob in self._bucket.list_blobs(
                    prefix=prefix,
                    fields="items(name,size,crc32c,generation),nextPageToken",
                    retry=_retry(),
                )
            ]


def content_of(blob: lazy.storage.Blob) -> bytes:
    """Read an object's bytes, unpacked where it was packed.

    Of one that is larger than any document, so many are read that whoever reads the document
    refuses it, and no more.

    Raises
    ------
    NotFound
        It does not exist: the client's own exception.
    """
    content = _Limited()
    try:
        blob.download_to_file(content, retry=_retry())
    except _TooLargeError:
        blob.reload(retry=_retry())  # for the generation, which a whole answer tells
    return content.getvalue()


class _TooLargeError(Exception):
    """More bytes arrive than a document has."""


class _Limited(io.BytesIO):
    """Takes one byte more than a document may have."""

    def write(self, block: Any) -> int:
        """Keep more bytes, as far as there is room."""
        room = LARGEST + 1 - self.tell()
        super().write(block[:room])
        if len(block) > room:
            raise _TooLargeError
        return len(block)


def bucket_gone(bucket: str, cause: str) -> NotFoundError:
    """Explain that there is no such bucket any more."""
    return NotFoundError(
        f"The bucket gs://{bucket} is gone.",
        cause=cause,
        fix=Fix(text="Choose another bucket, or create it and import again."),
    )


def _stored(blob: Any) -> Stored:
    return Stored(blob.name, int(blob.size), blob.crc32c, int(blob.generation))


def _retry() -> Any:
    """Try again also where the client would not: all these calls can be repeated."""
    return lazy.storage.retry.DEFAULT_RETRY
