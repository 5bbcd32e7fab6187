"""What a bucket stores: live objects, noncurrent versions, soft-deleted objects, open uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
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
_FIELDS = (
    "items(name,size,crc32c,generation,timeCreated,timeDeleted,softDeleteTime,hardDeleteTime),"
    "nextPageToken"
)


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


def unfinished_bytes(clients: Clients, bucket: str) -> int:
    """Return the bytes of the parts of all unfinished multipart uploads of a bucket.

    Raises
    ------
    ManagerError
        They can't be listed.
    """

    def size_of(upload: tuple[str, str]) -> int:
        name, upload_id = upload
        parts = _elements(clients, bucket, name, {"uploadId": upload_id}, "Part")
        return sum(int(_text(part, "Size")) for part in parts)

    with explained(
        f"list the unfinished uploads of {bucket}",
        clients=clients,
        bucket=bucket,
        permission="storage.multipartUploads.list",
    ):
        found = _elements(clients, bucket, "", {"uploads": ""}, "Upload")
        return sum(size_of((_text(each, "Key"), _text(each, "UploadId"))) for each in found)


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
