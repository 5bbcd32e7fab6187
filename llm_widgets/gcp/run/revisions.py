"""Revisions of a service: what was deployed one after the other, and what serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.tables import Shown, Values
from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.client.failures import explained

if TYPE_CHECKING:
    from datetime import datetime

    from llm_widgets.gcp.client.clients import Clients


@dataclass(frozen=True, slots=True)
class RevisionFact(Shown):
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

    def shown(self) -> Values:
        """Return what a list of revisions tells of it."""
        return {
            "id": self.id,
            "state": self.state,
            "image": self.image,
            "created_at": self.created_at,
            "creator": self.creator,
            "message": self.message,
        }


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


def older_in_use(
    clients: Clients, service: lazy.run_v2.Service
) -> tuple[lazy.run_v2.Revision, ...]:
    """Return the revisions that traffic or a tag leads to, without the one of the template.

    After a rollback, and while the newest one does not become ready, an older one serves.

    Raises
    ------
    ManagerError
        They may not be seen.
    """
    _, project, _, _, _, service_id = service.name.split("/")
    newest, ready = _last(service.latest_created_revision), _last(service.latest_ready_revision)
    led = [each.revision for each in service.traffic]
    led += [each.revision for each in service.traffic_statuses]
    used = {_last(each) or ready for each in led} - {newest, ""}
    with explained(
        f"read the revisions of {service_id}",
        clients=clients,
        project=project,
        permission="run.revisions.get",
    ):
        return tuple(
            clients.revisions.get_revision(name=f"{service.name}/revisions/{each}")
            for each in sorted(used)
        )


def _last(name: str) -> str:
    return name.rsplit("/", 1)[-1]


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
