"""Who calls, and what they may do: IAM policies on resources, inherited from the project."""

from __future__ import annotations

import base64
import re
import secrets
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from local_cloud.conditions import check, holds
from local_cloud.errors import DENIAL, ApiError, error_info
from local_cloud.issuer import ANONYMOUS, Caller, Issuer, unauthenticated
from local_cloud.organization import OrganizationPolicies
from local_cloud.roles import ROLES, role_permissions, valid_on
from local_cloud.spreading import Spreading

if TYPE_CHECKING:
    from collections.abc import Iterable

    from werkzeug.wrappers import Request

    from local_cloud.faults import Faults
    from local_cloud.store import Store

__all__ = ["ANONYMOUS", "Access", "Caller", "Denied", "Unauthenticated"]

NO_POLICY_ETAG = "ACAB"
"""The etag of a policy that was never set, as Google's."""

# Etags are bytes: a client may send them back in either alphabet of base64, and gcloud does.
_STANDARD_BASE64 = str.maketrans("-_", "+/")

CONDITIONAL = 3
"""Version of a policy with conditions; all others are of version 1, whatever was asked for."""

MAX_TESTED = 100
"""Permissions in one testIamPermissions call."""

_POLICY = "policy"
CUSTOM_ROLE = "custom_role"
"""Kind of the records of roles that a project defines itself, by their names."""

SERVICE_AGENT = "service_agent"
"""Kind of the records of accounts by which Google's own services act, by their addresses."""

_AGENTS_MADE = re.compile(r"service-\d+@gcp-sa-iap\.iam\.gserviceaccount\.com")
"""Those that are known to be there only once they were asked for."""

_BASIC_ROLES = {
    "projectOwner": "roles/owner",
    "projectEditor": "roles/editor",
    "projectViewer": "roles/viewer",
}
_MEMBER = re.compile(
    r"(allUsers|allAuthenticatedUsers|(user|serviceAccount|group):[^\s@:]+@[^\s@:]+"
    r"|domain:\S+|deleted:\S+|project(Owner|Editor|Viewer):[a-z0-9-]+|principal(Set)?://\S+)"
)


class Unauthenticated(ApiError):  # noqa: N818 - the name of the answer, as google.rpc.Code
    """The request carries no valid token (401)."""

    def __init__(self, *, missing: bool) -> None:
        refusal = unauthenticated(missing=missing)
        super().__init__(refusal.reason, refusal.message, refusal.details)


class Denied(ApiError):  # noqa: N818 - what happened to the caller
    """The caller lacks a permission (403).

    Parameters
    ----------
    caller, permission, resource
        What was refused, for APIs that word it differently.
    wording
        What the API says, with places for permission and resource.

    """

    def __init__(
        self, caller: Caller, permission: str, resource: str, wording: str = DENIAL
    ) -> None:
        super().__init__(
            "PERMISSION_DENIED",
            wording.format(permission=permission, resource=resource),
            [
                error_info(
                    "IAM_PERMISSION_DENIED",
                    f"{permission.partition('.')[0]}.googleapis.com",
                    permission=permission,
                    resource=resource,
                )
            ],
        )
        self.caller = caller
        self.permission = permission
        self.resource = resource


class Access:
    """Decides who calls and whether they may.

    Parameters
    ----------
    store
        Holds the policies (kind ``policy``), projects, buckets and service accounts.
    faults
        Holds the permissions that are denied to everybody.

    Attributes
    ----------
    spreading
        What was changed and has no effect yet.
    organization
        What the organization's policies forbid.

    """

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store = store
        self._faults = faults
        self._issuer = Issuer(store)
        self.spreading = Spreading(store, faults)
        self.organization = OrganizationPolicies(faults)

    # -- callers ---------------------------------------------------------------------------------

    def caller(self, request: Request, *, allow_anonymous: bool = False) -> Caller:
        """Return who makes a request.

        Parameters
        ----------
        request
            Its ``Authorization`` header is read.
        allow_anonymous
            Without a header, answer ``ANONYMOUS`` in place of a refusal.

        Raises
        ------
        Unauthenticated
            No token, or one that is not valid.

        """
        header = request.headers.get("Authorization", "")
        quota_project = request.headers.get("X-Goog-User-Project", "")
        return self.caller_of(header, quota_project, allow_anonymous=allow_anonymous)

    def caller_of(
        self, authorization: str, quota_project: str = "", *, allow_anonymous: bool = False
    ) -> Caller:
        """Return who an ``Authorization`` header stands for; see `caller`."""
        if not authorization:
            if allow_anonymous:
                return ANONYMOUS
            raise Unauthenticated(missing=True)
        scheme, _, token = authorization.partition(" ")
        found = self._issuer.access_caller(token.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise Unauthenticated(missing=False)
        return replace(found, quota_project=quota_project)

    # -- permissions -----------------------------------------------------------------------------

    def require(
        self, caller: Caller, permission: str, resource: str, wording: str = DENIAL
    ) -> None:
        """Raise `Denied` unless the caller has the permission on the resource."""
        if not self.granted(caller, [permission], resource):
            raise Denied(caller, permission, resource, wording)

    def granted(self, caller: Caller, permissions: Iterable[str], resource: str) -> list[str]:
        """Return those permissions that the caller has, in the order given."""
        held = self._held(caller, resource)
        denied = self._faults.denied_permissions
        return [p for p in permissions if p in held and not any(fnmatchcase(p, d) for d in denied)]

    def test_permissions(
        self, caller: Caller, permissions: Iterable[str], resource: str
    ) -> list[str]:
        """Answer a ``testIamPermissions`` call.

        Raises
        ------
        ApiError
            400 for a wildcard, for more than 100 permissions, and for a permission that means
            nothing on this resource.

        """
        wanted = list(permissions)
        if len(wanted) > MAX_TESTED:
            raise ApiError("INVALID_ARGUMENT", f"Can test at most {MAX_TESTED} permissions.")
        for permission in wanted:
            if not valid_on(permission, self.canonical(resource)):
                raise ApiError(
                    "INVALID_ARGUMENT", f"Permission {permission} is not valid for this resource."
                )
        return self.granted(caller, wanted, resource)

    def _held(self, caller: Caller, resource: str) -> set[str]:
        held: set[str] = set()
        for place in self._lineage(resource):
            for binding in self._effective(place):
                if self._is_member(caller, binding["members"]) and holds(binding, resource):
                    held |= self._permissions(binding["role"])
        return held

    def _permissions(self, role: str) -> frozenset[str]:
        custom = self._store.get(CUSTOM_ROLE, role)
        if custom:
            return frozenset(() if custom.get("deleted") else custom.get("includedPermissions", []))
        return role_permissions(role)

    def _is_member(self, caller: Caller, members: Iterable[str]) -> bool:
        names = {"allUsers"}
        if caller != ANONYMOUS:
            names |= {"allAuthenticatedUsers", caller.member}
        for member in members:
            kind, _, project = member.partition(":")
            if member in names:
                return True
            if kind in _BASIC_ROLES:
                for binding in self._effective(f"projects/{project}"):
                    if binding["role"] == _BASIC_ROLES[kind] and names & set(binding["members"]):
                        return True
        return False

    def _effective(self, resource: str) -> list[dict[str, Any]]:
        name = self.canonical(resource)
        return self.spreading.effective(name, self.get_policy(name)["bindings"])

    # -- policies --------------------------------------------------------------------------------

    def get_policy(self, resource: str) -> dict[str, Any]:
        """Return the IAM policy of a resource itself, without what it inherits."""
        empty = {"version": 1, "etag": NO_POLICY_ETAG, "bindings": []}
        return self._store.get(_POLICY, self.canonical(resource)) or empty

    def set_policy(self, resource: str, policy: dict[str, Any]) -> dict[str, Any]:
        """Replace the IAM policy of a resource.

        Parameters
        ----------
        resource
            Its name.
        policy
            ``bindings``, and ``etag`` (base64) if it was read before.

        Returns
        -------
        dict
            The policy with its new etag.

        Raises
        ------
        ApiError
            409 ABORTED if another policy was set since; 400 for a role or a member that is not.

        """
        bindings = [self._checked(binding) for binding in policy.get("bindings", [])]
        name = self.canonical(resource)
        with self._store.transaction():
            etag = policy.get("etag")
            if etag and etag.translate(_STANDARD_BASE64) != self.get_policy(name)["etag"]:
                raise ApiError(
                    "ABORTED",
                    "There were concurrent policy changes. Please retry the whole "
                    "read-modify-write with exponential backoff.",
                )
            made = {
                "version": CONDITIONAL if any("condition" in b for b in bindings) else 1,
                "etag": base64.b64encode(b"\x07" + secrets.token_bytes(8)).decode(),
                "bindings": [b for b in bindings if b["members"]],
            }
            self._store.put(_POLICY, name, made)
        return made

    def change_policy(self, resource: str, policy: dict[str, Any]) -> dict[str, Any]:
        """Replace a policy as callers do: see `set_policy`, with an effect that comes in time."""
        name = self.canonical(resource)
        self.organization.require_members(name, policy.get("bindings", []))
        with self._store.transaction():
            before = self.get_policy(name)["bindings"]
            made = self.set_policy(name, policy)
            self.spreading.changed(name, before, made["bindings"])
        return made

    def delete_policy(self, resource: str) -> None:
        """Forget the policy of a resource that is gone."""
        name = self.canonical(resource)
        self._store.delete(_POLICY, name)
        self.spreading.forget(name)

    def account(self, email: str) -> dict[str, Any] | None:
        """Return a service account as it is kept; None if there is none, or none known yet."""
        found = self._store.get("service_account", email)
        return found if found is not None and self.spreading.knows(found) else None

    def _checked(self, binding: dict[str, Any]) -> dict[str, Any]:
        role, members = binding.get("role", ""), list(binding.get("members", []))
        check(binding)
        custom = re.fullmatch(r"(projects|organizations)/[^/]+/roles/\w+", role)
        if role not in ROLES and not custom:
            raise ApiError("INVALID_ARGUMENT", f"Role {role} is not supported for this resource.")
        for member in members:
            if not _MEMBER.fullmatch(member):
                raise ApiError(
                    "INVALID_ARGUMENT",
                    f"Invalid member: '{member}'. The member must be of the form "
                    "'user|serviceAccount|group:{email}', 'domain:{domain}' or 'allUsers'.",
                )
            kind, _, email = member.partition(":")
            if kind == "serviceAccount" and not self._may_exist(email):
                raise ApiError("INVALID_ARGUMENT", f"Service account {email} does not exist.")
        return {**binding, "role": role, "members": sorted(set(members))}

    def _may_exist(self, email: str) -> bool:
        """Judge only accounts of our own projects, and agents: others are made elsewhere."""
        if _AGENTS_MADE.fullmatch(email):
            agent = self._store.get(SERVICE_AGENT, email)
            return agent is not None and self.spreading.knows(agent)
        project, found = re.fullmatch(r"[^@]+@([^.]+)\.iam\.gserviceaccount\.com", email), None
        if project:
            found = self._store.get("project", project[1])
        return found is None or self.account(email) is not None

    # -- resources -------------------------------------------------------------------------------

    def canonical(self, resource: str) -> str:
        """Return a resource's name with the project's id, whatever names it."""
        parts = resource.strip("/").split("/")
        if len(parts) >= 4 and parts[0] == "projects" and parts[2] == "serviceAccounts":  # noqa: PLR2004 - projects/P/serviceAccounts/E
            account = self._store.get("service_account", parts[3])
            if account:
                parts[1] = account["project"]
        if len(parts) > 1 and parts[0] == "projects" and parts[1].isdigit():
            parts[1] = self.project_id(parts[1]) or parts[1]
        return "/".join(parts)

    def project_id(self, name: str) -> str | None:
        """Return the id of a project named by id or number; None if there is none."""
        if self._store.get("project", name):
            return name
        for project_id, project in self._store.list("project"):
            if project["number"] == name:
                return project_id
        return None

    def _lineage(self, resource: str) -> list[str]:
        """Return the resource and what it inherits from, its project last."""
        parts = self.canonical(resource).split("/")
        if parts[:3] == ["projects", "_", "buckets"]:
            parts = parts[:4]  # objects have no policies of their own
        places = ["/".join(parts[:n]) for n in range(len(parts), 2, -1) if n % 2 == 0]
        project = parts[1] if len(parts) > 1 else ""
        if parts[:3] == ["projects", "_", "buckets"] and len(parts) > 3:  # noqa: PLR2004 - projects/_/buckets/B
            project = (self._store.get("bucket", parts[3]) or {}).get("project", "")
        return [*places, f"projects/{project}"]
