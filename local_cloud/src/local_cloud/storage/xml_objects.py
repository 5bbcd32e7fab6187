"""The XML API's calls on objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug import Response

from local_cloud.storage.download import object_headers
from local_cloud.storage.failures import StorageError
from local_cloud.storage.receiving import incoming
from local_cloud.storage.uploads import store

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers

    from local_cloud.storage.backend import Backend, Call

_META = "x-goog-meta-"

#: Headers of a request, and the fields of an object resource that they set.
_FIELDS = {
    "Cache-Control": "cacheControl",
    "Content-Disposition": "contentDisposition",
    "Content-Encoding": "contentEncoding",
    "Content-Language": "contentLanguage",
    "Content-Type": "contentType",
    "X-Goog-Custom-Time": "customTime",
    "X-Goog-Storage-Class": "storageClass",
}


def metadata_of(headers: Headers) -> dict[str, Any]:
    """Read an object's metadata from the headers of the request that makes it."""
    metadata: dict[str, Any] = {
        field: headers[header] for header, field in _FIELDS.items() if headers.get(header)
    }
    custom = {
        key.lower().removeprefix(_META): value
        for key, value in headers.items()
        if key.lower().startswith(_META)
    }
    if custom:
        metadata["metadata"] = custom
    return metadata


def put_object(backend: Backend, call: Call, bucket: str, name: str) -> Response:
    """Make an object of the body."""
    headers = call.request.headers
    if "X-Goog-Copy-Source" in headers:
        raise StorageError(
            501, "notImplemented", "Copy with rewriteTo of the JSON API.", "NotImplemented"
        )
    blocks = incoming(backend, call)
    made = store(backend, call, bucket, name, blocks=blocks, metadata=metadata_of(headers))
    described = object_headers(made, xml=True)
    for header in ("Content-Type", "Content-Encoding", "Accept-Ranges"):
        described.pop(header, None)
    return Response(status=200, headers=described, content_type="text/html; charset=UTF-8")
