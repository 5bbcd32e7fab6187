"""Projects that the identity can see."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import members, names
from llm_widgets.domain.tables import Shown, Values
from llm_widgets.errors import DeniedError, Fix, NotFoundError, ProjectError, QuotaProjectError
from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.client.failures import explained

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.gcp.client.clients import Clients

_CHANGED_WITHIN = 60  # seconds
PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Project(Shown):
    """A project.

    Attributes
    ----------
    number
        Decimal digits; part of the addresses of service accounts and services.
    name
        The name that people gave it.
    labels
        Its labels.
    parent
        ``organizations/N`` or ``folders/N``; empty for a project that belongs to no organization.
    """

    id: str
    number: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    parent: str = ""

    @property
    def default_service_account(self) -> str:
        """E-mail address of the account that services run as when they name none."""
        return members.default_account(self.number)

    def shown(self) -> Values:
        """Return what a list of projects tells of it."""
        return {
            "id": self.id,
            "name": self.name,
            "number": self.number,
            "labels": dict(self.labels),
        }


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the projects, and the token that gives the next ones; empty on the last page."""

    projects: tuple[Project, ...]
    next_token: str


def search(
    clients: Clients, text: str = "", page_token: str = "", page_size: int = PAGE_SIZE
) -> Page:
    """Find active projects whose id or name begins with a text.

    Raises
    ------
    ManagerError
        :class:`DeniedError` where projects may not be listed: ask for the id then.
    """
    request: Any = {
        "query": _query(text),
        "page_size": page_size,
        "page_token": page_token,
    }
    with explained("list the projects", clients=clients, permission="resourcemanager.projects.get"):
        page = next(clients.projects.search_projects(request=request).pages)
    clients.numbers.update(_number(project) for project in page.projects)
    active = lazy.resourcemanager_v3.Project.State.ACTIVE
    found = (_project(project) for project in page.projects if project.state == active)
    wanted = text.strip().lower()
    return Page(
        tuple(p for p in found if wanted in p.id.lower() or wanted in p.name.lower()),
        page.next_page_token,
    )


def get(clients: Clients, project_id: str) -> Project:
    """Look a project up.

    Raises
    ------
    ManagerError
        :class:`InvalidInputError` for what can't be an id, :class:`DeniedError` or
        :class:`NotFoundError` for a project that does not exist, is being deleted, or is not
        to be seen.
    """
    project_id = names.project_id(project_id)
    permission = "resourcemanager.projects.get"
    try:
        with explained(
            f"open the project {project_id}",
            clients=clients,
            project=project_id,
            permission=permission,
        ):
            found = clients.projects.get_project(name=f"projects/{project_id}")
        clients.numbers.update([_number(found)])
    except (ProjectError, QuotaProjectError):
        raise
    except (DeniedError, NotFoundError) as error:
        # Resource Manager answers the same for both, so that ids can't be probed.
        fix = error.fix or Fix()
        text = f"Check the project ID for typing errors. {fix.text}".strip()
        raise type(error)(
            f"The project {project_id} does not exist, or you don't have permission to view it.",
            cause=error.cause,
            fix=replace(fix, text=text),
        ) from error
    if found.state != lazy.resourcemanager_v3.Project.State.ACTIVE:
        raise NotFoundError(f"The project {project_id} is being deleted.")
    return _project(found)


def of_number(clients: Clients, number: str) -> str:
    """Return the id of the project with a number.

    Raises
    ------
    ManagerError
        It is not to be seen.
    """
    with explained(
        f"open the project {number}", clients=clients, permission="resourcemanager.projects.get"
    ):
        found = clients.projects.get_project(name=f"projects/{number}")
    clients.numbers.update([_number(found)])
    return found.project_id


def set_labels(clients: Clients, project_id: str, labels: Mapping[str, str | None]) -> None:
    """Set some labels of a project, and take away those whose value is ``None``.

    Raises
    ------
    ManagerError
        They may not be changed, or somebody else changes them at the same time.
    """
    with explained(
        f"change the labels of {project_id}",
        clients=clients,
        project=project_id,
        permission="resourcemanager.projects.update",
    ):
        name = f"projects/{project_id}"
        found = clients.projects.get_project(name=name)
        wanted = {**found.labels, **labels}
        kept = {key: value for key, value in wanted.items() if value is not None}
        if kept == dict(found.labels):
            return
        request: Any = {
            "project": {"name": name, "labels": kept, "etag": found.etag},
            "update_mask": "labels",
        }
        operation: Any = clients.projects.update_project(request=request)
        operation.result(timeout=_CHANGED_WITHIN)


def _query(text: str) -> str:
    """Write a search for the first word: of several fields, Resource Manager takes any."""
    words = re.findall(r"[\w.-]+", text)
    return f"id:{words[0]}* name:{words[0]}*" if words else ""


def _number(found: lazy.resourcemanager_v3.Project) -> tuple[str, str]:
    """Return the id and the number of a project."""
    return found.project_id, found.name.rsplit("/", 1)[-1]


def _project(found: lazy.resourcemanager_v3.Project) -> Project:
    _, number = _number(found)
    return Project(
        found.project_id,
        number,
        found.display_name or found.project_id,
        dict(found.labels),
        found.parent,
    )
