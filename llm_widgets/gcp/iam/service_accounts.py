"""Service accounts that services run as."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from llm_widgets.domain import google_apis, members
from llm_widgets.errors import AlreadyExistsError
from llm_widgets.gcp.client.failures import explained
from llm_widgets.gcp.client.rest import call

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from llm_widgets.gcp.client.clients import Clients

RUNTIME_ID = "llm-runtime"
"""Id of the account that the product creates for its services."""

RUNTIME_TITLE = "LLM services"
"""Its name for people."""


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A service account."""

    email: str
    display_name: str
    is_disabled: bool

    @property
    def member(self) -> str:
        """How IAM policies write it."""
        return members.service_account(self.email)


def runtime_email(project: str) -> str:
    """Return the address of the account that the product creates in a project."""
    return f"{RUNTIME_ID}@{project}.iam.gserviceaccount.com"


def get(clients: Clients, project: str, email: str) -> ServiceAccount:
    """Look an account up.

    Raises
    ------
    ManagerError
        It does not exist, or is not to be seen.
    """
    with explained(
        f"look up the service account {email}",
        clients=clients,
        project=project,
        permission="iam.serviceAccounts.get",
    ):
        path = f"/v1/projects/{project}/serviceAccounts/{quote(email)}"
        return _account(call(clients, "GET", google_apis.IAM, path))


def create_runtime_account(clients: Clients, project: str) -> ServiceAccount:
    """Create the account that services of this product run as; one that is there is given.

    It may read nothing: each bucket is opened to it when a model of the bucket is deployed.

    Raises
    ------
    ManagerError
        It may not be created.
    """
    body = {
        "accountId": RUNTIME_ID,
        "serviceAccount": {
            "displayName": RUNTIME_TITLE,
            "description": "Runs services that LLM Manager deploys; reads buckets of models.",
        },
    }
    try:
        with explained(
            f"create the service account {RUNTIME_ID} in {project}",
            clients=clients,
            project=project,
            permission="iam.serviceAccounts.create",
        ):
            path = f"/v1/projects/{project}/serviceAccounts"
            return _account(call(clients, "POST", google_apis.IAM, path, body))
    except AlreadyExistsError:
        return get(clients, project, runtime_email(project))


def enable(clients: Clients, project: str, email: str) -> None:
    """Switch an account on that somebody has switched off.

    Raises
    ------
    ManagerError
        It may not be switched on.
    """
    with explained(
        f"enable the service account {email}",
        clients=clients,
        project=project,
        permission="iam.serviceAccounts.enable",
    ):
        call(
            clients,
            "POST",
            google_apis.IAM,
            f"/v1/projects/{project}/serviceAccounts/{quote(email)}:enable",
        )


def _account(found: Mapping[str, Any]) -> ServiceAccount:
    return ServiceAccount(
        found["email"], found.get("displayName", ""), bool(found.get("disabled", False))
    )
