"""Whether an account may read a bucket: what its policy and the project's come to together.

What is not in these policies is not seen: roles on folders and the organization, deny policies,
principal access boundaries, and lists of access on single objects.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import members
from llm_widgets.errors import ManagerError
from llm_widgets.gcp.iam import conditions, policy, role_permissions
from llm_widgets.gcp.iam.conditions import Asked, all_of, any_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from llm_widgets.gcp.client.clients import Clients

    Binding = dict[str, Any]

_BASIC_ROLES = {
    "projectOwner": "roles/owner",
    "projectEditor": "roles/editor",
    "projectViewer": "roles/viewer",
}
"""Members that stand for whoever has a basic role on a project."""

_CROWDS = frozenset({"group", "domain", "principalSet"})
"""Kinds of members whose policies don't say who belongs to them."""


class Access(StrEnum):
    """What policies come to."""

    GRANTED = "granted"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether somebody has access.

    Attributes
    ----------
    doubts
        Why it can't be told: each a part of a sentence.
    error
        Why a policy could not be read; ``None`` where it could be.
    """

    access: Access
    doubts: tuple[str, ...] = ()
    error: ManagerError | None = None

    @property
    def reason(self) -> str:
        """Why it can't be told, as one sentence; empty where it can be."""
        return f"It depends on {' and on '.join(self.doubts)}." if self.doubts else ""


class Known:
    """Policies of projects and permissions of roles, each asked for once.

    Parameters
    ----------
    clients
        Clients of the Google APIs.
    project
        The one that is worked in.
    """

    def __init__(self, clients: Clients, project: str) -> None:
        self.clients = clients
        self.project = project
        self._lock = threading.Lock()
        self._found: dict[tuple[str, ...], Any] = {}

    def bindings(self, project: str) -> list[Binding] | None:
        """Return the bindings of a project's policy; ``None`` where it may not be read."""
        found: list[Binding] | None = self._once(
            ("project", project),
            lambda: policy.bindings(self.clients, policy.of_project(project)),
        )
        return found

    def holds(self, role: str, permission: str) -> bool | None:
        """Return whether a role has a permission; ``None`` where IAM does not tell."""
        found: bool | None = self._once(
            ("role", role, permission),
            lambda: role_permissions.holds(self.clients, role, permission, project=self.project),
        )
        return found

    def _once(self, key: tuple[str, ...], ask: Callable[[], Any]) -> Any:
        with self._lock:
            if key not in self._found:
                try:
                    self._found[key] = ask()
                except ManagerError:
                    self._found[key] = None
            return self._found[key]


def reading(known: Known, bucket: str, member: str, *, folder: str = "") -> Verdict:
    """Tell whether a member may list and read the objects of a bucket.

    Parameters
    ----------
    known
        What several questions share.
    folder
        Folder of the bucket that is read; empty for all of it.
    """
    where = policy.of_bucket(bucket, project=known.project)
    error: ManagerError | None = None
    own: list[Binding] | None = None
    try:
        own = policy.bindings(known.clients, where)
    except ManagerError as refused:
        error = refused
    now = datetime.now(UTC)
    name = f"projects/_/buckets/{bucket}"
    path = f"{folder.strip('/')}/" if folder.strip("/") else ""
    wanted = (
        (role_permissions.OBJECTS_LIST, Asked(now, "storage.googleapis.com/Bucket", name)),
        (
            role_permissions.OBJECTS_GET,
            Asked(now, "storage.googleapis.com/Object", f"{name}/objects/{path}", is_any=True),
        ),
    )
    judge = _Judge(known, member)
    policies = ((f"the policy of {bucket}", own), _of_project(known, known.project))
    found = all_of([judge.has(permission, asked, policies) for permission, asked in wanted])
    if found is None:
        return Verdict(Access.UNKNOWN, tuple(dict.fromkeys(judge.doubts)), error)
    return Verdict(Access.GRANTED if found else Access.MISSING)


def _of_project(known: Known, project: str) -> tuple[str, list[Binding] | None]:
    return f"the policy of the project {project}", known.bindings(project)


class _Judge:
    """Judges bindings for one member, and notes what it can't tell."""

    def __init__(self, known: Known, member: str) -> None:
        self._known = known
        self._member = member
        self.doubts: list[str] = []

    def has(
        self,
        permission: str,
        asked: Asked,
        policies: Sequence[tuple[str, Sequence[Binding] | None]],
    ) -> bool | None:
        """Return whether one of the policies gives a permission; a doubt counts if none does."""
        before = len(self.doubts)
        found: list[bool | None] = []
        for title, bindings in policies:
            if bindings is None:
                self.doubts.append(f"{title}, which can't be read")
                found.append(None)
            else:
                found += [self._gives(each, permission, asked) for each in bindings]
        joined = any_of(found)
        if joined is not None:
            del self.doubts[before:]
        return joined

    def _gives(self, binding: Binding, permission: str, asked: Asked) -> bool | None:
        """Look at the members first and at the role last: only that may need a call."""
        before = len(self.doubts)
        found = self._is_one_of(binding.get("members", []), self._is_me)
        if found is not False:
            found = all_of([found, self._holds_now(binding, asked)])
        if found is not False:
            found = all_of([found, self._holds_by_role(binding["role"], permission)])
        if found is False:
            del self.doubts[before:]
        return found

    def _holds_now(self, binding: Binding, asked: Asked) -> bool | None:
        condition = binding.get("condition")
        if not condition:
            return True
        found = conditions.judged(condition.get("expression", ""), asked)
        if found is None:
            title = condition.get("title") or condition.get("expression", "")
            self.doubts.append(f"the condition “{title}” of {binding['role']}")
        return found

    def _holds_by_role(self, role: str, permission: str) -> bool | None:
        found = self._known.holds(role, permission)
        if found is None:
            self.doubts.append(f"the role {role}, whose permissions can't be read")
        return found

    def _is_one_of(self, listed: Sequence[str], is_me: Callable[[str], bool | None]) -> bool | None:
        before = len(self.doubts)
        found = any_of([is_me(each) for each in listed])
        if found is not None:
            del self.doubts[before:]
        return found

    def _is_me(self, member: str) -> bool | None:
        kind, _, rest = member.partition(":")
        if kind in _BASIC_ROLES:
            return self._has_basic_role(rest, _BASIC_ROLES[kind])
        return self._is_named(member)

    def _is_named(self, member: str) -> bool | None:
        if member in members.PUBLIC or member.lower() == self._member.lower():
            return True
        if member.partition(":")[0] in _CROWDS:
            self.doubts.append(f"who belongs to {member}")
            return None
        return False

    def _has_basic_role(self, project: str, role: str) -> bool | None:
        title, bindings = _of_project(self._known, project)
        if bindings is None:
            self.doubts.append(f"{title}, which can't be read")
            return None
        listed = [
            member
            for each in bindings
            if each["role"] == role and not each.get("condition")
            for member in each.get("members", [])
        ]
        return self._is_one_of(listed, self._is_named)
