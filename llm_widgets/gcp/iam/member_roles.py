"""Roles of members in the IAM policies of projects, service accounts and buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.client.failures import explained
from llm_widgets.gcp.client.rest import call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from llm_widgets.gcp.client.clients import Clients

_ATTEMPTS = 5
_ADMINISTRATION = "cloudresourcemanager.googleapis.com"


def on_project(clients: Clients, project: str, member: str) -> frozenset[str]:
    """Give the roles that a project's own policy gives a member without a condition.

    Raises
    ------
    ManagerError
        The policy may not be read.
    """
    with explained(
        f"read the IAM policy of {project}",
        clients=clients,
        project=project,
        permission="resourcemanager.projects.getIamPolicy",
    ):
        policy = _project_policy(clients, project)
    return frozenset(
        binding["role"]
        for binding in policy.get("bindings", [])
        if member in binding.get("members", []) and not binding.get("condition")
    )


def grant_on_project(clients: Clients, project: str, roles: Iterable[str], member: str) -> None:
    """Grant roles on a project; what the policy holds already is kept.

    Raises
    ------
    ManagerError
        The policy may not be changed, or others change it all the time.
    """
    with explained(
        f"grant roles in {project}",
        clients=clients,
        project=project,
        permission="resourcemanager.projects.setIamPolicy",
    ):
        path = f"/v3/projects/{project}:setIamPolicy"
        _change(
            lambda: _project_policy(clients, project),
            lambda policy: call(clients, "POST", _ADMINISTRATION, path, {"policy": policy}),
            roles,
            member,
        )


def grant_on_account(
    clients: Clients, project: str, account: str, roles: Iterable[str], member: str
) -> None:
    """Grant roles on a service account; what the policy holds already is kept.

    Raises
    ------
    ManagerError
        The policy may not be changed, or others change it all the time.
    """
    with explained(
        f"grant roles on {account}",
        clients=clients,
        project=project,
        permission="iam.serviceAccounts.setIamPolicy",
    ):
        host = "iam.googleapis.com"
        path = f"/v1/projects/{project}/serviceAccounts/{quote(account)}"
        _change(
            lambda: call(
                clients, "POST", host, f"{path}:getIamPolicy?options.requestedPolicyVersion=3"
            ),
            lambda policy: call(clients, "POST", host, f"{path}:setIamPolicy", {"policy": policy}),
            roles,
            member,
        )


def grant_on_bucket(
    clients: Clients, project: str, bucket: str, roles: Iterable[str], member: str
) -> None:
    """Grant roles on a bucket; what the policy holds already is kept.

    Raises
    ------
    ManagerError
        The policy may not be changed, or others change it all the time.
    """
    with explained(
        f"grant roles on the bucket {bucket}",
        clients=clients,
        project=project,
        bucket=bucket,
        permission="storage.buckets.setIamPolicy",
    ):
        path = f"/storage/v1/b/{quote(bucket)}/iam"
        host = "storage.googleapis.com"
        _change(
            lambda: call(clients, "GET", host, f"{path}?optionsRequestedPolicyVersion=3"),
            lambda policy: call(clients, "PUT", host, path, policy),
            roles,
            member,
        )


def _change(
    read: Callable[[], dict[str, Any]],
    write: Callable[[dict[str, Any]], object],
    roles: Iterable[str],
    member: str,
) -> None:
    """Read, add and write; once more from the start when somebody else was faster."""
    wanted = list(roles)
    for attempt in range(1, _ATTEMPTS + 1):
        policy = read()
        if not _add(policy, wanted, member):
            return
        try:
            write(policy)
        except (lazy.api_exceptions.Conflict, lazy.api_exceptions.PreconditionFailed):
            if attempt == _ATTEMPTS:
                raise
        else:
            return


def _add(policy: dict[str, Any], roles: list[str], member: str) -> bool:
    """Add a member to the bindings without a condition; say whether that changed anything."""
    policy["version"] = 3  # conditions of other bindings are lost below version 3
    bindings = policy.setdefault("bindings", [])
    changed = False
    for role in roles:
        found = next((b for b in bindings if b["role"] == role and not b.get("condition")), None)
        if found is None:
            bindings.append({"role": role, "members": [member]})
            changed = True
        elif member not in found["members"]:
            found["members"] = [*found["members"], member]
            changed = True
    return changed


def _project_policy(clients: Clients, project: str) -> dict[str, Any]:
    path = f"/v3/projects/{project}:getIamPolicy"
    body = {"options": {"requestedPolicyVersion": 3}}
    return call(clients, "POST", _ADMINISTRATION, path, body)
