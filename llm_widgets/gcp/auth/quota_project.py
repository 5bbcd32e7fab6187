"""The quota project of a person: the project that their calls count against.

Calls of service accounts count against their own project. Those of persons need a project for
it, with some APIs at least: https://cloud.google.com/docs/quotas/quota-project
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.errors import ManagerError
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.iam import permissions
from llm_widgets.gcp.refusals.projects import USE

if TYPE_CHECKING:
    from google.auth.credentials import CredentialsWithQuotaProject


def adopt(clients: Clients, project: str) -> None:
    """Let a person's calls count against a project, where they may use it for that.

    Elsewhere they count as the credentials say. Credentials of service accounts are left as
    they are.

    Raises
    ------
    SignInError
        There are no credentials.
    """
    if not identity.is_person(clients):
        return
    now: Any = clients.credentials
    own: CredentialsWithQuotaProject = clients.kept("own credentials", lambda: now)
    if now.quota_project_id == project:
        return
    wanted = own.with_quota_project(project)
    if own.quota_project_id == project or _may_use(Clients(clients.settings, wanted), project):
        clients.call_with(wanted)
    elif now is not own:
        clients.call_with(own)


def _may_use(clients: Clients, project: str) -> bool:
    """Return whether calls may count against a project, asked by a call that does."""
    try:
        return USE in permissions.on_project(clients, project, [USE]).granted
    except ManagerError:
        return False
