"""Accounts by which Google's own services act in a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import google_apis, members
from llm_widgets.gcp.client import operations
from llm_widgets.gcp.client.failures import explained
from llm_widgets.gcp.client.rest import call
from llm_widgets.gcp.iam import propagation

if TYPE_CHECKING:
    from llm_widgets.gcp.client.clients import Clients

# Service Usage's client has no such method; source: Service Usage API v1beta1 reference.
_VERSION = "v1beta1"
_WITHIN = 120.0  # seconds


def ensure_iap(clients: Clients, number: str) -> str:
    """Have the account of Identity-Aware Proxy made, and return its address.

    It is made some time after the API is enabled; this has it made at once. Whoever grants it a
    role next waits until it is known.

    Parameters
    ----------
    number
        Of the project.

    Raises
    ------
    ManagerError
        The caller may not ask for it.
    """
    with explained(
        "prepare the service account of Identity-Aware Proxy",
        clients=clients,
        project=number,
        permission="serviceusage.services.enable",
    ):
        host = google_apis.SERVICE_USAGE
        path = f"/{_VERSION}/projects/{number}/services/{google_apis.IAP}:generateServiceIdentity"
        operation = call(clients, "POST", host, path, {})
        operations.result(clients, host, _VERSION, operation, within=_WITHIN)
    email = members.iap_agent(number)
    propagation.of(clients).made(members.service_account(email))
    return email
