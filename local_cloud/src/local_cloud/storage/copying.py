"""Objects made of other objects: compose, rewrite, copy and move."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from local_cloud.storage import history
from local_cloud.storage.backend import objects_of
from local_cloud.storage.content import Change, append
from local_cloud.storage.digests import combine, decode_crc, encode_crc
from local_cloud.storage.failures import StorageError, invalid
from local_cloud.storage.objects import WRITABLE, create, pick, render
from local_cloud.storage.preconditions import check
from local_cloud.storage.receiving import discarded_on_failure

if TYPE_CHECKING:
    from local_cloud.storage.backend import Backend, Call

_MAX_SOURCES = 32
_FACTS = ("size", "crc32c", "md5Hash", "componentCount")


class Copying:
    """The calls that make an object out of others, without sending bytes."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def compose(self, call: Call, bucket: str, name: str) -> dict[str, Any]:
        """Compose up to 32 objects, in the order given."""
        body = call.json()
        sources = body.get("sourceObjects") or []
        if not sources:
            raise invalid("You must provide at least one source component.")
        if len(sources) > _MAX_SOURCES:
            raise invalid(
                f"The number of source components provided ({len(sources)}) exceeds the maximum "
                f"({_MAX_SOURCES})."
            )
        self._backend.require(call, "storage.objects.get", bucket)
        owner = self._backend.require_to_write(call, bucket, name)
        content = self._backend.content
        upload = content.new_upload()
        with ExitStack() as stack:
            stack.enter_context(discarded_on_failure(self._backend, upload))
            with content.lock:  # the files stay readable when their objects are replaced
                records = [self._component(bucket, source) for source in sources]
                files = [stack.enter_context(content.open(r["file"])) for r in records]
            crc = size = components = 0
            with content.path(upload).open("wb", buffering=0) as target:
                for record, file in zip(records, files, strict=True):
                    resource = record["resource"]
                    length = int(resource["size"])
                    append(file, target, length)
                    crc = combine(crc, decode_crc(resource["crc32c"]), length)
                    size += length
                    components += resource.get("componentCount", 1)
            also = Change()
            if body.get("deleteSourceObjects"):
                self._backend.require(call, "storage.objects.delete", bucket)
                others = [record for record in records if record["resource"]["name"] != name]
                for record in others:
                    also.drops.append((objects_of(bucket), record["resource"]["name"]))
                    history.retire(also, owner["resource"], record)
            made = create(
                self._backend,
                bucket,
                name,
                upload=upload,
                facts={"size": str(size), "crc32c": encode_crc(crc), "componentCount": components},
                metadata=body.get("destination") or {},
                conditions=call.args,
                also=also,
            )
        return render(made, call.base)

    def copy(
        self, call: Call, bucket: str, name: str, to_bucket: str, to_name: str
    ) -> dict[str, Any]:
        """Copy an object within one call."""
        return render(self._copy(call, bucket, name, to_bucket, to_name), call.base)

    def rewrite(
        self, call: Call, bucket: str, name: str, to_bucket: str, to_name: str
    ) -> dict[str, Any]:
        """Copy an object; the real service may take several calls, this one takes one."""
        made = self._copy(call, bucket, name, to_bucket, to_name)
        return {
            "kind": "storage#rewriteResponse",
            "totalBytesRewritten": made["size"],
            "objectSize": made["size"],
            "done": True,
            "resource": render(made, call.base),
        }

    def move(self, call: Call, bucket: str, name: str, to_name: str) -> dict[str, Any]:
        """Rename an object in one step, without copying it."""
        if name == to_name:
            raise invalid("The source and the destination object must not be the same.")
        self._backend.require(call, "storage.objects.get", bucket)
        self._backend.require(call, "storage.objects.delete", bucket)
        self._backend.require_to_write(call, bucket, to_name)
        with self._backend.content.lock:
            record = self._backend.object(bucket, name, call.args.get("sourceGeneration"))
            resource = record["resource"]
            check(call.args, resource, prefix="ifSource")
            made = create(
                self._backend,
                bucket,
                to_name,
                upload=record["file"],
                facts=pick(resource, _FACTS),
                metadata=resource,
                conditions=call.args,
                also=Change(drops=[history.place_of(bucket, resource)]),
            )
        return render(made, call.base)

    def _component(self, bucket: str, source: dict[str, Any]) -> dict[str, Any]:
        name, generation = str(source.get("name", "")), source.get("generation")
        record = self._backend.store.get(objects_of(bucket), name)
        found = record["resource"]["generation"] if record else "0"
        if record is None or (generation is not None and str(generation) != found):
            raise StorageError(
                404,
                "notFound",
                f"Object {bucket}/{name} (generation: {generation or 0}) not found.",
            )
        conditions = source.get("objectPreconditions") or {}
        check({key: str(value) for key, value in conditions.items()}, record["resource"])
        return record

    def _copy(
        self, call: Call, bucket: str, name: str, to_bucket: str, to_name: str
    ) -> dict[str, Any]:
        body = pick(call.json(), WRITABLE)
        self._backend.require(call, "storage.objects.get", bucket)
        self._backend.require_to_write(call, to_bucket, to_name)
        content = self._backend.content
        with content.lock:
            record = self._backend.object(bucket, name, call.args.get("sourceGeneration"))
            resource = record["resource"]
            check(call.args, resource, prefix="ifSource")
            source = content.open(record["file"])
        upload = content.new_upload()
        with discarded_on_failure(self._backend, upload):
            with source, content.path(upload).open("wb", buffering=0) as target:
                append(source, target, int(resource["size"]))
            # Metadata in the request replaces all of the source's, but for the class.
            kept = {} if body.keys() - {"storageClass"} else pick(resource, WRITABLE)
            if to_bucket != bucket:
                kept.pop("storageClass", None)  # the class is that of the bucket it comes to
            return create(
                self._backend,
                to_bucket,
                to_name,
                upload=upload,
                facts=pick(resource, _FACTS),
                metadata={**kept, **body},
                conditions=call.args,
            )
