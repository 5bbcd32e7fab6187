"""Opening a project, and what its deployments are offered with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.checks import networks
from llm_widgets.checks.context import Context
from llm_widgets.checks.run import CHECKS, empty_rows, run
from llm_widgets.domain import names
from llm_widgets.domain.checklist import Row, replaced
from llm_widgets.domain.networks import NetworkChoice, read_labels
from llm_widgets.domain.tables import Listing
from llm_widgets.errors import Fix, InvalidInputError, ManagerError
from llm_widgets.gcp.auth import quota_project
from llm_widgets.gcp.project import projects

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.config import Settings
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.project.projects import Project


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a project and a person's settings say of deployments that nobody has changed yet.

    Attributes
    ----------
    region
        For a model whose bucket is in no region with a GPU.
    service_account
        E-mail address of the identity that services run as.
    network
        Region to the network that deployments in it use.
    """

    project: Project
    region: str
    service_account: str
    network: Callable[[str], NetworkChoice]


def allowed(settings: Settings, project_id: str) -> str:
    """Check the id of a project that a person asks for.

    Raises
    ------
    InvalidInputError
        It can't be the id of a project, or the settings lock the product to another one.
    """
    project_id = names.project_id(project_id)
    if settings.project and project_id != settings.project:
        raise InvalidInputError(
            f"Only the project {settings.project} can be used here, not {project_id}.",
            field="project",
            cause="LLM_WIDGETS_PROJECT names the only project.",
            fix=Fix(text="Leave the project out, or unset LLM_WIDGETS_PROJECT."),
        )
    return project_id


def visible(clients: Clients, text: str = "") -> Listing[Project]:
    """List the projects that these credentials see, whose id or name begins with a text.

    Raises
    ------
    ManagerError
        Projects may not be listed.
    """
    found: list[Project] = []
    page = projects.search(clients, text)
    found += page.projects
    while page.next_token:
        page = projects.search(clients, text, page.next_token)
        found += page.projects
    return Listing(found, ("id", "name", "number"))


def named(settings: Settings, project_id: str = "") -> str:
    """Return the id of the project that a person asks for; see :func:`open_project`.

    Raises
    ------
    InvalidInputError
        See :func:`allowed`; or no project is named anywhere.
    """
    asked = project_id or settings.project or settings.default_project
    if not asked:
        raise InvalidInputError(
            "No project is chosen.",
            field="project",
            fix=Fix(text="Enter its ID, or set GOOGLE_CLOUD_PROJECT."),
        )
    return allowed(settings, asked)


def open_project(clients: Clients, project_id: str = "") -> Project:
    """Look up the project that a person asks for; their calls count against it where they may.

    Parameters
    ----------
    project_id
        Its id; the project of the settings when empty.

    Raises
    ------
    InvalidInputError
        See :func:`allowed`; or no project is named anywhere.
    ManagerError
        The project does not exist, or is not to be seen.
    """
    project = named(clients.settings, project_id)
    quota_project.adopt(clients, project)
    return projects.get(clients, project)


def checklist(
    context: Context, tell: Callable[[Row], None] = lambda _: None
) -> tuple[tuple[Row, ...], str]:
    """Check what a project needs.

    Parameters
    ----------
    tell
        Called with each row as it is answered, from several threads at once.

    Returns
    -------
    tuple
        All rows in the order of the page, and the address of the account that services run as,
        empty where it can't be told.
    """
    answered: list[Row] = []

    def one(row: Row) -> None:
        answered.append(row)
        tell(row)

    run(context, one, CHECKS)
    rows = empty_rows()
    for row in answered:
        rows = replaced(rows, row)
    return rows, _runtime_account(context)


def defaults(clients: Clients, project: Project) -> Defaults:
    """Ask what deployments of a project are offered with, as the General tab shows it."""
    context = Context(clients, project)
    kept = read_labels(project.labels)
    return Defaults(
        project,
        clients.settings.region,
        _runtime_account(context) or project.default_service_account,
        lambda region: kept if networks.has(context, region, kept) else NetworkChoice(),
    )


def _runtime_account(context: Context) -> str:
    try:
        return context.runtime_account().email
    except ManagerError:
        return ""
