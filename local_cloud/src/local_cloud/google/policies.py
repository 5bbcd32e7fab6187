"""getIamPolicy, setIamPolicy and testIamPermissions, the same for every kind of resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.iam.v1 import iam_policy_pb2, policy_pb2
from google.protobuf import json_format

from local_cloud.access import NO_POLICY_ETAG

if TYPE_CHECKING:
    from local_cloud.access import Access
    from local_cloud.issuer import Caller


class Policies:
    """Answers the three methods for resources that exist.

    Parameters
    ----------
    access
        Keeps the policies.

    """

    tested_before_made = False
    """Whether permissions can be tested on what is not there yet: the inherited ones are told."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def require_existing(self, resource: str) -> None:
        """Raise `ApiError` if there is no such resource; each API has its own text."""
        raise NotImplementedError

    def get_iam_policy(self, request: Any, caller: Caller) -> policy_pb2.Policy:  # noqa: ARG002 - a handler
        """Return the policy set on the resource itself."""
        self.require_existing(request.resource)
        return _message(self._access.get_policy(request.resource))

    def set_iam_policy(self, request: Any, caller: Caller) -> policy_pb2.Policy:  # noqa: ARG002 - a handler
        """Replace the policy of the resource."""
        self.require_existing(request.resource)
        policy = json_format.MessageToDict(request.policy)
        return _message(self._access.change_policy(request.resource, policy))

    def test_iam_permissions(
        self, request: Any, caller: Caller
    ) -> iam_policy_pb2.TestIamPermissionsResponse:
        """Return those of the permissions that the caller has."""
        if not self.tested_before_made:
            self.require_existing(request.resource)
        held = self._access.test_permissions(caller, request.permissions, request.resource)
        return iam_policy_pb2.TestIamPermissionsResponse(permissions=held)


def _message(policy: dict[str, Any]) -> policy_pb2.Policy:
    if policy["etag"] == NO_POLICY_ETAG:
        policy = {"etag": NO_POLICY_ETAG}  # nothing else is told of a policy that was never set
    # The etag is bytes in the message and base64 of them in JSON: ParseDict decodes it.
    return json_format.ParseDict(policy, policy_pb2.Policy(), ignore_unknown_fields=True)
