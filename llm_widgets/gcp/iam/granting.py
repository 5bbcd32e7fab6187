"""Granting a role on a project, a service account, a secret or a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.errors import ConflictError, InvalidInputError
from llm_widgets.gcp.client.failures import explained
from llm_widgets.gcp.client.rest import call
from llm_widgets.gcp.iam import bucket_readers

if TYPE_CHECKING:
    from llm_widgets.gcp.client.clients import Clients

_ATTEMPTS = 5
_VERSION = 3  # of policies: those with conditions
_ASKED = f"options.requestedPolicyVersion={_VERSION}"


def grant(clients: Clients, resource: str, role: str, member: str, *, project: str) -> None:
    """Grant a role; other bindings and conditions are kept.

    Parameters
    ----------
    resource
        ``projects/P``, ``serviceAccounts/E``, ``projects/P/secrets/S`` or ``buckets/B``; of a
        bucket, only the role that lets read it.
    project
        Where it lies, for the fix of a refusal.

    Raises
    ------
    ManagerError
        The policy may not be changed, or others change it all the time.
    """
    kind, _, name = resource.partition("/")
    if kind == "buckets" and role == bucket_readers.READER:
        bucket_readers.grant_reader(clients, name, member, project=project)
        return
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with explained(
                f"grant {role} on {name} to {member}",
                clients=clients,
                project=project,
                permission=_permission(resource),
            ):
                _add(clients, resource, role, member)
        except ConflictError:
            if attempt == _ATTEMPTS:
                raise
        else:
            return


def _add(clients: Clients, resource: str, role: str, member: str) -> None:
    policy = _read(clients, resource)
    bindings: list[dict[str, Any]] = policy.setdefault("bindings", [])
    plain = next((b for b in bindings if b["role"] == role and not b.get("condition")), None)
    if plain is None:
        bindings.append({"role": role, "members": [member]})
    elif member in plain["members"]:
        return
    else:
        plain["members"].append(member)
    host, path = _place(resource)
    body = {"policy": {**policy, "version": _VERSION}}
    call(clients, "POST", host, f"{path}:setIamPolicy", body)


def _read(clients: Clients, resource: str) -> dict[str, Any]:
    host, path = _place(resource)
    if host.startswith("cloudresourcemanager."):
        body = {"options": {"requestedPolicyVersion": _VERSION}}
        return call(clients, "POST", host, f"{path}:getIamPolicy", body)
    method = "POST" if host.startswith("iam.") else "GET"
    return call(clients, method, host, f"{path}:getIamPolicy?{_ASKED}")


def _place(resource: str) -> tuple[str, str]:
    kind, _, name = resource.partition("/")
    if kind == "serviceAccounts":
        return "iam.googleapis.com", f"/v1/projects/-/serviceAccounts/{name}"
    if kind == "projects" and "/secrets/" in name:
        return "secretmanager.googleapis.com", f"/v1/{resource}"
    if kind == "projects" and "/" not in name:
        return "cloudresourcemanager.googleapis.com", f"/v3/{resource}"
    raise InvalidInputError(f"Nothing is known of granting roles on {resource}.")


def _permission(resource: str) -> str:
    if resource.startswith("serviceAccounts/"):
        return "iam.serviceAccounts.setIamPolicy"
    if "/secrets/" in resource:
        return "secretmanager.secrets.setIamPolicy"
    return "resourcemanager.projects.setIamPolicy"
