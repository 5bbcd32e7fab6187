"""Defines the custom roles of the product in a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import google_apis
from llm_widgets.errors import NotFoundError
from llm_widgets.gcp.client.failures import explained
from llm_widgets.gcp.client.rest import call
from llm_widgets.gcp.iam import propagation

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.iam.account_roles import CustomRole


def ensure(clients: Clients, project: str, role: CustomRole) -> str:
    """Define a role, or add what the one that is there lacks; return its resource name.

    Raises
    ------
    ManagerError
        Roles may not be defined.
    """
    define(clients, project, role)
    return role.name(project)


def define(clients: Clients, project: str, role: CustomRole) -> bool:
    """Define a role, or complete the one that is there; return whether anything was changed.

    One that was deleted is there for a week, and comes back: its id can't be used again before.

    Raises
    ------
    ManagerError
        Roles may not be defined.
    """
    name = role.name(project)
    try:
        with _explained(clients, project, role, "get"):
            found = call(clients, "GET", google_apis.IAM, f"/v1/{name}")
    except NotFoundError:
        _create(clients, project, role)
        propagation.of(clients).made(name)
        return True
    is_back = bool(found.get("deleted"))
    if is_back:
        with _explained(clients, project, role, "undelete"):
            call(clients, "POST", google_apis.IAM, f"/v1/{name}:undelete", {})
        propagation.of(clients).made(name)
    held = found.get("includedPermissions", [])
    if set(role.permissions) <= set(held):
        return is_back
    wanted = {"includedPermissions": sorted({*held, *role.permissions})}
    with _explained(clients, project, role, "update"):
        call(
            clients, "PATCH", google_apis.IAM, f"/v1/{name}?updateMask=includedPermissions", wanted
        )
    return True


def delete(clients: Clients, project: str, role: CustomRole) -> bool:
    """Delete a role; return whether there was one. What it was granted on grants nothing more.

    Raises
    ------
    ManagerError
        It may not be deleted.
    """
    path = f"/v1/{role.name(project)}"
    try:
        with _explained(clients, project, role, "delete"):
            if call(clients, "GET", google_apis.IAM, path).get("deleted"):
                return False
            call(clients, "DELETE", google_apis.IAM, path)
    except NotFoundError:
        return False
    return True


def _create(clients: Clients, project: str, role: CustomRole) -> None:
    told = {"title": role.title, "includedPermissions": list(role.permissions), "stage": "GA"}
    with _explained(clients, project, role, "create"):
        body = {"roleId": role.id, "role": told}
        call(clients, "POST", google_apis.IAM, f"/v1/projects/{project}/roles", body)


def _explained(
    clients: Clients, project: str, role: CustomRole, verb: str
) -> AbstractContextManager[None]:
    doing = "delete" if verb == "delete" else "define"
    return explained(
        f"{doing} the role {role.id} in {project}",
        clients=clients,
        project=project,
        permission=f"iam.roles.{verb}",
    )
