"""What the calls of Cloud Storage share: records, permissions, and the parts of a request."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from local_cloud.access import ANONYMOUS, Denied
from local_cloud.enablement import Enablement
from local_cloud.storage import bodies
from local_cloud.storage.content import Content
from local_cloud.storage.failures import denied, invalid, no_bucket, no_object

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from werkzeug import Request

    from local_cloud.access import Access
    from local_cloud.faults import Faults
    from local_cloud.issuer import Caller
    from local_cloud.store import Store

API = "storage.googleapis.com"


@dataclass(frozen=True)
class Call:
    """One request, and who sent it.

    Attributes
    ----------
    request
        The request as it came in.
    caller
        Who sent it; anonymous without a token.
    args
        The parameters of the query, the last value of each.
    """

    request: Request
    caller: Caller = ANONYMOUS
    args: dict[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """The address that the client used, without a slash at the end."""
        return self.request.host_url.rstrip("/")

    def json(self) -> dict[str, Any]:
        """Read the body as a JSON object; an empty body is an empty object."""
        compressed = self.request.headers.get("Content-Encoding") == "gzip"
        return bodies.read(self.request.get_data(), compressed=compressed)

    def number(self, name: str, default: int) -> int:
        """Read a parameter that is a whole number from 0 on."""
        text = self.args.get(name, str(default))
        if not text.isascii() or not text.isdigit():
            raise invalid(f"Invalid value for {name}: '{text}'.")
        return int(text)

    def flag(self, name: str) -> bool:
        """Read a parameter that is true or false."""
        return self.args.get(name, "").lower() == "true"


class Backend:
    """Records of buckets and objects, read with the permissions that this takes.

    A bucket's record is ``{"project": id, "resource": {...}}``, an object's
    ``{"file": path, "resource": {...}}``; resources are as the JSON API gives them, without
    what follows from their names and from the address that the client used.
    """

    def __init__(self, data: Path, store: Store, access: Access, faults: Faults) -> None:
        self.store = store
        self.access = access
        self.faults = faults
        self.content = Content(data, store)
        self._enablement = Enablement(store, faults)

    def require(self, call: Call, permission: str, bucket: str, name: str = "") -> dict[str, Any]:
        """Return a bucket's record to a caller that has a permission on it, or on an object of it.

        Raises
        ------
        StorageError
            404: no such bucket. 403 or 401: the caller lacks the permission.
        ApiError
            403: the API is not enabled in the bucket's project.
        """
        record = self.bucket(bucket)
        self._enablement.require_api(API, record["project"])
        resource = f"projects/_/buckets/{bucket}"
        self._require(call, permission, f"{resource}/objects/{name}" if name else resource)
        return record

    def bucket(self, bucket: str) -> dict[str, Any]:
        """Return a bucket's record, whoever asks.

        Raises
        ------
        StorageError
            404: no such bucket.
        """
        record = self.store.get("bucket", bucket)
        if record is None:
            raise no_bucket()
        return record

    def require_in_project(self, call: Call, permission: str, project: str) -> dict[str, Any]:
        """Return a project's record to a caller that has a permission on it."""
        project_id = self.access.project_id(project)
        if project_id is None:
            raise invalid(f"Unknown project id: {project}")
        self._enablement.require_api(API, project_id)
        self._require(call, permission, f"projects/{project_id}")
        return {**(self.store.get("project", project_id) or {}), "id": project_id}

    def require_to_write(self, call: Call, bucket: str, name: str) -> dict[str, Any]:
        """Return a bucket's record to a caller that may write, or replace, an object in it."""
        record = self.require(call, "storage.objects.create", bucket)
        if self.store.get(objects_of(bucket), name):
            self.require(call, "storage.objects.delete", bucket)
        return record

    def object(self, bucket: str, name: str, generation: str | None = None) -> dict[str, Any]:
        """Return an object's record: the live one, or the version of a generation.

        Raises
        ------
        StorageError
            404: no such object, or no such generation of it.
        """
        record = self.store.get(objects_of(bucket), name)
        if record and generation in {None, record["resource"]["generation"]}:
            return record
        if generation is not None:
            key = version_key({"name": name, "generation": generation})
            record = self.store.get(noncurrent_of(bucket), key)
            if record:
                return record
        raise no_object(bucket, name)

    def _require(self, call: Call, permission: str, resource: str) -> None:
        try:
            self.access.require(call.caller, permission, resource)
        except Denied as error:
            raise denied(call.caller, permission, resource) from error


def objects_of(bucket: str) -> str:
    """Return the kind of record that a bucket's objects are."""
    return f"object:{bucket}"


def noncurrent_of(bucket: str) -> str:
    """Return the kind of record that the noncurrent versions of a bucket's objects are."""
    return f"noncurrent:{bucket}"


def version_key(resource: Mapping[str, Any]) -> str:
    """Return what orders the versions of objects: by name, then by generation."""
    return f"{resource['name']}\0{resource['generation']:>20}"


def now() -> str:
    """Return the time as the API writes it, in milliseconds UTC."""
    return time_text(datetime.now(UTC))


def time_text(time: datetime) -> str:
    """Write a time as the API does, in milliseconds UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def quoted(name: str) -> str:
    """Percent-encode a name for one segment of a path."""
    return quote(name, safe="")


def merge(target: dict[str, Any], patch: dict[str, Any]) -> None:
    """Apply a JSON merge patch (RFC 7396): null removes, objects are merged."""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            inner = target.get(key)
            target[key] = inner if isinstance(inner, dict) else {}
            merge(target[key], value)
        else:
            target[key] = value
