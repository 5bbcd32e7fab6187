"""What a bucket stores: live objects, noncurrent versions, soft-deleted objects, open uploads."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode
from xml.etree import ElementTree as ET

from llm_widgets.domain.storage_use import StoredObject
from llm_widgets.errors import ManagerError
from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.client.failures import explained

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.gcp.client.clients import Clients

_HOST = "storage.googleapis.com"
_TIMEOUT = 30  # seconds for one answer
_MOST_UPLOADS = 500  # each is asked for its parts; an import has one for each of its files
_UPLOADS_SECONDS = 20.0  # for all uploads of a bucket
_FIELDS = (
    "items(name,size,crc32c,generation,timeCreated,timeDeleted,softDeleteTime,hardDeleteTime),"
    "nextPageToken"
)


class Unfinished(NamedTuple):
    """What the unfinished uploads of a bucket take.

    Attributes
    ----------
    size
        Bytes of their parts; ``None`` where no part was looked at, and there may be some.
    is_all
        Whether all were looked at; if not, they take at least that much.
    """

    size: int | None
    is_all: bool


def versions(clients: Clients, bucket: str) -> list[StoredObject]:
    """List the live objects of a bucket and its noncurrent versions.

    Raises
    ------
    ManagerError
        Its objects can't be listed.
    """
    return _listed(clients, bucket, versions=True)


def soft_deleted(clients: Clients, bucket: str) -> list[StoredObject]:
    """List the soft-deleted objects of a bucket.

    Raises
    ------
    ManagerError
        They can't be listed.
    """
    return _listed(clients, bucket, soft_deleted=True)


def unfinished(
    clients: Clients,
    bucket: str,
    *,
    most: int = _MOST_UPLOADS,
    seconds: float = _UPLOADS_SECONDS,
) -> Unfinished:
    """Measure the parts of the unfinished multipart uploads of a bucket.

    Whoever may write into a bucket may begin any number of them.

    Parameters
    ----------
    most
        Uploads that are measured at most.
    seconds
        How long this may take; the answer that is awaited then is still counted.

    Raises
    ------
    ManagerError
        They can't be listed.
    """
    until = time.monotonic() + seconds

    def is_late() -> bool:
        return time.monotonic() > until

    with explained(
        f"list the unfinished uploads of {bucket}",
        clients=clients,
        bucket=bucket,
        permission="storage.multipartUploads.list",
    ):
        size = 0
        uploads = _elements(clients, bucket, "", {"uploads": ""}, "Upload")
        for number, upload in enumerate(uploads):
            if number == most or is_late():
                return Unfinished(size or None, is_all=False)
            query = {"uploadId": _text(upload, "UploadId")}
            for part in _elements(clients, bucket, _text(upload, "Key"), query, "Part"):
                size += int(_text(part, "Size"))
                if is_late():
                    return Unfinished(size or None, is_all=False)
        return Unfinished(size, is_all=True)


def _listed(clients: Clients, bucket: str, **options: Any) -> list[StoredObject]:
    with explained(
        f"list the objects of {bucket}",
        clients=clients,
        bucket=bucket,
        permission="storage.objects.list",
    ):
        found = (
            clients.storage()
            .bucket(bucket)
            .list_blobs(fields=_FIELDS, timeout=_TIMEOUT, retry=_retry(), **options)
        )
        return [
            StoredObject(
                blob.name,
                int(blob.size or 0),
                blob.crc32c or "",
                int(blob.generation),
                blob.time_created,
                is_live=not (blob.time_deleted or blob.soft_delete_time),
                kept_until=blob.hard_delete_time,
            )
            for blob in found
        ]


def _elements(
    clients: Clients, bucket: str, name: str, query: dict[str, str], tag: str
) -> Iterator[ET.Element]:
    """Yield the elements of a list of the XML API, page by page."""
    session: Any = clients.session
    url = f"{clients.url(_HOST)}/{bucket}" + (
        # Slashes too: ".." between them would lead to another bucket.
        f"/{quote(name, safe='')}" if name else ""
    )
    markers: dict[str, str] = {}
    while True:
        response = session.get(f"{url}?{urlencode({**query, **markers})}", timeout=_TIMEOUT)
        if not response.ok:
            raise lazy.api_exceptions.from_http_response(response)
        root = _parsed(response.content, bucket)
        yield from root.iterfind(f"{{*}}{tag}")
        if _text(root, "IsTruncated") != "true":
            return
        before, markers = markers, _markers(root)
        if not markers or markers == before:
            raise ManagerError(f"The list of unfinished uploads of {bucket} has no end.")


def _parsed(content: bytes, bucket: str) -> ET.Element:
    """Return the root of an answer.

    Raises
    ------
    ManagerError
        It is no XML: anybody who writes into the bucket names an upload with controls, which XML
        can't hold.
    """
    try:
        return ET.fromstring(content)  # noqa: S314 - Google's answer
    except ET.ParseError as error:
        raise ManagerError(
            f"The list of unfinished uploads of {bucket} can't be read.",
            cause=f"It is not XML: {error}. Names with control characters make it so.",
        ) from error


def _markers(root: ET.Element) -> dict[str, str]:
    """Return where the next page begins."""
    named = {
        "key-marker": _text(root, "NextKeyMarker"),
        "upload-id-marker": _text(root, "NextUploadIdMarker"),
        "part-number-marker": _text(root, "NextPartNumberMarker"),
    }
    return {name: value for name, value in named.items() if value}


def _text(element: ET.Element, tag: str) -> str:
    return element.findtext(f"{{*}}{tag}", "")


def _retry() -> Any:
    return lazy.storage.retry.DEFAULT_RETRY.with_timeout(_TIMEOUT)
