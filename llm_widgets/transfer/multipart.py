"""Multipart uploads of Cloud Storage's XML API: initiate, send, list, complete, abort.

The official client offers them for files on disk only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.etree import ElementTree as ET

from llm_widgets.transfer import crc
from llm_widgets.transfer.connections import NETWORK_ERRORS
from llm_widgets.transfer.xml_api import Bucket, UploadGoneError, find, tag_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_widgets.transfer.connections import Connections, PendingRequest

_PAGE = 1000
_OK = 200


@dataclass(frozen=True, slots=True)
class Part:
    """A part that Cloud Storage holds: its number from 1 on, and its size in bytes."""

    number: int
    etag: str
    size: int


class PartStream:
    """A part that is sent while it arrives: its bytes are in the processor's cache then.

    Its checksum can't be declared before its bytes are known, so Cloud Storage's response
    is compared with it. It is tried once; where anything goes wrong, the part is sent from memory
    by :meth:`MultipartUpload.put`, which also says what is wrong.

    Parameters
    ----------
    connections
        Other ones than those that the bytes come from.

    Attributes
    ----------
    lacks_checksum
        Whether the response contained no CRC-32C: then streaming proves nothing.
    """

    def __init__(
        self, bucket: Bucket, name: str, query: str, connections: Connections, length: int
    ) -> None:
        self._bucket = bucket
        self._url = bucket.url(name, query)
        self._connections = connections
        self._length = length
        self._request: PendingRequest | None = None
        self._is_broken = False
        self.lacks_checksum = False

    def send(self, block: bytes) -> None:
        """Send more of the part."""
        if self._is_broken:
            return
        try:
            if not self._request:
                headers = self._bucket.authorizer.headers("PUT", self._url)
                self._request = self._connections.begin("PUT", self._url, headers, self._length)
            self._request.send(block)
        except NETWORK_ERRORS:
            self._break()

    def is_stored(self, checksum: int) -> bool:
        """Return whether Cloud Storage holds the part, with this CRC-32C."""
        if self._is_broken or not self._request:
            return False
        try:
            response = self._request.response()
            response.text()
        except NETWORK_ERRORS:
            self._break()
            return False
        if response.status != _OK or not response.is_finished:
            self._break()
            return False
        hashes = response.headers.get("x-goog-hash", "").replace(" ", "").split(",")
        self.lacks_checksum = not any(text.startswith("crc32c=") for text in hashes)
        return f"crc32c={crc.text(checksum)}" in hashes

    def _break(self) -> None:
        self._is_broken = True
        self._connections.drop(self._url)


@dataclass(frozen=True, slots=True)
class MultipartUpload:
    """An unfinished object. Nobody sees it before :meth:`complete`.

    Attributes
    ----------
    name
        Name of the object it becomes.
    """

    bucket: Bucket
    name: str
    id: str

    @classmethod
    def start(cls, connections: Connections, bucket: Bucket, name: str) -> MultipartUpload:
        """Start an upload."""
        headers = {"Content-Type": "application/octet-stream"}
        text, _ = bucket.call(connections, "POST", name, "uploads", headers=headers)
        return cls(bucket, name, find(ET.fromstring(text), "UploadId"))  # noqa: S314 - Google's

    def put(
        self, connections: Connections, number: int, blocks: Sequence[bytes], checksum: int
    ) -> None:
        """Send a part; Cloud Storage refuses it where its CRC-32C is another one.

        Parameters
        ----------
        number
            From 1 on. A part with the same number is replaced.
        checksum
            CRC-32C of all blocks.
        """
        headers = {"x-goog-hash": f"crc32c={crc.text(checksum)}"}
        query = self._part_query(number)
        self.bucket.call(connections, "PUT", self.name, query, headers=headers, body=blocks)

    def stream(self, connections: Connections, number: int, length: int) -> PartStream:
        """Begin to send a part of which not all bytes are known yet."""
        return PartStream(self.bucket, self.name, self._part_query(number), connections, length)

    def parts(
        self, connections: Connections, after: int = 0, most: int | None = None
    ) -> list[Part]:
        """List the parts that Cloud Storage holds, in order.

        Parameters
        ----------
        after
            Only parts with a larger number.
        most
            The largest number of parts to list, all when left out.
        """
        found: list[Part] = []
        marker, page = after, min(_PAGE, most or _PAGE)
        while True:
            query = f"uploadId={self._query_id}&max-parts={page}&part-number-marker={marker}"
            text, _ = self.bucket.call(connections, "GET", self.name, query)
            root = ET.fromstring(text)  # noqa: S314 - Google's answer
            found += [
                Part(int(find(e, "PartNumber")), find(e, "ETag"), int(find(e, "Size")))
                for e in root.iter()
                if tag_of(e) == "Part"
            ]
            is_last = find(root, "IsTruncated", "false") != "true"
            if is_last or (most and len(found) >= most):
                return found[:most]
            marker = int(find(root, "NextPartNumberMarker", str(found[-1].number)))

    def complete(self, connections: Connections, parts: list[Part]) -> None:
        """Make the object of its parts. An object of that name is replaced."""
        root = ET.Element("CompleteMultipartUpload")
        for part in parts:
            element = ET.SubElement(root, "Part")
            ET.SubElement(element, "PartNumber").text = str(part.number)
            ET.SubElement(element, "ETag").text = part.etag
        self.bucket.call(
            connections,
            "POST",
            self.name,
            f"uploadId={self._query_id}",
            headers={"Content-Type": "application/xml"},
            body=[ET.tostring(root)],
        )

    def abort(self, connections: Connections) -> None:
        """Abort the upload, which deletes its parts."""
        try:
            self.bucket.call(connections, "DELETE", self.name, f"uploadId={self._query_id}")
        except UploadGoneError:
            return

    def _part_query(self, number: int) -> str:
        return f"partNumber={number}&uploadId={self._query_id}"

    @property
    def _query_id(self) -> str:
        return quote(self.id, safe="")
