"""Which service accounts the services and jobs of a project run as."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llm_widgets.domain import members
from llm_widgets.errors import DeniedError, NotFoundError
from llm_widgets.gcp.client import messages, parallel
from llm_widgets.gcp.client.failures import explained
from llm_widgets.gcp.run import locations, services

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.gcp.client.clients import Clients


@dataclass(frozen=True, slots=True)
class User:
    """A service or a job.

    Attributes
    ----------
    name
        Its resource name.
    account
        Address of the account that it runs as.
    """

    name: str
    account: str
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """What a person calls it: ``the job x in europe-west1``."""
        _, _, _, region, kind, short = self.name.split("/")
        return f"the {kind.removesuffix('s')} {short} in {region}"


def all_users(clients: Clients, project: str, number: str) -> list[User]:
    """List all services and jobs of a project, in all regions.

    Parameters
    ----------
    number
        Of the project, for those that run as its default account.

    Raises
    ------
    ManagerError
        A region does not answer, or they are not to be seen: then nothing is known of them.
    """
    default = members.default_account(number)

    def in_region(region: str) -> list[User]:
        try:
            with explained(
                f"list the jobs in {region}",
                clients=clients,
                project=project,
                permission="run.jobs.list",
            ):
                jobs = list(clients.jobs.list_jobs(parent=f"projects/{project}/locations/{region}"))
            found = services.all_in_region(clients, project, region)
        except (DeniedError, NotFoundError) as error:
            if messages.is_a_closed_region(error.cause):
                return []
            raise
        return [
            *(User(s.name, s.template.service_account or default, dict(s.labels)) for s in found),
            *(User(j.name, j.template.template.service_account or default) for j in jobs),
        ]

    users: list[User] = []
    for outcome in parallel.outcomes(in_region, locations.everywhere(clients, project)):
        if outcome.error:
            raise outcome.error
        users += outcome.value or []
    return users
