"""The one way to read and to change an IAM policy, whatever carries it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from llm_widgets.domain import google_apis
from llm_widgets.errors import InvalidInputError
from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.client.failures import explained
from llm_widgets.gcp.client.rest import call
from llm_widgets.gcp.iam import propagation
from llm_widgets.gcp.refusals import outcomes, reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager
    from datetime import datetime

    from llm_widgets.gcp.client.clients import Clients

    Policy = dict[str, Any]
    Edit = Callable[[Policy], bool]

_VERSION = 3
"""Of policies: a lower one can neither show nor keep the conditions of bindings."""

_PATIENCE = 6.0
"""Seconds for which a change is tried again while others change the policy, too."""

_FIRST_WAIT = 0.1
_LONGEST_WAIT = 2.0


@dataclass(frozen=True, slots=True)
class Grant:
    """A member that has a role by a policy.

    Attributes
    ----------
    condition
        Title of the condition under which it has the role, or its expression where there is no
        title; empty where it has the role without a condition.
    """

    member: str
    role: str
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """What carries a policy, and how its API reads and writes it.

    Attributes
    ----------
    title
        What a person calls it, for example ``"the bucket models"``.
    permission
        What its permissions begin with, for example ``"storage.buckets"``.
    host, path
        Where its API has it.
    project, bucket
        Where it lies, for the fix of a refusal.
    """

    title: str
    permission: str
    host: str
    path: str
    project: str = ""
    bucket: str = ""

    def read(self, clients: Clients) -> Policy:
        """Return the policy as the API answers it."""
        query = f"options.requestedPolicyVersion={_VERSION}"
        return call(clients, "GET", self.host, f"{self.path}:getIamPolicy?{query}")

    def write(self, clients: Clients, policy: Policy) -> None:
        """Replace the policy, if it has the etag that ``policy`` has."""
        call(clients, "POST", self.host, f"{self.path}:setIamPolicy", {"policy": policy})

    def explained(self, clients: Clients, doing: str, verb: str) -> AbstractContextManager[None]:
        """Explain what goes wrong with ``getIamPolicy`` or ``setIamPolicy``."""
        return explained(
            doing,
            clients=clients,
            project=self.project,
            bucket=self.bucket,
            permission=f"{self.permission}.{verb}",
        )


class _Project(Resource):
    __slots__ = ()

    def read(self, clients: Clients) -> Policy:
        body = {"options": {"requestedPolicyVersion": _VERSION}}
        return call(clients, "POST", self.host, f"{self.path}:getIamPolicy", body)


class _Visited(_Project):
    """A service behind Identity-Aware Proxy; its API is asked as Resource Manager is."""

    __slots__ = ()


class _ServiceAccount(Resource):
    __slots__ = ()

    def read(self, clients: Clients) -> Policy:
        query = f"options.requestedPolicyVersion={_VERSION}"
        return call(clients, "POST", self.host, f"{self.path}:getIamPolicy?{query}")


class _Bucket(Resource):
    __slots__ = ()

    def read(self, clients: Clients) -> Policy:
        query = f"optionsRequestedPolicyVersion={_VERSION}"
        return call(clients, "GET", self.host, f"{self.path}/iam?{query}")

    def write(self, clients: Clients, policy: Policy) -> None:
        call(clients, "PUT", self.host, f"{self.path}/iam", policy)


def of_project(project_id: str) -> Resource:
    """Return a project."""
    return _Project(
        f"the project {project_id}",
        "resourcemanager.projects",
        google_apis.RESOURCE_MANAGER,
        f"/v3/projects/{project_id}",
        project_id,
    )


def of_bucket(name: str, *, project: str = "") -> Resource:
    """Return a bucket."""
    path = f"/storage/v1/b/{quote(name)}"
    host = google_apis.STORAGE
    return _Bucket(f"the bucket {name}", "storage.buckets", host, path, project, name)


def of_service_account(email: str, *, project: str) -> Resource:
    """Return a service account, whichever project it is of.

    Parameters
    ----------
    project
        The one it is used in.
    """
    path = f"/v1/projects/-/serviceAccounts/{quote(email)}"
    return _ServiceAccount(email, "iam.serviceAccounts", google_apis.IAM, path, project)


def of_secret(name: str) -> Resource:
    """Return a secret, given its resource name."""
    _, project_id, _, secret_id = name.split("/")
    return Resource(
        f"the secret {secret_id}",
        "secretmanager.secrets",
        google_apis.SECRET_MANAGER,
        f"/v1/{name}",
        project_id,
    )


def of_cloud_run(name: str) -> Resource:
    """Return a service or a job of Cloud Run, given its resource name."""
    _, project_id, _, _, kind, short = name.split("/")
    return Resource(
        f"the {kind.removesuffix('s')} {short}",
        f"run.{kind}",
        google_apis.RUN,
        f"/v2/{name}",
        project_id,
    )


def of_visited(name: str, *, project: str) -> Resource:
    """Return a service as Identity-Aware Proxy has it, given its resource name there."""
    title = f"the visitors of {name.rsplit('/', 1)[-1]}"
    return _Visited(title, "iap.webServices", google_apis.IAP, f"/v1/{name}", project)


def named(resource: str, *, project: str) -> Resource:
    """Return what a name stands for.

    Parameters
    ----------
    resource
        ``projects/P``, ``serviceAccounts/E``, ``projects/P/secrets/S`` or ``buckets/B``.
    project
        Where it is used.

    Raises
    ------
    InvalidInputError
        It stands for nothing that roles are granted on.
    """
    match resource.split("/"):
        case ["projects", project_id]:
            return of_project(project_id)
        case ["serviceAccounts", email]:
            return of_service_account(email, project=project)
        case ["projects", _, "secrets", _]:
            return of_secret(resource)
        case ["buckets", name]:
            return of_bucket(name, project=project)
    raise InvalidInputError(f"Nothing is known of granting roles on {resource}.")


def bindings(clients: Clients, resource: Resource) -> list[dict[str, Any]]:
    """Return the bindings of a resource's own policy, with their conditions.

    Raises
    ------
    ManagerError
        The policy may not be read.
    """
    found: list[dict[str, Any]] = _read(clients, resource).get("bindings", [])
    return found


def grants(clients: Clients, resource: Resource) -> tuple[Grant, ...]:
    """List what a resource's own policy grants; what is inherited is not in there.

    Raises
    ------
    ManagerError
        The policy may not be read.
    """
    return tuple(
        Grant(member, binding["role"], _condition(binding))
        for binding in bindings(clients, resource)
        for member in sorted(binding.get("members", []))
    )


def roles_of(clients: Clients, resource: Resource, member: str) -> frozenset[str]:
    """Return the roles that a resource's own policy gives a member without a condition.

    Raises
    ------
    ManagerError
        The policy may not be read.
    """
    found = grants(clients, resource)
    return frozenset(each.role for each in found if each.member == member and not each.condition)


def grant(
    clients: Clients, resource: Resource, roles: Iterable[str], member: str, *, doing: str = ""
) -> bool:
    """Grant roles without a condition; all other bindings are kept. Return whether any was new.

    A member or a role that was made moments ago and is not known yet is waited for.

    Parameters
    ----------
    doing
        What it is for, as it goes on after "Can't" where it is refused.

    Raises
    ------
    ManagerError
        The policy may not be changed, or others change it all the time.
    """
    wanted = tuple(roles)
    is_new = False

    def add(policy: Policy) -> bool:
        nonlocal is_new
        changes = [_add(policy, role, member) for role in wanted]
        is_new = any(changes)
        return is_new

    what = doing or f"grant {' and '.join(wanted)} on {resource.title} to {member}"
    propagation.until_known(clients, lambda: change(clients, resource, what, add), member, *wanted)
    if is_new:
        propagation.of(clients).granted(resource.path, member)
    return is_new


def lend(
    clients: Clients, resource: Resource, given: Grant, until: datetime, *, doing: str = ""
) -> None:
    """Grant a role that ends by itself, in place of what was lent by the same title before.

    A member that was made moments ago and is not known yet is waited for.

    Parameters
    ----------
    given
        Its condition is the title, by which :func:`revoke` finds it.
    until
        When it ends; a whole second, in UTC.
    doing
        See :func:`grant`.

    Raises
    ------
    ManagerError
        See :func:`grant`.
    """
    expression = f'request.time < timestamp("{until:%Y-%m-%dT%H:%M:%SZ}")'
    condition = {"title": given.condition, "expression": expression}

    def put(policy: Policy) -> bool:
        _remove(policy, given)
        made = {"role": given.role, "members": [given.member], "condition": condition}
        policy.setdefault("bindings", []).append(made)
        return True

    what = doing or f"grant {given.role} on {resource.title} to {given.member}"
    propagation.until_known(clients, lambda: change(clients, resource, what, put), given.member)
    propagation.of(clients).granted(resource.path, given.member)


def revoke(clients: Clients, resource: Resource, given: Grant, *, doing: str = "") -> None:
    """Take a role away again; the same role under another condition is kept.

    Parameters
    ----------
    doing
        See :func:`grant`.

    Raises
    ------
    ManagerError
        See :func:`grant`.
    """
    what = doing or f"take {given.role} on {resource.title} from {given.member}"
    change(clients, resource, what, lambda policy: _remove(policy, given))
    propagation.of(clients).revoked(resource.path, given.member)


def change(clients: Clients, resource: Resource, doing: str, edit: Edit) -> None:
    """Read a policy, edit it and write it; once more from the start if others change it meanwhile.

    The policy's etag makes sure that nobody else's change is lost. What the edit doesn't touch is
    written as it was read.

    Parameters
    ----------
    doing
        Goes on after "Can't".
    edit
        Edits the JSON of the policy, and returns whether it did. Nothing is written if not.

    Raises
    ------
    ManagerError
        The policy may not be read or changed, or others change it all the time.
    """

    def once() -> None:
        policy = _read(clients, resource)
        if edit(policy):
            resource.write(clients, {**policy, "version": _VERSION})

    patiently = lazy.api_retry.Retry(
        _is_conflict,
        initial=_FIRST_WAIT,
        maximum=_LONGEST_WAIT,
        timeout=_PATIENCE,
    )
    with resource.explained(clients, doing, "setIamPolicy"):
        patiently(once)()


def _is_conflict(error: Exception) -> bool:
    if not isinstance(error, lazy.api_exceptions.GoogleAPICallError):
        return False
    return outcomes.is_conflict(reading.of_error(error))


def _read(clients: Clients, resource: Resource) -> Policy:
    with resource.explained(clients, f"read the IAM policy of {resource.title}", "getIamPolicy"):
        return resource.read(clients)


def _add(policy: Policy, role: str, member: str) -> bool:
    """Add a member to the binding of a role that has no condition; return whether that is new."""
    bindings = policy.setdefault("bindings", [])
    plain = [each for each in bindings if each["role"] == role and not each.get("condition")]
    if any(member in each.get("members", []) for each in plain):
        return False
    if plain:
        plain[0]["members"] = list(dict.fromkeys([*plain[0].get("members", []), member]))
    else:
        bindings.append({"role": role, "members": [member]})
    return True


def _remove(policy: Policy, given: Grant) -> bool:
    bindings = policy.get("bindings", [])
    found = [
        each
        for each in bindings
        if each["role"] == given.role
        and _condition(each) == given.condition
        and given.member in each.get("members", [])
    ]
    for each in found:
        each["members"] = [member for member in each["members"] if member != given.member]
    policy["bindings"] = [each for each in bindings if each.get("members")]
    return bool(found)


def _condition(binding: dict[str, Any]) -> str:
    condition: dict[str, str] = binding.get("condition") or {}
    return condition.get("title", "") or condition.get("expression", "")
