"""Buckets: made, listed, changed and removed."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from local_cloud.organization import LOCATIONS, UNIFORM_ACCESS
from local_cloud.storage import history
from local_cloud.storage.backend import merge, noncurrent_of, now, objects_of
from local_cloud.storage.failures import StorageError, invalid
from local_cloud.storage.names import check_bucket, check_labels
from local_cloud.storage.paging import page_of
from local_cloud.storage.preconditions import check
from local_cloud.storage.regions import placement

if TYPE_CHECKING:
    from local_cloud.organization import OrganizationPolicies
    from local_cloud.storage.backend import Backend, Call

_CLASSES = {"STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"}
_PREVENTION = {"enforced", "inherited"}

#: A new bucket keeps deleted objects for a week.
_SOFT_DELETE_SECONDS = 7 * 24 * 3600

#: How long uniform access can be switched off again.
_UNIFORM_LOCK = timedelta(days=90)

#: What a client may set; the rest of a bucket resource is the service's.
_WRITABLE = {
    "autoclass",
    "billing",
    "cors",
    "customPlacementConfig",
    "defaultEventBasedHold",
    "encryption",
    "hierarchicalNamespace",
    "iamConfiguration",
    "ipFilter",
    "labels",
    "lifecycle",
    "logging",
    "objectRetention",
    "retentionPolicy",
    "rpo",
    "softDeletePolicy",
    "storageClass",
    "versioning",
    "website",
}


class Buckets:
    """The calls on buckets."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def insert(self, call: Call) -> dict[str, Any]:
        """Make a bucket in a project."""
        body = call.json()
        name = str(body.get("name", ""))
        if "project" not in call.args:
            raise StorageError(400, "required", "Required parameter: project")
        check_bucket(name)
        project = self._backend.require_in_project(
            call, "storage.buckets.create", call.args["project"]
        )
        regions = (body.get("customPlacementConfig") or {}).get("dataLocations", [])
        place = placement(body.get("location") or "US", regions)
        made = now()
        resource: dict[str, Any] = {
            "name": name,
            "projectNumber": project["number"],
            "generation": str(self._backend.content.new_generation()),
            "metageneration": "1",
            "timeCreated": made,
            "updated": made,
            "storageClass": "STANDARD",
            "iamConfiguration": {},
            "softDeletePolicy": {"retentionDurationSeconds": str(_SOFT_DELETE_SECONDS)},
        }
        merge(resource, {key: value for key, value in body.items() if key in _WRITABLE})
        resource.update(place)
        if place["locationType"] == "region":
            resource["satisfiesPZI"] = True
        _settle(resource)
        _require_allowed(self._backend.access.organization, resource)
        with self._backend.content.lock:
            other = self._backend.store.get("bucket", name)
            if other:
                raise _taken(own=other["project"] == project["id"])
            self._backend.content.add_bucket(name)
            record = {"project": project["id"], "resource": resource}
            self._backend.store.put("bucket", name, record)
            self._backend.access.set_policy(
                f"projects/_/buckets/{name}", _first_policy(project["id"])
            )
        return render(resource, call.base)

    def get(self, call: Call, name: str) -> dict[str, Any]:
        """Return a bucket."""
        resource = self._backend.require(call, "storage.buckets.get", name)["resource"]
        check(call.args, resource, reading=True)
        return render(resource, call.base)

    def list(self, call: Call) -> dict[str, Any]:
        """Return a page of a project's buckets."""
        if "project" not in call.args:
            raise StorageError(400, "required", "Required parameter: project")
        project = self._backend.require_in_project(
            call, "storage.buckets.list", call.args["project"]
        )
        found = self._backend.store.list("bucket", prefix=call.args.get("prefix", ""))
        mine = [(name, r["resource"]) for name, r in found if r["project"] == project["id"]]
        page, token = page_of(mine, call)
        items = [render(resource, call.base) for _, resource in page]
        return {
            "kind": "storage#buckets",
            **({"items": items} if items else {}),
            **({"nextPageToken": token} if token else {}),
        }

    def patch(self, call: Call, name: str) -> dict[str, Any]:
        """Change the fields that the body names."""
        return self._change(call, name, replace=False)

    def update(self, call: Call, name: str) -> dict[str, Any]:
        """Replace all fields that a client may set."""
        return self._change(call, name, replace=True)

    def delete(self, call: Call, name: str) -> None:
        """Remove an empty bucket; soft-deleted objects and unfinished uploads don't count."""
        record = self._backend.require(call, "storage.buckets.delete", name)
        with self._backend.content.lock:
            check(call.args, record["resource"])
            kinds = (objects_of(name), noncurrent_of(name))
            if any(self._backend.store.list(kind, limit=1) for kind in kinds):
                raise StorageError(409, "conflict", "The bucket you tried to delete is not empty.")
            self._backend.store.delete("bucket", name)
            history.forget(self._backend, name)
            self._backend.access.delete_policy(f"projects/_/buckets/{name}")
            self._backend.content.remove_bucket(name)

    def storage_layout(self, call: Call, name: str) -> dict[str, Any]:
        """Return where a bucket is, for callers that may only list its objects."""
        resource = self._backend.require(call, "storage.objects.list", name)["resource"]
        fields = ("location", "locationType", "customPlacementConfig", "hierarchicalNamespace")
        return {
            "kind": "storage#storageLayout",
            "bucket": name,
            **{key: resource[key] for key in fields if key in resource},
        }

    def _change(self, call: Call, name: str, *, replace: bool) -> dict[str, Any]:
        body = {key: value for key, value in call.json().items() if key in _WRITABLE}
        body.pop("customPlacementConfig", None)  # where a bucket is cannot be changed
        self._backend.require(call, "storage.buckets.update", name)
        with self._backend.content.lock:
            record = self._backend.require(call, "storage.buckets.update", name)
            resource = record["resource"]
            check(call.args, resource)
            before = resource["iamConfiguration"]["uniformBucketLevelAccess"]
            if replace:
                kept = {"storageClass", "iamConfiguration", "softDeletePolicy"}
                for key in _WRITABLE - kept - {"rpo", "customPlacementConfig"}:
                    resource.pop(key, None)
            merge(resource, body)
            resource["metageneration"] = str(int(resource["metageneration"]) + 1)
            resource["updated"] = now()
            _settle(resource, before)
            self._backend.store.put("bucket", name, record)
        return render(resource, call.base)


def render(resource: dict[str, Any], base: str) -> dict[str, Any]:
    """Return a bucket resource whole, with what follows from its name and the address used."""
    etag = base64.b64encode(f"b{resource['metageneration']}".encode()).decode()
    return {
        "kind": "storage#bucket",
        "id": resource["name"],
        "selfLink": f"{base}/storage/v1/b/{resource['name']}",
        "etag": etag,
        **resource,
    }


def _settle(resource: dict[str, Any], before: dict[str, Any] | None = None) -> None:
    """Check what a client has set, and fill in what the service adds to it."""
    resource["storageClass"] = str(resource.get("storageClass", "STANDARD")).upper()
    if resource["storageClass"] not in _CLASSES:
        raise invalid(f"The storage class you specified is not valid: {resource['storageClass']}.")
    if "labels" in resource:
        check_labels(resource["labels"])
        if not resource["labels"]:
            del resource["labels"]
    if resource.get("lifecycle") == {"rule": []}:
        del resource["lifecycle"]
    access = resource.setdefault("iamConfiguration", {})
    if access.setdefault("publicAccessPrevention", "inherited") not in _PREVENTION:
        raise invalid("Invalid value for publicAccessPrevention.")
    uniform = access.get("uniformBucketLevelAccess") or access.get("bucketPolicyOnly") or {}
    enabled = bool(uniform.get("enabled", False))
    uniform = {"enabled": enabled}
    if enabled:
        locked = (datetime.now(UTC) + _UNIFORM_LOCK).isoformat(timespec="milliseconds")
        uniform["lockedTime"] = (before or {}).get("lockedTime", locked.replace("+00:00", "Z"))
    access["uniformBucketLevelAccess"] = uniform
    access["bucketPolicyOnly"] = dict(uniform)
    policy = resource.get("softDeletePolicy")
    if policy is not None:
        policy["retentionDurationSeconds"] = str(policy.get("retentionDurationSeconds", 0))
        policy.setdefault("effectiveTime", resource["updated"])


def _first_policy(project: str) -> dict[str, Any]:
    """Return the policy that a new bucket has: the project's basic roles reach into it.

    Without uniform access, it is the default object ACL that gives the project's owners,
    editors and viewers their objects; there are no ACLs here, so the policy always does.
    """
    owners = [f"projectEditor:{project}", f"projectOwner:{project}"]
    viewers = [f"projectViewer:{project}"]
    return {
        "version": 1,
        "bindings": [
            {"role": f"roles/storage.legacy{kind}", "members": members}
            for kind, members in (
                ("BucketOwner", owners),
                ("BucketReader", viewers),
                ("ObjectOwner", owners),
                ("ObjectReader", viewers),
            )
        ],
    }


def _taken(*, own: bool) -> StorageError:
    if own:
        text = "Your previous request to create the named bucket succeeded and you already own it."
    else:
        text = (
            "The requested bucket name is not available. The bucket namespace is shared by all "
            "users of the system. Please select a different name and try again."
        )
    return StorageError(409, "conflict", text)


def _require_allowed(policies: OrganizationPolicies, resource: dict[str, Any]) -> None:
    """Refuse a bucket that a constraint of the organization forbids."""
    place = str(resource["location"]).lower()
    if not policies.allows(LOCATIONS, place):
        raise StorageError(412, "conditionNotMet", f"'{place}' violates constraint '{LOCATIONS}'")
    uniform = resource["iamConfiguration"].get("uniformBucketLevelAccess", {}).get("enabled")
    if not uniform and not policies.allows(UNIFORM_ACCESS, ""):
        raise StorageError(
            412, "conditionNotMet", f"Request violates constraint '{UNIFORM_ACCESS}'"
        )
