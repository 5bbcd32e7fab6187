"""Which call of Cloud Storage a request is."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from werkzeug import Request, Response

from local_cloud.errors import ApiError
from local_cloud.storage.backend import Backend, Call, objects_of
from local_cloud.storage.bucket_iam import BucketIam
from local_cloud.storage.buckets import Buckets
from local_cloud.storage.copying import Copying
from local_cloud.storage.download import download
from local_cloud.storage.failures import StorageError, from_api_error, invalid
from local_cloud.storage.listing import list_history, list_objects
from local_cloud.storage.objects import Objects
from local_cloud.storage.preconditions import from_headers
from local_cloud.storage.resumable import Resumable
from local_cloud.storage.uploads import upload
from local_cloud.storage.xml_multipart import XmlMultipart
from local_cloud.storage.xml_objects import put_object
from local_cloud.web import json_response, raw_path

if TYPE_CHECKING:
    from pathlib import Path

    from local_cloud.access import Access
    from local_cloud.faults import Faults
    from local_cloud.store import Store

Handler = Callable[..., "dict[str, Any] | Response | None"]

_JSON_API = re.compile(r"/(?:(?:resumable/)?upload/|download/)?storage/v1(?:/|$)")
_XML_PATH = re.compile(r"/([a-z0-9][-_.a-z0-9]+)(?:/(.*))?", re.DOTALL)


class Storage:
    """Cloud Storage: answers requests to its JSON API and to its XML API.

    Parameters
    ----------
    data
        The local cloud's data folder.
    store
        Its records.
    access
        Decides who calls, and what they may do.
    faults
        Bandwidth, and APIs that are switched off.
    """

    def __init__(self, data: Path, store: Store, access: Access, faults: Faults) -> None:
        self._backend = Backend(data, store, access, faults)
        self._resumable = Resumable(self._backend)
        self._multipart = XmlMultipart(self._backend)
        self._json_routes = self._table()
        self._remove_leftovers()

    def content(self, bucket: str, name: str) -> bytes | None:
        """Return the bytes of an object, whoever asks; None if there is none."""
        with self._backend.content.lock:
            record = self._backend.store.get(objects_of(bucket), name)
            if record is None:
                return None
            return self._backend.content.path(record["file"]).read_bytes()

    def route(self, request: Request) -> Response | None:
        """Answer a request to Cloud Storage; give None for any other.

        Its XML API has no prefix of its own: this is the last route of the server.
        """
        path = raw_path(request)
        if _JSON_API.match(path):
            return self._answer_json(request)
        found = _XML_PATH.fullmatch(path)
        if found and self._is_xml(request, found[1]):
            return self._answer_xml(request, found[1], unquote(found[2] or ""))
        return None

    def _answer_json(self, request: Request) -> Response:
        try:
            answer = self._json_call(self._call(request))
        except ApiError as error:
            return from_api_error(error).json()
        except StorageError as error:
            return error.json()
        if answer is None:
            return Response(status=204)
        return answer if isinstance(answer, Response) else json_response(answer)

    def _json_call(self, call: Call) -> dict[str, Any] | Response | None:
        path = raw_path(call.request)
        for methods, pattern, handler in self._json_routes:
            found = pattern.fullmatch(path)
            if found and call.request.method in methods:
                return handler(call, *[unquote(group) for group in found.groups()])
        raise StorageError(404, "notFound", "Not Found")

    def _answer_xml(self, request: Request, bucket: str, name: str) -> Response:
        try:
            return self._xml_call(self._call(request), bucket, name)
        except ApiError as error:
            return from_api_error(error).as_xml()
        except StorageError as error:
            return error.as_xml()

    def _xml_call(self, call: Call, bucket: str, name: str) -> Response:
        method, args, multipart = call.request.method, call.args, self._multipart
        if "uploadId" not in args:  # completing an upload takes no preconditions
            args.update(from_headers(call.request.headers))
        if not name:
            if method == "GET" and "uploads" in args:
                return multipart.list_uploads(call, bucket)
        elif "uploadId" in args:
            actions = {
                "PUT": multipart.put_part,
                "GET": multipart.list_parts,
                "POST": multipart.complete,
                "DELETE": multipart.abort,
            }
            if method in actions:
                return actions[method](call, bucket, name)
        elif method == "POST" and "uploads" in args:
            return multipart.initiate(call, bucket, name)
        elif method == "PUT":
            return put_object(self._backend, call, bucket, name)
        elif method in {"GET", "HEAD"}:
            return download(self._backend, call, bucket, name, xml=True)
        elif method == "DELETE":
            Objects(self._backend).delete(call, bucket, name)
            return Response(status=204)
        raise StorageError(405, "methodNotAllowed", f"{method} is not allowed.", "MethodNotAllowed")

    def _call(self, request: Request) -> Call:
        caller = self._backend.access.caller(request, allow_anonymous=True)
        return Call(request, caller, {key: request.args.getlist(key)[-1] for key in request.args})

    def _is_xml(self, request: Request, bucket: str) -> bool:
        uploads = request.method in {"PUT", "POST"} or "uploadId" in request.args
        return uploads or self._backend.store.get("bucket", bucket) is not None

    def _remove_leftovers(self) -> None:
        """Remove files of uploads that a crash has cut off and that cannot go on."""
        kept = self._resumable.files() | self._multipart.folders()
        folder = self._backend.content.path("uploads")
        for path in folder.iterdir():
            if f"uploads/{path.name}" not in kept:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _upload(self, call: Call, bucket: str) -> dict[str, Any] | Response:
        kind = call.args.get("uploadType")
        if kind == "resumable":
            return self._resumable.start(call, bucket)
        if kind not in {"media", "multipart"}:
            raise invalid(f"Invalid upload type: {kind}")
        return upload(self._backend, call, bucket)

    def _session(self, call: Call, _bucket: str) -> Response:
        if "upload_id" not in call.args:
            raise StorageError(400, "required", "Required parameter: upload_id")
        if call.request.method == "DELETE":
            return self._resumable.cancel(call)
        return self._resumable.put(call)

    def _object(self, call: Call, bucket: str, name: str) -> dict[str, Any] | Response:
        if call.args.get("alt") == "media":
            return download(self._backend, call, bucket, name)
        return Objects(self._backend).get(call, bucket, name)

    def _list(self, call: Call, bucket: str) -> dict[str, Any]:
        if call.flag("versions") or call.flag("softDeleted"):
            return list_history(self._backend, call, bucket)
        return list_objects(self._backend, call, bucket)

    def _table(self) -> list[tuple[set[str], re.Pattern[str], Handler]]:
        """Return methods, path and handler of each call of the JSON API."""
        backend = self._backend
        buckets, iam, objects = Buckets(backend), BucketIam(backend), Objects(backend)
        copying = Copying(backend)
        name = "([^/]+)"
        b = f"/storage/v1/b/{name}"
        o = f"{b}/o/{name}"
        to = f"/b/{name}/o/{name}"
        uploads = f"/(?:resumable/)?upload{b}/o"

        def no_folders(call: Call, bucket: str) -> dict[str, Any]:
            backend.require(call, "storage.objects.list", bucket)
            return {}

        table: list[tuple[str, str, Handler]] = [
            ("GET", "/storage/v1/b", buckets.list),
            ("POST", "/storage/v1/b", buckets.insert),
            ("GET", b, buckets.get),
            ("PATCH", b, buckets.patch),
            ("PUT", b, buckets.update),
            ("DELETE", b, buckets.delete),
            ("GET", f"{b}/storageLayout", buckets.storage_layout),
            ("GET", f"{b}/(?:managedFolders|folders)", no_folders),
            ("GET", f"{b}/iam", iam.get),
            ("PUT", f"{b}/iam", iam.set),
            ("GET", f"{b}/iam/testPermissions", iam.test),
            ("GET", f"{b}/o", self._list),
            ("POST", f"{o}/compose", copying.compose),
            ("POST", f"{o}/rewriteTo{to}", copying.rewrite),
            ("POST", f"{o}/copyTo{to}", copying.copy),
            ("POST", f"{o}/moveTo/o/{name}", copying.move),
            ("GET", o, self._object),
            ("PATCH", o, objects.patch),
            ("PUT", o, objects.update),
            ("DELETE", o, objects.delete),
            ("GET", f"/download{o}", lambda call, bucket, n: download(backend, call, bucket, n)),
            ("POST", uploads, self._upload),
            ("PUT DELETE", uploads, self._session),
        ]
        return [
            (set(methods.split()), re.compile(f"{path}/?"), handler)
            for methods, path, handler in table
        ]
