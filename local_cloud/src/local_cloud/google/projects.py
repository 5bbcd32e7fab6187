"""Resource Manager v3: projects and their policies."""

from __future__ import annotations

import re
import time
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from google.cloud import resourcemanager_v3

from local_cloud.errors import ApiError
from local_cloud.google.permissions import Need, resource_of
from local_cloud.google.policies import Policies
from local_cloud.google.records import page_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from google.longrunning import operations_pb2

    from local_cloud.access import Access
    from local_cloud.faults import Faults
    from local_cloud.google.operations import Operations
    from local_cloud.issuer import Caller
    from local_cloud.store import Store

API = "cloudresourcemanager.googleapis.com"

_TERM = re.compile(r'(?P<field>[\w.]+)\s*[:=]\s*(?:"(?P<quoted>[^"]*)"|(?P<plain>[^\s()]+))')


def rule(name: str, request: Any) -> Need | None:
    """Return what a call needs; what may be seen is decided by the handlers themselves."""
    verbs = {
        "GetIamPolicy": "getIamPolicy",
        "SetIamPolicy": "setIamPolicy",
        "UpdateProject": "update",
    }
    if name in verbs:
        return Need(f"resourcemanager.projects.{verbs[name]}", resource_of(request))
    return Need("", resource_of(request))


class Projects(Policies):
    """Answers ProjectsClient.

    Parameters
    ----------
    store
        Holds the projects (kind ``project``).
    access
        Decides which the caller sees.
    operations
        Hold the answers of calls that change one.
    faults
        Says which belong to no organization.

    """

    def __init__(
        self, store: Store, access: Access, operations: Operations, faults: Faults
    ) -> None:
        super().__init__(access)
        self._store = store
        self._operations = operations
        self._faults = faults

    def get_project(self, request: Any, caller: Caller) -> resourcemanager_v3.Project:
        """Return one project by id or number."""
        project_id = self._access.project_id(request.name.partition("/")[2])
        seen = project_id and self._access.granted(
            caller, ["resourcemanager.projects.get"], f"projects/{project_id}"
        )
        record = self._store.get("project", project_id) if project_id and seen else None
        if project_id is None or record is None:
            # Nothing tells a project that is not there from one that may not be seen.
            raise ApiError("PERMISSION_DENIED", "The caller does not have permission")
        return self._message(project_id, record)

    def update_project(self, request: Any, caller: Caller) -> operations_pb2.Operation:
        """Change the name and the labels, those that the mask names; without one, both."""
        known = {"display_name", "labels"}
        wanted = set(request.update_mask.paths) or known
        if wanted - known:
            raise ApiError("INVALID_ARGUMENT", f"Can't update: {', '.join(wanted - known)}.")
        if "labels" in wanted:
            _check_labels(request.project.labels)
        with self._store.transaction():
            before = self.get_project(request.project, caller)
            if request.project.etag not in ("", before.etag):
                raise ApiError("ABORTED", "The project has changed since it was read.")
            record = dict(self._store.get("project", before.project_id) or {})
            if "display_name" in wanted:
                record["display_name"] = request.project.display_name
            if "labels" in wanted:
                record["labels"] = dict(request.project.labels)
            record["changes"] = record.get("changes", 0) + 1
            self._store.put("project", before.project_id, record)
        return self._operations.finished(
            self._message(before.project_id, record), resourcemanager_v3.UpdateProjectMetadata()
        )

    def search_projects(
        self, request: Any, caller: Caller
    ) -> resourcemanager_v3.SearchProjectsResponse:
        """Return those projects that the caller may get and that match the query."""
        terms = _terms(request.query)
        together = all if re.search(r"\bAND\b", request.query) else any
        matching = (
            self._message(project_id, record)
            for project_id, record in self._store.list("project")
            if not terms or together(_matches(self._message(project_id, record), terms))
        )
        found = [
            project
            for project in matching
            if self._access.granted(
                caller, ["resourcemanager.projects.get"], f"projects/{project.project_id}"
            )
        ]
        page, token = page_of(found, request, default=500, most=500)
        return resourcemanager_v3.SearchProjectsResponse(projects=page, next_page_token=token)

    def require_existing(self, resource: str) -> None:
        """Raise 403, as Google does, for a project that is not there."""
        if self._access.project_id(resource.partition("/")[2]) is None:
            raise ApiError("PERMISSION_DENIED", "The caller does not have permission")

    def _message(self, project_id: str, record: dict[str, Any]) -> resourcemanager_v3.Project:
        shown = _message(project_id, record)
        if project_id in self._faults.without_organization:
            shown.parent = ""
        return shown


def new_project(number: int, display_name: str, billing_account: str) -> dict[str, Any]:
    """Return the record of a new project."""
    return {
        "number": str(number),
        "display_name": display_name,
        "parent": "organizations/100000000000",
        "create_time": int(time.time()),
        "billing_account": billing_account,
        "labels": {},
    }


def _message(project_id: str, record: dict[str, Any]) -> resourcemanager_v3.Project:
    created = {"seconds": record["create_time"]}
    return resourcemanager_v3.Project(
        name=f"projects/{record['number']}",
        parent=record["parent"],
        project_id=project_id,
        state=resourcemanager_v3.Project.State.ACTIVE,
        display_name=record["display_name"],
        create_time=created,
        update_time=created,
        etag=f'W/"{record["number"]}-{record.get("changes", 0)}"',
        labels=record["labels"],
    )


def _check_labels(labels: Mapping[str, str]) -> None:
    """Raise 400 for what can be no label."""
    for key, value in labels.items():
        if not re.fullmatch(r"[a-z][-_a-z0-9]{0,62}", key) or not re.fullmatch(
            r"[-_a-z0-9]{0,63}", value
        ):
            raise ApiError("INVALID_ARGUMENT", f"Invalid label: {key}={value}.")


def _terms(query: str) -> list[tuple[str, str]]:
    """Return the field and pattern of each term; only AND may stand between them.

    Of terms that nothing stands between, Resource Manager takes any.

    Raises
    ------
    ApiError
        400 for a query of another form.

    """
    terms = []
    rest = query
    for match in _TERM.finditer(query):
        value = match["quoted"] if match["quoted"] is not None else match["plain"]
        terms.append((match["field"], value.lower()))
        rest = rest.replace(match[0], "", 1)
    left = re.sub(r"\bAND\b|[()]", "", rest).strip()
    if left:
        raise ApiError("INVALID_ARGUMENT", f"field [query] has issue [Invalid query: {left}]")
    return terms


def _matches(project: resourcemanager_v3.Project, terms: list[tuple[str, str]]) -> Iterator[bool]:
    """Yield for each term whether the project matches it."""
    fields = {
        "id": project.project_id,
        "projectId": project.project_id,
        "name": project.display_name,
        "displayName": project.display_name,
        "number": project.name.partition("/")[2],
        "projectNumber": project.name.partition("/")[2],
        "state": project.state.name,
        "lifecycleState": project.state.name,
        "parent": project.parent,
        **{f"labels.{key}": value for key, value in project.labels.items()},
    }
    return (fnmatchcase(fields.get(field, "").lower(), pattern) for field, pattern in terms)
