"""Downloads: the bytes of an object, or a range of them."""

from __future__ import annotations

import base64
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from werkzeug import Response
from werkzeug.http import http_date

from local_cloud.httpd import FileBody
from local_cloud.storage.digests import goog_hash
from local_cloud.storage.failures import StorageError
from local_cloud.storage.objects import etag
from local_cloud.storage.preconditions import check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local_cloud.storage.backend import Backend, Call

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")

#: Fields of an object resource that are headers of a download.
_HEADERS = {
    "cacheControl": "Cache-Control",
    "contentDisposition": "Content-Disposition",
    "contentEncoding": "Content-Encoding",
    "contentLanguage": "Content-Language",
}


def download(
    backend: Backend, call: Call, bucket: str, name: str, *, xml: bool = False
) -> Response:
    """Send an object, or the range that the client asks for."""
    backend.require(call, "storage.objects.get", bucket, name)
    with backend.content.lock:  # the file opened is the one that the record describes
        record = backend.object(bucket, name, call.args.get("generation"))
        file = backend.content.open(record["file"]) if call.request.method == "GET" else None
    resource = record["resource"]
    try:
        check(call.args, resource, reading=True)
        start, end, partial = wanted_range(
            call.request.headers.get("Range", ""), int(resource["size"])
        )
        headers = object_headers(resource, xml=xml)
        headers["Content-Length"] = str(end - start)
        if partial:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{resource['size']}"
        status = 206 if partial else 200
        if file is None:
            return Response([], status, headers)
        body = FileBody(file, start, end - start)
        file = None
        blocks = backend.faults.throttle(body)
        return Response(blocks, status, headers, direct_passthrough=blocks is body)
    finally:
        if file:
            file.close()


def object_headers(resource: Mapping[str, Any], *, xml: bool) -> dict[str, str]:
    """Return the headers that describe an object; the XML API's also hold its metadata."""
    size, md5 = resource["size"], resource.get("md5Hash")
    updated = datetime.fromisoformat(resource["updated"])
    headers = {
        "Content-Type": resource["contentType"],
        "Accept-Ranges": "bytes",
        "ETag": xml_etag(resource) if xml else etag(resource),
        "Last-Modified": http_date(updated),
        "X-Goog-Generation": resource["generation"],
        "X-Goog-Metageneration": resource["metageneration"],
        "X-Goog-Hash": goog_hash(resource["crc32c"], md5),
        "X-Goog-Storage-Class": resource["storageClass"],
        "X-Goog-Stored-Content-Encoding": resource.get("contentEncoding", "identity"),
        "X-Goog-Stored-Content-Length": size,
    }
    if "componentCount" in resource:
        headers["X-Goog-Component-Count"] = str(resource["componentCount"])
    headers.update({h: resource[field] for field, h in _HEADERS.items() if field in resource})
    if xml:
        custom = resource.get("metadata", {})
        headers.update({f"X-Goog-Meta-{key}": str(value) for key, value in custom.items()})
    return headers


def xml_etag(resource: Mapping[str, Any]) -> str:
    """Return the XML API's ETag: the MD5 hash of the bytes, where there is one."""
    if "md5Hash" in resource:
        return f'"{base64.b64decode(resource["md5Hash"]).hex()}"'
    return f'"-{etag(resource)}"'


def wanted_range(header: str, size: int) -> tuple[int, int, bool]:
    """Read a ``Range`` header.

    Returns
    -------
    tuple
        First byte, the byte after the last one, and whether this is a partial answer. A header
        that is not understood asks for everything, as HTTP has it.

    Raises
    ------
    StorageError
        416: the range begins after the end.
    """
    found = _RANGE.fullmatch(header.strip())
    if not found or found.groups() == ("", ""):
        return 0, size, False
    first, last = found.groups()
    if not first:
        start, end = max(size - int(last), 0), size
    elif last and int(last) < int(first):
        return 0, size, False
    else:
        start, end = int(first), min(int(last) + 1 if last else size, size)
    if start >= size:
        raise StorageError(
            416, "requestedRangeNotSatisfiable", "Request range not satisfiable", "InvalidRange"
        )
    return start, end, True
