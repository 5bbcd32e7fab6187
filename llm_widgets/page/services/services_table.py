"""How services are written in a table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from llm_widgets.diagnosis import Context, Evidence, diagnose
from llm_widgets.domain import gpus, links
from llm_widgets.domain.services import SERVING, ServiceState, ServiceSummary
from llm_widgets.engines import registry
from llm_widgets.gcp.client import messages
from llm_widgets.manager import managed
from llm_widgets.page import places
from llm_widgets.page.services.comparison import can_chat
from llm_widgets.widgets.table import Action, Column, StatusState, places_of_row

if TYPE_CHECKING:
    from collections.abc import Mapping

CONSOLE = (
    ("Service", "networking"),
    ("Logs", "logs"),
    ("Metrics", "metrics"),
    ("Revisions", "revisions"),
)
"""Pages of the Cloud Console about a service: what they are called, and their tabs."""

COLUMNS = (
    Column("service", "Name", action="open"),
    Column("status", "Status", "status"),
    Column("url", "URL", "link", optional=True),
    Column("model", "Model", optional=True),
    Column("framework", "Framework", optional=True),
    Column("gpu", "GPU", optional=True),
    Column("region", "Region", optional=True),
    Column("instances", "Instances", optional=True),
    Column("updated", "Last deployed", "time", optional=True),
)
_DELETE = Action("delete", "Delete", danger=True)
COMPARE = "compare"
BULK = (Action(COMPARE, "Compare"), _DELETE)
"""What can be done with several services at once."""
ACTIONS = (
    Action("try", "Try it"),
    Action("logs", "Logs", overflow=True),
    Action("edit", "Edit", overflow=True),
    Action("pause", "Pause", overflow=True),
    Action("resume", "Resume", overflow=True),
    replace(_DELETE, overflow=True),
    *(
        Action(f"console-{tab}", f"{label} in Cloud Console", overflow=True)
        for label, tab in CONSOLE
    ),
)
CHANGES = ("edit", "pause", "resume", "delete")
"""Actions that change a service: not there for those that others deployed."""

NOT_MANAGED = "Not managed here"
"""What is said of these."""

STATES: Mapping[ServiceState, StatusState] = {
    ServiceState.DEPLOYING: "busy",
    ServiceState.READY: "ok",
    ServiceState.ERROR: "error",
    ServiceState.DELETING: "busy",
    ServiceState.OLD_SERVING: "warning",
    ServiceState.PAUSED: "off",
}
_LONGEST = 160  # characters of a reason


def service_row(service: ServiceSummary, *, is_local: bool = False) -> dict[str, Any]:
    """Make the row of a service; a local cloud has no Cloud Console."""
    console = {f"console-{tab}": links.service(service.name, tab) for _, tab in CONSOLE}
    gpu = gpus.by_accelerator(service.gpu)
    disabled = {}
    if service.state is ServiceState.DELETING:
        fixed = ("delete", "edit", "pause", "resume", "try")
        disabled = dict.fromkeys(fixed, "The service is being deleted.")
    elif service.state not in SERVING:
        disabled["try"] = "The service is not ready."
    elif not registry.is_asked(service.framework):
        disabled["try"] = "No chat for this service's engine."
    if not can_chat(service):
        disabled[COMPARE] = "This service can't be asked now."
    return {
        "id": service.name,
        "name": service.id,
        "service": service.id,
        "status": {
            "state": STATES[service.state],
            "text": service.state.value,
            "note": _note(service),
        },
        "url": {"href": service.url, "text": service.url.removeprefix("https://"), "copy": True}
        if service.url
        else None,
        "model": service.model_id or None,
        "framework": registry.label_of(service.framework) or None,
        "gpu": gpu.short_label if gpu else service.gpu or None,
        "region": service.region,
        "instances": f"{service.min_instances}–{service.max_instances}",  # noqa: RUF001 - a range
        "updated": _deployed(service),
        "places": places_of_row(open=places.service(service.region, service.id).address),
        "disabled": disabled,
        "hidden": [
            "pause" if service.paused else "resume",
            *(() if service.managed else CHANGES),
            *(("edit",) if managed.why_not_edited(service) else ()),
            *(console if is_local else ()),
        ],
        "links": console,
    }


def _note(service: ServiceSummary) -> str:
    """Return what is said below the state: whose it is, since when it pauses, why it failed."""
    told = service.paused.text if service.paused else _why(service)
    if service.lease:
        told = " · ".join(filter(None, (service.lease.text(datetime.now(UTC)), told)))
    return told if service.managed else " · ".join(filter(None, (NOT_MANAGED, told)))


def _deployed(service: ServiceSummary) -> dict[str, str] | None:
    if service.updated_at is None:
        return None
    by = service.updated_by.partition("@")[0]
    return {"time": service.updated_at.isoformat(), "note": f"by {by}" if by else ""}


def _why(service: ServiceSummary) -> str:
    """Return in a sentence why a service failed; its page has more."""
    reason = service.reason.partition("\n")[0]
    found = (
        diagnose(Evidence(conditions=(reason,)), Context(framework=service.framework))
        if reason
        else None
    )
    text = found.cause if found else messages.brief(reason)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
