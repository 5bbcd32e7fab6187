"""Bytes that come in: written block by block to a file, and summed up on the way."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from local_cloud.web import body_blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from local_cloud.storage.backend import Backend, Call
    from local_cloud.storage.digests import Digest


def incoming(backend: Backend, call: Call) -> Iterable[bytes]:
    """Return the body of a request as it comes in, at the bandwidth that is set."""
    return backend.faults.throttle(body_blocks(call.request))


def write(blocks: Iterable[bytes], file: BinaryIO, digest: Digest) -> None:
    """Write blocks to a file without a buffer, and take them into the digest."""
    for block in blocks:
        view = memoryview(block)
        while view:
            view = view[file.write(view) :]
        digest.update(block)


def save(backend: Backend, blocks: Iterable[bytes], digest: Digest) -> str:
    """Write blocks to a new file; it is removed if they break off.

    Returns
    -------
    str
        Its path relative to the data folder.
    """
    upload = backend.content.new_upload()
    with (
        discarded_on_failure(backend, upload),
        backend.content.path(upload).open("xb", buffering=0) as file,
    ):
        write(blocks, file, digest)
    return upload


@contextmanager
def discarded_on_failure(backend: Backend, upload: str) -> Iterator[None]:
    """Remove a file that has come in if what is done with it fails."""
    try:
        yield
    except BaseException:
        backend.content.path(upload).unlink(missing_ok=True)
        raise


def skip(blocks: Iterable[bytes], count: int) -> Iterator[bytes]:
    """Yield blocks without their first `count` bytes."""
    for block in blocks:
        if count >= len(block):
            count -= len(block)
        elif count:
            yield block[count:]
            count = 0
        else:
            yield block
