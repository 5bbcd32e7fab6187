"""Service accounts that services and import jobs run as."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from llm_widgets.domain import google_apis, members
from llm_widgets.errors import AlreadyExistsError, DeniedError, NotFoundError
from llm_widgets.gcp.client.failures import explained
from llm_widgets.gcp.client.rest import call
from llm_widgets.gcp.iam import propagation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from llm_widgets.config import Settings
    from llm_widgets.gcp.client.clients import Clients


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """An account that the product creates for a purpose.

    Attributes
    ----------
    id
        What stands before the ``@`` of its address.
    title
        Its name for people.
    """

    id: str
    title: str
    description: str

    def email(self, project: str) -> str:
        """Return its address in a project."""
        return f"{self.id}@{project}.iam.gserviceaccount.com"

    def command(self, project: str) -> str:
        """Return the command line that creates it in a project."""
        return (
            f"gcloud iam service-accounts create {self.id} --project={project} "
            f"--display-name='{self.title}'"
        )


RUNTIME = OwnAccount(
    "llm-runtime",
    "LLM services",
    "Runs services that LLM Manager deploys; reads buckets of models.",
)
"""Runs services. It may read nothing: a deployment opens the bucket of its model to it."""

IMPORTS = OwnAccount(
    "llm-manager-import",
    "LLM Manager imports",
    "Runs import jobs of LLM Manager; writes models into buckets.",
)
"""Runs import jobs. It may do nothing: each import opens its bucket and its token to it."""

LEASES = OwnAccount(
    "llm-manager-pause",
    "LLM Manager pauses",
    "Pauses services of LLM Manager at a time, by jobs of Cloud Scheduler.",
)
"""Pauses services by jobs of Cloud Scheduler. It may change those alone that have a lease."""

PAGE = OwnAccount("llm-manager", "LLM Manager", "Runs the page of LLM Manager.")
"""Runs the page, with the roles of :data:`.account_roles.PAGE`."""

BUILDS = OwnAccount("llm-manager-build", "LLM Manager builds", "Builds the image of LLM Manager.")
"""Builds the image of this product."""


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A service account."""

    email: str
    display_name: str
    is_disabled: bool
    description: str = ""

    @property
    def member(self) -> str:
        """How IAM policies write it."""
        return members.service_account(self.email)


def of_imports(settings: Settings, project: str) -> str:
    """Return the address of the account that import jobs of a project run as."""
    return settings.import_account or IMPORTS.email(project)


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


def create(clients: Clients, project: str, account: OwnAccount) -> ServiceAccount:
    """Create an account of the product, and wait until it is known; one that is there is given.

    Raises
    ------
    ManagerError
        It may not be created.
    """
    email = account.email(project)
    body = {
        "accountId": account.id,
        "serviceAccount": {"displayName": account.title, "description": account.description},
    }
    try:
        with explained(
            f"create the service account {account.id} in {project}",
            clients=clients,
            project=project,
            permission="iam.serviceAccounts.create",
        ):
            path = f"/v1/projects/{project}/serviceAccounts"
            made = _account(call(clients, "POST", google_apis.IAM, path, body))
        propagation.of(clients).made(made.member)
    except AlreadyExistsError:
        made = None
    try:
        return _known(clients, project, email)
    except DeniedError:
        if made is None:
            raise
        return made  # who may make accounts need not be allowed to look at them


def ensure(clients: Clients, project: str, account: OwnAccount) -> bool:
    """Have an account of the product; return whether it was created.

    Raises
    ------
    ManagerError
        It may not be looked at or created.
    """
    try:
        get(clients, project, account.email(project))
    except NotFoundError:
        create(clients, project, account)
        return True
    return False


def delete(clients: Clients, project: str, email: str) -> None:
    """Delete an account.

    Raises
    ------
    ManagerError
        It is gone already, or may not be deleted.
    """
    with explained(
        f"delete the service account {email}",
        clients=clients,
        project=project,
        permission="iam.serviceAccounts.delete",
    ):
        path = f"/v1/projects/{project}/serviceAccounts/{quote(email)}"
        call(clients, "DELETE", google_apis.IAM, path)


def _known(clients: Clients, project: str, email: str) -> ServiceAccount:
    in_flight = propagation.of(clients)
    return propagation.until_effective(
        lambda: get(clients, project, email),
        tell=propagation.once(in_flight, f"Waiting for {email}, which takes up to 7 minutes."),
        passes=lambda error: isinstance(error, NotFoundError),
    )


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
        found["email"],
        found.get("displayName", ""),
        bool(found.get("disabled", False)),
        found.get("description", ""),
    )
