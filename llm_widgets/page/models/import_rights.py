"""What an import needs beside its bucket: to run a job, and to keep a token for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.errors import DeniedError, Fix
from llm_widgets.gcp import secrets
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.iam import permissions, role_catalogue
from llm_widgets.imports import launch

if TYPE_CHECKING:
    from llm_widgets.config import Settings
    from llm_widgets.gcp.client.clients import Clients


def see_rights(clients: Clients, project: str, settings: Settings, *, has_token: bool) -> None:
    """See that an import can be started, before anything is made for it.

    Raises
    ------
    DeniedError
        This identity lacks permissions on the project.
    ManagerError
        The project can't be asked.
    """
    kept = secrets.NEEDED if has_token else ()
    wanted = (*launch.needed(settings), *kept)
    missing = permissions.on_project(clients, project, wanted).missing if wanted else frozenset()
    if not missing:
        return
    roles = role_catalogue.least_roles(missing)
    doing = "keep a token in Secret Manager" if missing <= set(kept) else "run import jobs"
    raise DeniedError(
        f"You may not {doing} in {project}.",
        cause=f"Missing: {', '.join(sorted(missing))}.",
        fix=Fix(
            text=f"Ask an administrator of the project to grant {' and '.join(roles)}.",
            command=role_catalogue.commands(
                roles, identity.current(clients).member, project=project
            ),
        ),
    )
