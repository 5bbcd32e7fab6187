"""How services are written in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain import gpus
from llm_widgets.domain.services import ServiceState, ServiceSummary
from llm_widgets.widgets.table import Action, Column, StatusState

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS = (
    Column("service", "Name", action="open"),
    Column("status", "Status", "status"),
    Column("url", "URL", "link"),
    Column("model", "Model"),
    Column("framework", "Framework"),
    Column("gpu", "GPU"),
    Column("region", "Region"),
    Column("updated", "Last deployed", "time"),
)
ACTIONS = (
    Action("open", "Try it"),
    Action("delete", "Delete", overflow=True, danger=True),
)
STATES: Mapping[ServiceState, StatusState] = {
    ServiceState.DEPLOYING: "busy",
    ServiceState.READY: "ok",
    ServiceState.ERROR: "error",
    ServiceState.DELETING: "busy",
    ServiceState.OLD_SERVING: "warning",
}
SERVING = (ServiceState.READY, ServiceState.OLD_SERVING)


def service_row(service: ServiceSummary) -> dict[str, Any]:
    """Make the row of a service."""
    gpu = gpus.by_accelerator(service.gpu)
    disabled = {}
    if service.state is ServiceState.DELETING:
        disabled["delete"] = "It is being deleted."
    return {
        "id": service.name,
        "name": service.id,
        "service": service.id,
        "status": {
            "state": STATES[service.state],
            "text": service.state.value,
            "note": service.reason,
        },
        "url": {"href": service.url, "text": service.url} if service.url else None,
        "model": service.model_id or None,
        "framework": service.framework.label if service.framework else None,
        "gpu": gpu.label if gpu else service.gpu or None,
        "region": service.region,
        "updated": service.updated_at.isoformat() if service.updated_at else None,
        "disabled": disabled,
    }
