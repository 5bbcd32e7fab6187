"""Objects: their resources, and the one way in which an object comes to be."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from local_cloud.storage import history
from local_cloud.storage.backend import merge, now, objects_of, quoted
from local_cloud.storage.content import Change
from local_cloud.storage.names import check_object
from local_cloud.storage.preconditions import check

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local_cloud.storage.backend import Backend, Call

#: What a client may set on an object.
WRITABLE = {
    "cacheControl",
    "contentDisposition",
    "contentEncoding",
    "contentLanguage",
    "contentType",
    "customTime",
    "eventBasedHold",
    "metadata",
    "storageClass",
    "temporaryHold",
}

DEFAULT_TYPE = "application/octet-stream"


class Objects:
    """The calls on single objects."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def get(self, call: Call, bucket: str, name: str) -> dict[str, Any]:
        """Return an object's resource."""
        self._backend.require(call, "storage.objects.get", bucket, name)
        if call.flag("softDeleted"):
            generation = call.args.get("generation", "")
            return render(history.soft_deleted(self._backend, bucket, name, generation), call.base)
        record = self._backend.object(bucket, name, call.args.get("generation"))
        check(call.args, record["resource"], reading=True)
        return render(record["resource"], call.base)

    def patch(self, call: Call, bucket: str, name: str) -> dict[str, Any]:
        """Change the fields that the body names."""
        return self._change(call, bucket, name, replace=False)

    def update(self, call: Call, bucket: str, name: str) -> dict[str, Any]:
        """Replace all fields that a client may set."""
        return self._change(call, bucket, name, replace=True)

    def delete(self, call: Call, bucket: str, name: str) -> None:
        """Remove an object; without a generation, versioning keeps it as a noncurrent version."""
        owner = self._backend.require(call, "storage.objects.delete", bucket, name)
        generation = call.args.get("generation")
        with self._backend.content.lock:
            record = self._backend.object(bucket, name, generation)
            check(call.args, record["resource"])
            change = Change(drops=[history.place_of(bucket, record["resource"])])
            history.retire(change, owner["resource"], record, for_good=generation is not None)
            self._backend.content.apply(change)

    def _change(self, call: Call, bucket: str, name: str, *, replace: bool) -> dict[str, Any]:
        writable = WRITABLE - {"storageClass"}  # a rewrite changes the class
        body = {key: value for key, value in call.json().items() if key in writable}
        self._backend.require(call, "storage.objects.update", bucket, name)
        with self._backend.content.lock:
            record = self._backend.object(bucket, name, call.args.get("generation"))
            resource = record["resource"]
            check(call.args, resource)
            if replace:
                for key in writable - {"contentType"}:
                    resource.pop(key, None)
            merge(resource, body)
            if not resource.get("metadata"):
                resource.pop("metadata", None)
            resource["metageneration"] = str(int(resource["metageneration"]) + 1)
            resource["updated"] = now()
            self._backend.store.put(*history.place_of(bucket, resource), record)
        return render(resource, call.base)


def create(
    backend: Backend,
    bucket: str,
    name: str,
    *,
    upload: str,
    facts: Mapping[str, Any],
    metadata: Mapping[str, Any],
    conditions: Mapping[str, str],
    also: Change | None = None,
) -> dict[str, Any]:
    """Turn a finished file into the live object of its name.

    Parameters
    ----------
    backend
        The storage.
    bucket, name
        The object.
    upload
        Path of the file, relative to the data folder; it is moved.
    facts
        ``size``, ``crc32c``, and where they exist ``md5Hash`` and ``componentCount``.
    metadata
        What the client set; fields that are not a client's are left out.
    conditions
        Preconditions of the request on the object that is replaced.
    also
        What else changes in the same moment.

    Returns
    -------
    dict
        The object's resource, not rendered.

    Raises
    ------
    StorageError
        412: a precondition does not hold. 400: the name cannot be. 404: the bucket is gone.
    """
    check_object(name)
    content, kind = backend.content, objects_of(bucket)
    with content.lock:
        bucket_resource = backend.bucket(bucket)["resource"]
        old = backend.store.get(kind, name)
        check(conditions, old["resource"] if old else None)
        made, file = now(), content.place(bucket, name)
        resource = {
            "contentType": DEFAULT_TYPE,
            "storageClass": bucket_resource["storageClass"],
            **{key: value for key, value in metadata.items() if key in WRITABLE and value},
            **facts,
            "name": name,
            "bucket": bucket,
            "generation": str(content.new_generation()),
            "metageneration": "1",
            "timeCreated": made,
            "updated": made,
            "timeStorageClassUpdated": made,
            "timeFinalized": made,
        }
        change = also or Change()
        change.renames.append((upload, file))
        if old:
            history.retire(change, bucket_resource, old)
        change.puts.append((kind, name, {"file": file, "resource": resource}))
        content.apply(change)
    return resource


def render(resource: Mapping[str, Any], base: str) -> dict[str, Any]:
    """Return an object resource whole, with what follows from its name and the address used."""
    bucket, name, generation = resource["bucket"], resource["name"], resource["generation"]
    path = f"storage/v1/b/{bucket}/o/{quoted(name)}"
    return {
        "kind": "storage#object",
        "id": f"{bucket}/{name}/{generation}",
        "selfLink": f"{base}/{path}",
        "mediaLink": f"{base}/download/{path}?generation={generation}&alt=media",
        "etag": etag(resource),
        **resource,
    }


def etag(resource: Mapping[str, Any]) -> str:
    """Return a tag that changes with the content and with the metadata."""
    state = f"{resource['generation']}/{resource['metageneration']}"
    return base64.b64encode(state.encode()).decode()


def pick(resource: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return those fields of a resource that it has."""
    return {name: resource[name] for name in names if name in resource}
