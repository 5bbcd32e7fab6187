"""What is changed of a project itself: APIs, roles, accounts, networks, quotas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.checks import remedies
from llm_widgets.checks.context import Context
from llm_widgets.gcp.client.parallel import Outcome, outcomes
from llm_widgets.gcp.project import network, projects, quotas
from llm_widgets.manager.audit import recorded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_widgets.domain.networks import NetworkChoice
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.project.projects import Project
    from llm_widgets.gcp.project.quotas import QuotaRequest


@recorded("project.fix", on="{project.id}: {action}")
def carry_out(clients: Clients, project: Project, action: str) -> str:
    """Do what the fix of a row of the checklist offers, and return what was done.

    Raises
    ------
    ManagerError
        It may not be done, or nobody knows how.
    """
    return remedies.carry_out(Context(clients, project), action)


@recorded("project.network", on="{project}: {choice.kind.value} {choice.network} {choice.name}")
def keep_network(clients: Clients, project: str, choice: NetworkChoice) -> None:
    """Keep the network that deployments of a project use, in the project's labels.

    Raises
    ------
    ManagerError
        The labels may not be changed.
    """
    projects.set_labels(clients, project, choice.labels())


@recorded("project.private_google_access", on="{project}")
def turn_on_private_google_access(
    clients: Clients, project: str, targets: Sequence[tuple[str, str]]
) -> list[Outcome[tuple[str, str], None]]:
    """Turn Private Google Access of subnets on, given as region and name; each fails alone."""
    return outcomes(lambda target: _turn_on(clients, project, *target), targets)


@recorded("subnet.private_google_access", on="{project}: {subnet} in {region}")
def _turn_on(clients: Clients, project: str, region: str, subnet: str) -> None:
    network.turn_on_private_google_access(clients, project, region, subnet)


@recorded("quota.request", on="{project}: {value} of {quota_id} in {region}")
def ask_for_more(
    clients: Clients, project: str, region: str, quota_id: str, value: float, *, email: str
) -> QuotaRequest:
    """Ask Google for more of a quota; see :func:`llm_widgets.gcp.project.quotas.ask_for_more`.

    Raises
    ------
    ManagerError
        It may not be asked for.
    """
    return quotas.ask_for_more(clients, project, region, quota_id, value, email=email)
