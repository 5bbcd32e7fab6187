"""IAM policies of buckets, as the JSON API gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_cloud.storage.failures import StorageError, invalid

if TYPE_CHECKING:
    from local_cloud.storage.backend import Backend, Call

_PUBLIC = {"allUsers", "allAuthenticatedUsers"}

#: The version of policies that can hold conditions.
_CONDITIONAL = 3


class BucketIam:
    """The calls on a bucket's policy."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def get(self, call: Call, bucket: str) -> dict[str, Any]:
        """Return the policy."""
        self._backend.require(call, "storage.buckets.getIamPolicy", bucket)
        policy = self._backend.access.get_policy(_resource(bucket))
        conditional = any("condition" in binding for binding in policy["bindings"])
        wanted = call.number("optionsRequestedPolicyVersion", 1)
        if conditional and wanted < _CONDITIONAL:
            raise invalid(
                "Requested policy version is too low for a policy with conditions: use "
                "optionsRequestedPolicyVersion=3."
            )
        return _render(bucket, policy)

    def set(self, call: Call, bucket: str) -> dict[str, Any]:
        """Replace the policy, if it is still the one that was read."""
        body = call.json()
        record = self._backend.require(call, "storage.buckets.setIamPolicy", bucket)
        access = record["resource"]["iamConfiguration"]
        bindings = body.get("bindings", [])
        members = {member for binding in bindings for member in binding.get("members", [])}
        if access["publicAccessPrevention"] == "enforced" and members & _PUBLIC:
            raise StorageError(
                412,
                "conditionNotMet",
                "The member bindings allUsers and allAuthenticatedUsers are not allowed since "
                "public access prevention is enforced.",
            )
        if any("condition" in binding for binding in bindings):
            if body.get("version") != _CONDITIONAL:
                raise invalid("A policy with conditions must have version 3.")
            if not access["uniformBucketLevelAccess"]["enabled"]:
                raise invalid(
                    "Conditions are allowed only with uniform bucket-level access enabled."
                )
        return _render(bucket, self._backend.access.change_policy(_resource(bucket), body))

    def test(self, call: Call, bucket: str) -> dict[str, Any]:
        """Return which of the permissions asked for the caller has."""
        self._backend.bucket(bucket)
        wanted = call.request.args.getlist("permissions")
        held = self._backend.access.test_permissions(call.caller, wanted, _resource(bucket))
        return {
            "kind": "storage#testIamPermissionsResponse",
            **({"permissions": held} if held else {}),
        }


def _resource(bucket: str) -> str:
    return f"projects/_/buckets/{bucket}"


def _render(bucket: str, policy: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "storage#policy", "resourceId": _resource(bucket), **policy}
