"""Uploads in one request: the bytes alone, or the bytes after their metadata."""

from __future__ import annotations

import re
from email.parser import BytesHeaderParser
from typing import TYPE_CHECKING, Any

from local_cloud.storage import bodies
from local_cloud.storage.digests import Digest, declared_in_headers, declared_in_metadata
from local_cloud.storage.failures import StorageError, invalid
from local_cloud.storage.names import check_object
from local_cloud.storage.objects import create, render
from local_cloud.storage.receiving import discarded_on_failure, incoming, save

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from local_cloud.storage.backend import Backend, Call

#: The most that the metadata of a multipart upload may take, in bytes.
_MAX_METADATA = 1 << 20

#: A blank line: the client libraries end lines with CRLF, gcloud with LF.
_BLANK = re.compile(rb"\r?\n\r?\n")


def upload(backend: Backend, call: Call, bucket: str) -> dict[str, Any]:
    """Make an object from the body of a ``media`` or ``multipart`` upload."""
    backend.require(call, "storage.objects.create", bucket)
    blocks: Iterable[bytes] = incoming(backend, call)
    content_type = call.request.headers.get("Content-Type", "")
    metadata: dict[str, Any] = {}
    if call.args.get("uploadType") == "multipart":
        metadata, content_type, blocks = split_related(content_type, iter(blocks))
    name = str(call.args.get("name") or metadata.get("name") or "")
    if content_type:
        metadata.setdefault("contentType", content_type)
    return store(backend, call, bucket, name, blocks=blocks, metadata=metadata)


def store(
    backend: Backend,
    call: Call,
    bucket: str,
    name: str,
    *,
    blocks: Iterable[bytes],
    metadata: Mapping[str, Any],
) -> dict[str, Any]:
    """Write blocks to an object, and check the checksums that the client declared."""
    check_object(name)
    backend.require_to_write(call, bucket, name)
    digest = Digest()
    file = save(backend, blocks, digest)
    with discarded_on_failure(backend, file):
        digest.check(declared_in_metadata(metadata))
        digest.check(declared_in_headers(call.request.headers))
        made = create(
            backend,
            bucket,
            name,
            upload=file,
            facts=facts_of(digest),
            metadata=metadata,
            conditions=call.args,
        )
    return render(made, call.base)


def facts_of(digest: Digest) -> dict[str, Any]:
    """Return the fields of an object resource that follow from its bytes."""
    facts: dict[str, Any] = {"size": str(digest.size), "crc32c": digest.crc32c}
    if digest.md5:
        facts["md5Hash"] = digest.md5
    return facts


def split_related(
    content_type: str, blocks: Iterator[bytes]
) -> tuple[dict[str, Any], str, Iterator[bytes]]:
    """Split a ``multipart/related`` body without holding its second part.

    Returns
    -------
    tuple
        The JSON of the first part, the content type of the second one, and its bytes.

    Raises
    ------
    StorageError
        400: the body is not made of two such parts.
    """
    found = re.search(r"boundary=(?:\"([^\"]+)\"|'([^']+)'|([^;\s]+))", content_type)
    if not found:
        raise invalid("Missing multipart boundary in the Content-Type.")
    delimiter = b"--" + next(group for group in found.groups() if group).encode()
    head = b""
    while not (parts := _head(head, delimiter)):
        block = next(blocks, b"")
        if not block or len(head) > _MAX_METADATA:
            raise StorageError(400, "badContent", "Malformed multipart body.")
        head += block
    text, headers, rest = parts
    line_end = b"\r\n" if delimiter + b"\r\n" in head else b"\n"
    metadata = bodies.read(text)
    part_type = BytesHeaderParser().parsebytes(headers.strip() + b"\n\n").get("Content-Type", "")
    return metadata, part_type, _until(line_end + delimiter + b"--", rest, blocks)


def _head(data: bytes, delimiter: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Cut the start of a body: metadata, headers of the second part, start of its bytes."""
    pieces = data.split(delimiter, 2)
    if len(pieces) < 3:  # noqa: PLR2004 -- preamble, metadata, content
        return None
    metadata = _BLANK.split(pieces[1], maxsplit=1)
    content = _BLANK.split(pieces[2], maxsplit=1)
    if len(metadata) < 2 or len(content) < 2:  # noqa: PLR2004 -- headers and body
        return None
    return metadata[1].strip(), content[0], content[1]


def _until(closing: bytes, first: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield bytes up to the closing delimiter, which stands at the end on a line of its own."""
    keep = len(closing) + 4  # and the end of its line
    held = first
    for block in blocks:
        if len(block) >= keep:
            yield held
            held = block
        else:
            held += block
    end = held.rfind(closing)
    if end < 0:
        raise StorageError(400, "badContent", "Malformed multipart body.")
    yield held[:end]
