"""IAM v1: predefined roles, and those that a project defines itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from google.cloud import iam_admin_v1

from local_cloud.access import CUSTOM_ROLE
from local_cloud.errors import ApiError
from local_cloud.google.gapic import HttpRule
from local_cloud.google.records import Records, copied
from local_cloud.roles import PERMISSIONS, ROLES, role_permissions

if TYPE_CHECKING:
    from local_cloud.access import Access
    from local_cloud.issuer import Caller
    from local_cloud.store import Store

# The client package has no REST transport to read these from; source: IAM API v1 reference.
HTTP = {
    "CreateRole": (HttpRule("POST", "/v1/{parent=projects/*}/roles", "*"),),
    "GetRole": (
        HttpRule("GET", "/v1/{name=projects/*/roles/*}", ""),
        HttpRule("GET", "/v1/{name=roles/*}", ""),
    ),
    "UpdateRole": (HttpRule("PATCH", "/v1/{name=projects/*/roles/*}", "role"),),
    "DeleteRole": (HttpRule("DELETE", "/v1/{name=projects/*/roles/*}", ""),),
    "UndeleteRole": (HttpRule("POST", "/v1/{name=projects/*/roles/*}:undelete", "*"),),
}

_CHANGEABLE = ("title", "description", "included_permissions", "stage")


class CustomRoles:
    """Answers the methods of IAMClient for roles of projects.

    Parameters
    ----------
    store
        Holds the roles (kind ``custom_role``), by names with the project's id.
    access
        Tells ids of projects.

    """

    def __init__(self, store: Store, access: Access) -> None:
        self._access = access
        self._roles = Records(store, CUSTOM_ROLE, iam_admin_v1.Role)

    def create_role(self, request: Any, caller: Caller) -> iam_admin_v1.Role:  # noqa: ARG002 - a handler
        """Make a role."""
        if not re.fullmatch(r"[a-zA-Z0-9_.]{3,64}", request.role_id):
            raise ApiError("INVALID_ARGUMENT", f"The role_id '{request.role_id}' is not valid.")
        made: iam_admin_v1.Role = copied(request.role)
        made.name = f"{self._access.canonical(request.parent)}/roles/{request.role_id}"
        found = self._roles.get(made.name)
        if found and found.deleted:
            raise ApiError(
                "FAILED_PRECONDITION",
                f"You can't create a role with role_id ({request.role_id}) where there is an "
                "existing role with that role_id in a deleted state.",
            )
        if found:
            raise ApiError(
                "ALREADY_EXISTS",
                f"A role named {request.role_id} in {request.parent} already exists.",
            )
        self._put(made)
        return made

    def get_role(self, request: Any, caller: Caller) -> iam_admin_v1.Role:  # noqa: ARG002 - a handler
        """Return a role with its permissions; everybody may read a predefined one."""
        if request.name in ROLES:
            held = sorted(role_permissions(request.name))
            return iam_admin_v1.Role(name=request.name, included_permissions=held, stage="GA")
        return self._get(request.name)

    def update_role(self, request: Any, caller: Caller) -> iam_admin_v1.Role:  # noqa: ARG002 - a handler
        """Change the fields that the mask names; all that can be changed without one."""
        role = self._get(request.name)
        for field in request.update_mask.paths or _CHANGEABLE:
            setattr(role, field, getattr(request.role, field))
        self._put(role)
        return role

    def delete_role(self, request: Any, caller: Caller) -> iam_admin_v1.Role:  # noqa: ARG002 - a handler
        """Delete a role: it grants nothing, and can be brought back for a week."""
        return self._mark(request.name, deleted=True)

    def undelete_role(self, request: Any, caller: Caller) -> iam_admin_v1.Role:  # noqa: ARG002 - a handler
        """Bring a role back."""
        return self._mark(request.name, deleted=False)

    def _mark(self, name: str, *, deleted: bool) -> iam_admin_v1.Role:
        role = self._get(name)
        role.deleted = deleted
        self._put(role)
        return role

    def _put(self, role: iam_admin_v1.Role) -> None:
        unknown = sorted(set(role.included_permissions) - PERMISSIONS)
        if unknown:
            raise ApiError("INVALID_ARGUMENT", f"Permission {unknown[0]} is not valid.")
        self._roles.put(role.name, role)

    def _get(self, name: str) -> iam_admin_v1.Role:
        found = self._roles.get(self._access.canonical(name))
        if found is None:
            raise ApiError("NOT_FOUND", f"The role named {name} was not found.")
        return found
