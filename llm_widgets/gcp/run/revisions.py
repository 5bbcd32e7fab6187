"""Revisions of a service: what was deployed one after the other, and what serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.client.failures import explained

if TYPE_CHECKING:
    from datetime import datetime

    from llm_widgets.gcp.client.clients import Clients


@dataclass(frozen=True, slots=True)
class RevisionFact:
    """A revision.

    Attributes
    ----------
    state
        ``"ready"``, ``"failed"`` or ``"deploying"``.
    message
        Why it failed, in the words of Cloud Run; empty otherwise.
    image_at
        When its image was there, ``None`` when that is not told.
    """

    id: str
    created_at: datetime | None
    creator: str
    image: str
    state: str
    message: str
    image_at: datetime | None = None


def list_revisions(clients: Clients, service: str) -> tuple[RevisionFact, ...]:
    """List the revisions of a service, given its resource name, the newest first.

    Raises
    ------
    ManagerError
        They may not be seen.
    """
    _, project, _, _, _, service_id = service.split("/")
    with explained(
        f"list the revisions of {service_id}",
        clients=clients,
        project=project,
        permission="run.revisions.list",
    ):
        found = clients.revisions.list_revisions(parent=service)
        facts = [_fact(revision) for revision in found]
    return tuple(sorted(facts, key=lambda fact: str(fact.created_at), reverse=True))


def _fact(revision: lazy.run_v2.Revision) -> RevisionFact:
    states = lazy.run_v2.Condition.State
    conditions: dict[str, Any] = {each.type_: each for each in revision.conditions}
    ready = conditions.get("Ready")
    state, message = "deploying", ""
    if ready is not None and ready.state == states.CONDITION_SUCCEEDED:
        state = "ready"
    elif ready is not None and ready.state == states.CONDITION_FAILED:
        state, message = "failed", ready.message
    image = conditions.get("ContainerReady")
    has_image = image is not None and image.state == states.CONDITION_SUCCEEDED
    return RevisionFact(
        id=revision.name.rsplit("/", 1)[-1],
        created_at=revision.create_time or None,
        creator=revision.creator,
        image=revision.containers[0].image if revision.containers else "",
        state=state,
        message=message,
        image_at=(image.last_transition_time or None) if has_image and image else None,
    )
