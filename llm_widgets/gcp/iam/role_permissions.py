"""Which permissions roles hold: known ones by a table, others by asking IAM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import google_apis
from llm_widgets.gcp.client.failures import explained
from llm_widgets.gcp.client.rest import call

if TYPE_CHECKING:
    from llm_widgets.gcp.client.clients import Clients

OBJECTS_GET = "storage.objects.get"
OBJECTS_LIST = "storage.objects.list"

_BOTH = frozenset({OBJECTS_GET, OBJECTS_LIST})
_GET = frozenset({OBJECTS_GET})
_LIST = frozenset({OBJECTS_LIST})

# Source: https://cloud.google.com/iam/docs/roles-permissions/storage, November 2026. The basic
# roles reach objects by the bindings that buckets have for them, and not by themselves.
_READING = {
    "roles/storage.objectViewer": _BOTH,
    "roles/storage.objectUser": _BOTH,
    "roles/storage.objectAdmin": _BOTH,
    "roles/storage.admin": _BOTH,
    "roles/storage.legacyObjectReader": _GET,
    "roles/storage.legacyObjectOwner": _GET,
    "roles/storage.legacyBucketReader": _LIST,
    "roles/storage.legacyBucketWriter": _LIST,
    "roles/storage.legacyBucketOwner": _LIST,
    "roles/owner": frozenset(),
    "roles/editor": frozenset(),
    "roles/viewer": frozenset(),
}

_OFF = "DISABLED"


def holds(clients: Clients, role: str, permission: str, *, project: str) -> bool:
    """Return whether a role holds a permission on objects of buckets.

    Raises
    ------
    ManagerError
        IAM does not tell.
    """
    if role in _READING:
        return permission in _READING[role]
    with explained(
        f"read which permissions {role} has",
        clients=clients,
        project=project,
        permission="iam.roles.get",
    ):
        found = call(clients, "GET", google_apis.IAM, f"/v1/{role}")
    is_on = not found.get("deleted") and found.get("stage") != _OFF
    return is_on and permission in found.get("includedPermissions", [])
