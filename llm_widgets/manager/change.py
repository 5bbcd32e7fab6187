"""Changing a service that exists: what is wrong with a change, and what is sent."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from llm_widgets.errors import Fix, InvalidInputError
from llm_widgets.gcp.run import service_json
from llm_widgets.serving import checks, codec
from llm_widgets.serving.codec import deployment_of

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment
    from llm_widgets.gcp.client.clients import Clients

__all__ = ["FIXED", "Change", "again", "deployment_of", "prepared", "problems", "send"]

Json = dict[str, Any]

REDEPLOYED = "llm-manager/redeployed-at"
"""Annotation of a template that is deployed again as it is: an equal one makes no revision."""


FIXED = (
    *("project", "name", "region", "framework", "model_id", "served_name"),
    *("bucket", "folder"),
)
"""Fields of a deployment that a service keeps: its name, its place, its model and files."""


@dataclass(frozen=True, slots=True)
class Change:
    """A service with its changes made to it, and the fields of it that are to be sent."""

    document: Json
    paths: tuple[str, ...]


def problems(before: Deployment, after: Deployment) -> list[InvalidInputError]:
    """List what is wrong with a change, each with its field.

    What was wrong before and was not touched is left alone: not everybody deploys by our rules.
    """
    fixed = [
        InvalidInputError(
            f"The {name.replace('_', ' ')} of a service can't be changed.",
            field=name,
            fix=Fix(text="Deploy the model again, as another service."),
        )
        for name in FIXED
        if getattr(before, name) != getattr(after, name)
    ]
    known = {problem.message for problem in checks.problems(before)}
    return [*fixed, *(each for each in checks.problems(after) if each.message not in known)]


def prepared(document: Json, before: Deployment, after: Deployment) -> Change:
    """Make a change in the service as it was read; what nobody touched stays as it is."""
    changed, paths = codec.edited(document, before, after)
    return Change(changed, tuple(paths))


def refuse_nothing(change: Change) -> None:
    """Refuse a change that changes nothing.

    Raises
    ------
    InvalidInputError
        It does.
    """
    if not change.paths:
        raise InvalidInputError("Nothing is changed.")


def again(change: Change) -> Change:
    """Have the template deployed anew, also where nothing in it differs."""
    if "template" in change.paths:
        return change
    marked = copy.deepcopy(change.document)
    template = marked.setdefault("template", {})
    template.pop("revision", None)
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    template["annotations"] = {**template.get("annotations", {}), REDEPLOYED: moment}
    return Change(marked, (*change.paths, "template"))


def send(clients: Clients, change: Change) -> None:
    """Send a change.

    Raises
    ------
    ManagerError
        :class:`ConflictError` when somebody else changed the service since it was read.
    """
    service_json.patch(clients, change.document, change.paths)
