"""Whether somebody pays for a project."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from llm_widgets.gcp.client.failures import explained

if TYPE_CHECKING:
    from llm_widgets.gcp.client.clients import Clients


class BillingState(StrEnum):
    """How billing of a project is, in words that the page shows."""

    ENABLED = "Enabled"
    DISABLED = "Disabled: the billing account is closed"
    NO_ACCOUNT = "Not found: the project has no billing account"


def state(clients: Clients, project: str) -> BillingState:
    """Look up how billing of a project is.

    Raises
    ------
    ManagerError
        It is not to be seen.
    """
    with explained(
        f"look up the billing of {project}",
        clients=clients,
        project=project,
        permission="resourcemanager.projects.get",
    ):
        info = clients.billing.get_project_billing_info(name=f"projects/{project}")
    if info.billing_enabled:
        return BillingState.ENABLED
    return BillingState.DISABLED if info.billing_account_name else BillingState.NO_ACCOUNT
