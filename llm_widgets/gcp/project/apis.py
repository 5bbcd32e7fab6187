"""Which APIs are enabled in a project, and enabling them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain import google_apis
from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.client.failures import explained

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.gcp.client.clients import Clients

NEEDED = {
    google_apis.RUN: "Cloud Run",
    google_apis.STORAGE: "Cloud Storage",
    google_apis.IAM: "IAM",
    google_apis.RESOURCE_MANAGER: "Resource Manager",
    google_apis.BILLING: "Cloud Billing",
    google_apis.VPC_ACCESS: "Serverless VPC Access",
    google_apis.COMPUTE: "Compute Engine",
    google_apis.LOGGING: "Cloud Logging",
    google_apis.MONITORING: "Cloud Monitoring",
    google_apis.QUOTAS: "Cloud Quotas",
    google_apis.SECRET_MANAGER: "Secret Manager",
    google_apis.SERVICE_USAGE: "Service Usage",
}
"""APIs that the product uses, with their names for people."""

_MOST = 30  # names in one call
_MOST_ENABLED = 20  # in one call
_ENABLED_WITHIN = 180  # seconds


def enabled(clients: Clients, project: str, apis: Iterable[str] = NEEDED) -> dict[str, bool]:
    """Return whether each API is enabled.

    Raises
    ------
    ManagerError
        The project's APIs are not to be seen.
    """
    names = [f"projects/{project}/services/{api}" for api in apis]
    found: dict[str, bool] = {}
    for start in range(0, len(names), _MOST):
        request: Any = {
            "parent": f"projects/{project}",
            "names": names[start : start + _MOST],
        }
        with explained(
            f"look up the enabled APIs of {project}",
            clients=clients,
            project=project,
            permission="serviceusage.services.get",
        ):
            answer = clients.service_usage.batch_get_services(request=request)
        on = lazy.service_usage_v1.State.ENABLED
        found |= {each.name.rsplit("/", 1)[-1]: each.state == on for each in answer.services}
    return found


def enable_all(clients: Clients, project: str, apis: Iterable[str]) -> None:
    """Enable several APIs and wait until that is done.

    Raises
    ------
    ManagerError
        They may not be enabled.
    """
    todo = list(apis)
    named = ", ".join(NEEDED.get(api, api) for api in todo)
    with explained(
        f"enable {named} in {project}",
        clients=clients,
        project=project,
        permission="serviceusage.services.enable",
    ):
        for start in range(0, len(todo), _MOST_ENABLED):
            request: Any = {
                "parent": f"projects/{project}",
                "service_ids": todo[start : start + _MOST_ENABLED],
            }
            operation: Any = clients.service_usage.batch_enable_services(request=request)
            operation.result(timeout=_ENABLED_WITHIN)


def enable(clients: Clients, project: str, api: str) -> None:
    """Enable an API and wait until that is done.

    Raises
    ------
    ManagerError
        It may not be enabled.
    """
    with explained(
        f"enable {NEEDED.get(api, api)} in {project}",
        clients=clients,
        project=project,
        permission="serviceusage.services.enable",
    ):
        request: Any = {"name": f"projects/{project}/services/{api}"}
        operation: Any = clients.service_usage.enable_service(request=request)
        operation.result(timeout=_ENABLED_WITHIN)
