"""XML API multipart uploads: many parts at a time, made one object at the end."""

from __future__ import annotations

import secrets
import threading
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from werkzeug import Response

from local_cloud.storage.backend import now
from local_cloud.storage.content import Change
from local_cloud.storage.digests import (
    combine,
    declared_in_headers,
    decode_crc,
    encode_crc,
    goog_hash,
)
from local_cloud.storage.download import object_headers
from local_cloud.storage.failures import StorageError, invalid
from local_cloud.storage.names import check_object
from local_cloud.storage.objects import create
from local_cloud.storage.parts import Parts
from local_cloud.storage.receiving import incoming
from local_cloud.storage.xml_objects import metadata_of

if TYPE_CHECKING:
    from local_cloud.storage.backend import Backend, Call

MAX_PARTS = 10_000

#: Every part but the last one has at least so many bytes.
MIN_PART = 5 * 1024 * 1024

_KIND = "multipart"
_PAGE = 1000
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


class XmlMultipart:
    """The calls of multipart uploads."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._parts = Parts(backend)
        self._completing = threading.Lock()

    def folders(self) -> set[str]:
        """Return the folders of all open uploads; what is left of others is removed."""
        open_uploads = {upload_id for upload_id, _ in self._backend.store.list(_KIND)}
        self._parts.forget_all_but(open_uploads)
        return {f"uploads/{upload_id}" for upload_id in open_uploads}

    def initiate(self, call: Call, bucket: str, name: str) -> Response:
        """Open an upload."""
        check_object(name)
        self._backend.require(call, "storage.multipartUploads.create", bucket)
        self._backend.require(call, "storage.objects.create", bucket)
        upload_id = secrets.token_hex(32)
        self._parts.make_folder(upload_id)
        self._backend.store.put(
            _KIND,
            upload_id,
            {
                "bucket": bucket,
                "name": name,
                "metadata": metadata_of(call.request.headers),
                "initiated": now(),
            },
        )
        return _xml("InitiateMultipartUploadResult", Bucket=bucket, Key=name, UploadId=upload_id)

    def put_part(self, call: Call, bucket: str, name: str) -> Response:
        """Store one part."""
        self._backend.require(call, "storage.multipartUploads.create", bucket)
        self._backend.require(call, "storage.objects.create", bucket)
        upload_id, _ = self._upload(call, bucket, name)
        number = call.number("partNumber", 0)
        if not 1 <= number <= MAX_PARTS:
            raise invalid(f"Part number must be an integer between 1 and {MAX_PARTS}, inclusive")
        try:
            part, digest = self._parts.receive(
                upload_id,
                number,
                incoming(self._backend, call),
                length=call.request.content_length,
                declared=declared_in_headers(call.request.headers),
            )
        except FileNotFoundError as error:  # it has been completed or aborted meanwhile
            raise _no_upload() from error
        headers = {
            "ETag": part["etag"],
            "X-Goog-Hash": goog_hash(digest.crc32c, digest.md5),
        }
        return Response(status=200, headers=headers, content_type="text/html; charset=UTF-8")

    def list_parts(self, call: Call, bucket: str, name: str) -> Response:
        """Return a page of the parts that have come in."""
        self._backend.require(call, "storage.multipartUploads.listParts", bucket)
        upload_id, upload = self._upload(call, bucket, name)
        after = call.number("part-number-marker", 0)
        limit = min(call.number("max-parts", _PAGE), _PAGE)
        found = self._parts.received(upload_id, after, limit + 1)
        page = found[:limit]
        return _xml(
            "ListPartsResult",
            Bucket=bucket,
            Key=name,
            UploadId=upload_id,
            StorageClass=self._storage_class(upload),
            PartNumberMarker=after,
            NextPartNumberMarker=page[-1][0] if page else after,
            MaxParts=limit,
            IsTruncated=str(len(found) > limit).lower(),
            Part=[
                {
                    "PartNumber": number,
                    "LastModified": part["updated"],
                    "ETag": part["etag"],
                    "Size": part["size"],
                }
                for number, part in page
            ],
        )

    def list_uploads(self, call: Call, bucket: str) -> Response:
        """Return a page of a bucket's open uploads, by name and then by id."""
        self._backend.require(call, "storage.multipartUploads.list", bucket)
        prefix = call.args.get("prefix", "")
        key, upload_id = call.args.get("key-marker", ""), call.args.get("upload-id-marker", "")
        limit = min(call.number("max-uploads", _PAGE), _PAGE)
        found = sorted(
            (upload["name"], upload_id, upload)
            for upload_id, upload in self._backend.store.list(_KIND)
            if upload["bucket"] == bucket and upload["name"].startswith(prefix)
        )
        rest = [u for u in found if u[:2] > (key, upload_id or "\U0010ffff")] if key else found
        page = rest[:limit]
        more = len(rest) > limit
        return _xml(
            "ListMultipartUploadsResult",
            Bucket=bucket,
            KeyMarker=key,
            UploadIdMarker=upload_id,
            NextKeyMarker=page[-1][0] if more else "",
            NextUploadIdMarker=page[-1][1] if more else "",
            MaxUploads=limit,
            IsTruncated=str(more).lower(),
            Upload=[
                {
                    "Key": name,
                    "UploadId": upload_id,
                    "StorageClass": self._storage_class(upload),
                    "Initiated": upload["initiated"],
                }
                for name, upload_id, upload in page
            ],
        )

    def complete(self, call: Call, bucket: str, name: str) -> Response:
        """Make the object; preconditions are ignored, as the real service does."""
        self._backend.require(call, "storage.multipartUploads.create", bucket)
        self._backend.require_to_write(call, bucket, name)
        wanted = _read_parts(call.request.get_data())
        with self._completing:
            upload_id, upload = self._upload(call, bucket, name)
            parts = self._chosen(upload_id, wanted)
            crc = size = 0
            for part in parts:
                crc = combine(crc, decode_crc(part["crc32c"]), part["size"])
                size += part["size"]
            made = create(
                self._backend,
                bucket,
                name,
                upload=self._parts.join(upload_id, [number for number, _ in wanted]),
                facts={"size": str(size), "crc32c": encode_crc(crc)},
                metadata=upload["metadata"],
                conditions={},
                also=Change(drops=[(_KIND, upload_id)]),
            )
            self._parts.forget(upload_id)
        headers = object_headers(made, xml=True)
        response = _xml(
            "CompleteMultipartUploadResult",
            Location=f"{call.base}/{bucket}/{name}",
            Bucket=bucket,
            Key=name,
            ETag=headers["ETag"],
        )
        for header in ("ETag", "X-Goog-Generation", "X-Goog-Metageneration", "X-Goog-Hash"):
            response.headers[header] = headers[header]
        return response

    def abort(self, call: Call, bucket: str, name: str) -> Response:
        """Abort an upload, with all its parts."""
        self._backend.require(call, "storage.multipartUploads.abort", bucket)
        with self._completing:
            upload_id, _ = self._upload(call, bucket, name)
            self._backend.store.delete(_KIND, upload_id)
            self._parts.forget(upload_id)
        return Response(status=204)

    def _upload(self, call: Call, bucket: str, name: str) -> tuple[str, dict[str, Any]]:
        upload_id = call.args["uploadId"]
        upload = self._backend.store.get(_KIND, upload_id)
        if upload is None or (upload["bucket"], upload["name"]) != (bucket, name):
            raise _no_upload()
        return upload_id, upload

    def _chosen(self, upload_id: str, wanted: list[tuple[int, str]]) -> list[dict[str, Any]]:
        numbers = [number for number, _ in wanted]
        if any(after <= before for before, after in pairwise(numbers)):
            raise StorageError(400, "invalid", "Parts are not in order.", "InvalidPartOrder")
        there = dict(self._parts.received(upload_id))
        parts = []
        for number, etag in wanted:
            part = there.get(number)
            if part is None or part["etag"].strip('"') != etag.strip('"'):
                raise StorageError(400, "invalid", f"Part {number}.", "InvalidPart")
            parts.append(part)
        small = [part["size"] for part in parts[:-1] if part["size"] < MIN_PART]
        if small:
            raise StorageError(
                400,
                "invalid",
                f"A part has {small[0]} bytes; all but the last need at least {MIN_PART}.",
                "EntityTooSmall",
            )
        return parts

    def _storage_class(self, upload: dict[str, Any]) -> str:
        default = self._backend.bucket(upload["bucket"])["resource"]["storageClass"]
        return str(upload["metadata"].get("storageClass", default))


def _no_upload() -> StorageError:
    return StorageError(404, "notFound", "The requested upload was not found.", "NoSuchUpload")


def _read_parts(body: bytes) -> list[tuple[int, str]]:
    """Read part numbers and ETags, with or without a namespace."""
    malformed = StorageError(
        400, "invalid", "The list of parts is malformed.", "MalformedCompleteMultipartUploadRequest"
    )
    try:
        root = ET.fromstring(body)  # noqa: S314 -- the clients are this machine's
        parts = [
            (int(part.findtext("{*}PartNumber", "")), part.findtext("{*}ETag", ""))
            for part in root.iterfind("{*}Part")
        ]
    except (ET.ParseError, ValueError) as error:
        raise malformed from error
    if not parts:
        raise malformed
    return parts


def _xml(tag: str, **fields: Any) -> Response:
    """Write a document: strings and numbers are elements, lists are repeated ones."""
    root = ET.Element(tag, xmlns=_NAMESPACE)
    for name, value in fields.items():
        for item in value if isinstance(value, list) else [value]:
            element = ET.SubElement(root, name)
            if isinstance(item, dict):
                for key, text in item.items():
                    ET.SubElement(element, key).text = str(text)
            else:
                element.text = str(item)
    body = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return Response(body, content_type="application/xml; charset=UTF-8")
