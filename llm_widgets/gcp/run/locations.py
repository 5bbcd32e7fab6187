"""Regions in which a project can use Cloud Run, as Cloud Run tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from llm_widgets.domain import google_apis, regions
from llm_widgets.errors import ManagerError
from llm_widgets.gcp.client.failures import explained
from llm_widgets.gcp.client.rest import call

if TYPE_CHECKING:
    from llm_widgets.gcp.client.clients import Clients

_TIMEOUT = 10  # seconds: the table is nearly always enough


def everywhere(clients: Clients, project: str) -> tuple[str, ...]:
    """Return all regions to look into, those with GPUs first.

    They are those of the table :data:`llm_widgets.domain.regions.REGIONS` and the newer ones that
    the API lists; where it lists none to this identity, those of the table.
    """
    return tuple(dict.fromkeys((*regions.offered(), *newer(clients, project))))


def newer(clients: Clients, project: str) -> tuple[str, ...]:
    """Return the regions that the API lists and the table does not have; asked once a project."""
    known: dict[str, tuple[str, ...]] = clients.kept("run-locations", dict)
    if project not in known:
        try:
            known[project] = _listed(clients, project)
        except ManagerError:
            return ()
    return tuple(region for region in known[project] if region not in regions.REGIONS)


def _listed(clients: Clients, project: str) -> tuple[str, ...]:
    # Version 2 of the API has no such call.
    path = f"/v1/projects/{quote(project)}/locations?pageSize=500"
    with explained(
        f"list the regions of Cloud Run of {project}",
        clients=clients,
        project=project,
        permission="run.locations.list",
    ):
        answer = call(clients, "GET", google_apis.RUN, path, timeout=_TIMEOUT)
    return tuple(sorted(each["locationId"] for each in answer.get("locations", [])))
