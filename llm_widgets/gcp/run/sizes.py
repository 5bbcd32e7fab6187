"""What instances of services and revisions have, which is what they are billed for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain.services import InstanceSize, told_text
from llm_widgets.domain.units import GIB, quantity
from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.client.failures import explained

if TYPE_CHECKING:
    from llm_widgets.gcp.client.clients import Clients

# What Cloud Run gives a container that asks for nothing.
_CPU, _MEMORY = "1", "512Mi"
_PAGE = 500


def size_of(template: Any) -> InstanceSize | None:
    """Return what an instance has, ``None`` where that can't be read.

    Parameters
    ----------
    template
        The message of a revision, or of a service's template.
    """
    limits = [dict(each.resources.limits) for each in template.containers]
    accelerator = told_text(template.node_selector.accelerator)
    try:
        return InstanceSize(
            accelerator,
            cpu=sum(quantity(each.get("cpu", _CPU)) for each in limits),
            memory_gib=sum(quantity(each.get("memory", _MEMORY)) for each in limits) / GIB,
            redundant=bool(accelerator) and not template.gpu_zonal_redundancy_disabled,
            by_request=all(each.resources.cpu_idle for each in template.containers),
        )
    except ValueError:
        return None


def of_revisions(
    clients: Clients, project: str, region: str
) -> dict[tuple[str, str], InstanceSize | None]:
    """Return what the revisions of a region have, by the ids of their service and their own.

    Raises
    ------
    ManagerError
        They may not be seen.
    """
    with explained(
        f"list the revisions in {region}",
        clients=clients,
        project=project,
        permission="run.revisions.list",
    ):
        parent = f"projects/{project}/locations/{region}/services/-"
        request: Any = {"parent": parent, "page_size": _PAGE}
        found = [
            lazy.run_v2.Revision.pb(each)
            for each in clients.revisions.list_revisions(request=request)
        ]
    return {(_id(each.service), _id(each.name)): size_of(each) for each in found}


def _id(name: str) -> str:
    return name.rsplit("/", 1)[-1]
