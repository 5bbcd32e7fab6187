"""Resumable uploads: sessions that go on where they were broken off, also after a crash."""

from __future__ import annotations

import os
import re
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug import Response

from local_cloud.httpd import BLOCK
from local_cloud.storage.backend import now, quoted
from local_cloud.storage.content import Change
from local_cloud.storage.digests import Digest, declared_in_headers, declared_in_metadata
from local_cloud.storage.failures import StorageError, invalid
from local_cloud.storage.names import check_object
from local_cloud.storage.objects import create, render
from local_cloud.storage.preconditions import check, given
from local_cloud.storage.receiving import incoming, skip, write
from local_cloud.storage.uploads import facts_of
from local_cloud.web import json_response

if TYPE_CHECKING:
    from local_cloud.storage.backend import Backend, Call

#: Only whole pieces of this many bytes are kept of an unfinished upload.
GRANULE = 256 * 1024

#: How long a session lives: a week, in seconds.
LIFETIME = 7 * 24 * 3600

_KIND = "resumable"
_RANGE = re.compile(r"bytes (?:(?P<first>\d+)-(?P<last>\d+)|\*)/(?P<total>\d+|\*)")


@dataclass
class _Progress:
    """What this process knows of a session beyond its record."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    digest: Digest | None = None


@dataclass(frozen=True)
class _Chunk:
    """What a request to a session brings."""

    first: int | None
    last: int | None
    total: int | None

    @property
    def is_query(self) -> bool:
        """Whether it only asks how far the upload is."""
        return self.first is None


class Resumable:
    """The calls of resumable uploads.

    The bytes received so far are a file, and its length is how far the upload is: there is no
    other record of it that a crash could leave behind or ahead.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._lock = threading.Lock()
        self._progress: dict[str, _Progress] = {}

    def files(self) -> set[str]:
        """Return the files of all open sessions; those past their time are forgotten."""
        kept = set()
        for upload_id, session in self._backend.store.list(_KIND):
            if time.time() - session["started"] > LIFETIME:
                self._backend.store.delete(_KIND, upload_id)
            elif session["file"]:
                kept.add(session["file"])
        return kept

    def start(self, call: Call, bucket: str) -> Response:
        """Open a session, and give its address in the ``Location`` header."""
        metadata = call.json()
        name = str(call.args.get("name") or metadata.get("name") or "")
        check_object(name)
        self._backend.require_to_write(call, bucket, name)
        headers = call.request.headers
        if headers.get("X-Upload-Content-Type"):
            metadata.setdefault("contentType", headers["X-Upload-Content-Type"])
        with self._backend.content.lock:
            live = self._backend.store.get(f"object:{bucket}", name)
            check(call.args, live["resource"] if live else None)
        upload_id = secrets.token_urlsafe(48)
        file = self._backend.content.new_upload()
        self._backend.content.path(file).touch()
        length = headers.get("X-Upload-Content-Length", "")
        self._backend.store.put(
            _KIND,
            upload_id,
            {
                "bucket": bucket,
                "name": name,
                "metadata": metadata,
                "conditions": given(call.args),
                "file": file,
                "total": int(length) if length.isdigit() else None,
                "started": time.time(),
                "created": now(),
            },
        )
        response = Response(status=200, content_type="text/plain; charset=utf-8")
        response.headers["X-GUploader-UploadID"] = upload_id
        response.headers["Location"] = (
            f"{call.base}/upload/storage/v1/b/{bucket}/o?uploadType=resumable"
            f"&name={quoted(name)}&upload_id={upload_id}"
        )
        return response

    def cancel(self, call: Call) -> Response:
        """End a session without an object."""
        upload_id = call.args["upload_id"]
        session = self._session(upload_id)
        self._backend.store.delete(_KIND, upload_id)
        if session["file"]:
            self._backend.content.path(session["file"]).unlink(missing_ok=True)
        self._forget(upload_id)
        return Response(status=499)

    def put(self, call: Call) -> Response:
        """Store a chunk, or return how far the upload is."""
        upload_id = call.args["upload_id"]
        self._session(upload_id)
        with self._lock:
            progress = self._progress.setdefault(upload_id, _Progress())
        with progress.lock:
            session = self._session(upload_id)
            if not session["file"]:
                return self._finished(call, session)
            response = self._continue(call, upload_id, session, progress)
        response.headers["X-GUploader-UploadID"] = upload_id
        return response

    def _continue(
        self, call: Call, upload_id: str, session: dict[str, Any], progress: _Progress
    ) -> Response:
        chunk = _chunk(call)
        path = self._backend.content.path(session["file"])
        have = path.stat().st_size
        total = chunk.total if chunk.total is not None else session["total"]
        if session["total"] not in {None, total}:
            raise invalid(
                f"Invalid request. The upload's size was declared as {session['total']} byte(s) "
                f"at the start and is {total} byte(s) now."
            )
        if not chunk.is_query:
            have -= have % GRANULE if have != total else 0
            if chunk.first > have:  # type: ignore[operator] # only a query has none
                raise invalid(
                    "Invalid request.  According to the Content-Range header, the upload offset "
                    f"is {chunk.first} byte(s), which exceeds already uploaded size of {have} "
                    "byte(s)."
                )
            have = self._receive(call, session, progress, chunk, have)
            if total is None and chunk.last is None:
                total = have  # the whole object in one request
        if total is not None and have > total:
            raise invalid(f"Invalid request. More than {total} byte(s) were uploaded.")
        if have == total:
            return self._finish(call, upload_id, session, progress)
        have -= have % GRANULE
        response = Response(status="308 Resume Incomplete")
        if have:
            response.headers["Range"] = f"bytes=0-{have - 1}"
        return response

    def _receive(
        self,
        call: Call,
        session: dict[str, Any],
        progress: _Progress,
        chunk: _Chunk,
        have: int,
    ) -> int:
        """Write the part of a chunk that is not there yet; give the new size in bytes."""
        first, last = chunk.first or 0, chunk.last
        file = self._backend.content.path(session["file"])
        with file.open("r+b", buffering=0) as out:
            out.truncate(have)
            digest = progress.digest
            progress.digest = None  # stays so if the chunk breaks off
            if digest is None or digest.size != have:
                digest = Digest()
                while block := out.read(BLOCK):
                    digest.update(block)
            out.seek(have)
            write(skip(incoming(self._backend, call), have - first), out, digest)
        expected = None if last is None else last + 1
        if expected is not None and digest.size != max(expected, have):
            os.truncate(file, have)
            raise invalid(
                f"Invalid request.  There were {digest.size - first} byte(s) in the request body. "
                f" There should have been {expected - first} byte(s) (starting at offset {first} "
                f"and ending at offset {last}) according to the Content-Range header."
            )
        progress.digest = digest
        return digest.size

    def _finish(
        self, call: Call, upload_id: str, session: dict[str, Any], progress: _Progress
    ) -> Response:
        path = self._backend.content.path(session["file"])
        digest = progress.digest
        if digest is None or digest.size != path.stat().st_size:
            digest = Digest()
            with path.open("rb", buffering=0) as file:
                while block := file.read(BLOCK):
                    digest.update(block)
        try:
            digest.check(declared_in_metadata(session["metadata"]))
            digest.check(declared_in_headers(call.request.headers))
            create(
                self._backend,
                session["bucket"],
                session["name"],
                upload=session["file"],
                facts=facts_of(digest),
                metadata=session["metadata"],
                conditions=session["conditions"],
                also=Change(puts=[(_KIND, upload_id, {**session, "file": ""})]),
            )
        except StorageError:
            self._backend.store.delete(_KIND, upload_id)
            path.unlink(missing_ok=True)
            self._forget(upload_id)
            raise
        self._forget(upload_id)
        return self._finished(call, session)

    def _finished(self, call: Call, session: dict[str, Any]) -> Response:
        record = self._backend.object(session["bucket"], session["name"])
        return json_response(render(record["resource"], call.base))

    def _session(self, upload_id: str) -> dict[str, Any]:
        session = self._backend.store.get(_KIND, upload_id)
        if session is None or time.time() - session["started"] > LIFETIME:
            raise StorageError(404, "notFound", "No such upload session.", "NoSuchUpload")
        return session

    def _forget(self, upload_id: str) -> None:
        with self._lock:
            self._progress.pop(upload_id, None)


def _chunk(call: Call) -> _Chunk:
    """Read what the request says about its body; without a range the body is everything."""
    text = call.request.headers.get("Content-Range")
    if text is None:
        length = call.request.content_length
        return _Chunk(first=0, last=None, total=length)
    found = _RANGE.fullmatch(text)
    if not found:
        raise invalid(f"Failed to parse Content-Range header: {text}")
    total = None if found["total"] == "*" else int(found["total"])
    if found["first"] is None:
        return _Chunk(first=None, last=None, total=total)
    first, last = int(found["first"]), int(found["last"])
    if last < first or (total is not None and last >= total):
        raise invalid(f"Failed to parse Content-Range header: {text}")
    return _Chunk(first=first, last=last, total=total)
