"""Changing a service that exists: what is wrong with a change, and what is sent."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.actors import Deed
from llm_widgets.errors import ConflictError, Fix, InvalidInputError
from llm_widgets.gcp.iam import acting_as
from llm_widgets.gcp.run import service_json
from llm_widgets.manager import acting, managed
from llm_widgets.manager.audit import recorded
from llm_widgets.serving import checks, codec
from llm_widgets.serving.codec import deployment_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llm_widgets.domain.services import Deployment
    from llm_widgets.gcp.client.clients import Clients

__all__ = ["FIXED", "Change", "again", "deployment_of", "prepared", "problems", "send"]

Json = dict[str, Any]

_ALL = 100  # per cent
_TRIES = 3  # of a change that others are faster with

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
    """Make a change in the service as it was read; what nobody touched stays as it is.

    What was tried while it did not run is forgotten once it does.
    """
    is_up = document.get("terminalCondition", {}).get("state") == "CONDITION_SUCCEEDED"
    known = codec.without_tried(document) if is_up else document
    changed, paths = codec.edited(known, before, after)
    return Change(changed, tuple(paths))


def refuse_nothing(change: Change) -> None:
    """Refuse a change that changes nothing.

    Raises
    ------
    InvalidInputError
        It does.
    """
    if not change.paths:
        raise InvalidInputError("No changes.")


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


@recorded("service.change", on="{change.document[name]}")
def send(clients: Clients, change: Change) -> None:
    """Send a change, and with it who made it.

    Raises
    ------
    ManagerError
        :class:`ConflictError` when somebody else changed the service since it was read.
    """
    patch(clients, change)


def refuse_shares(document: Json, shares: Mapping[str, int]) -> None:
    """Refuse shares that are not all of the requests of a service.

    Raises
    ------
    InvalidInputError
        A share is below 0, or all together are not 100 %.
    """
    total = sum(shares.values())
    if total != _ALL or min(shares.values(), default=0) < 0:
        name = str(document["name"]).rsplit("/", 1)[-1]
        raise InvalidInputError(
            f"The traffic of {name} would be {total}%, not 100%.",
            field="shares",
            fix=Fix(text="Give each revision a share; together they are 100%."),
        )


@recorded("service.traffic", on="{name}: {shares}")
def serve(clients: Clients, name: str, shares: Mapping[str, int]) -> None:
    """Divide the requests of a service among its revisions.

    Parameters
    ----------
    shares
        Per cent by the id of a revision, together 100; the empty id is whatever is latest.

    Raises
    ------
    ManagerError
        Cloud Run refuses it, or somebody else changed the service at the same time.
    """
    document = service_json.read(clients, name)
    refuse_shares(document, shares)
    patch(clients, Change(*service_json.with_traffic(document, shares)))


def decided(
    clients: Clients,
    name: str,
    decide: Callable[[Json], Change | None],
    send: Callable[[Clients, Change], object] | None = None,
) -> None:
    """Change a service as it is now; read it again where somebody else was faster.

    Parameters
    ----------
    name
        Resource name of the service.
    decide
        Given the service, returns what is to be sent; ``None`` for nothing.
    send
        Sends it; :func:`patch` when left out.

    Raises
    ------
    ManagerError
        It may not be changed, or others keep changing it.
    """
    send = send or patch
    for left in reversed(range(_TRIES)):
        wanted = decide(service_json.read(clients, name))
        if wanted is None:
            return
        try:
            send(clients, wanted)
        except ConflictError:
            if not left:
                raise
        else:
            return


def patch(clients: Clients, change: Change) -> None:
    """Send fields of a service, and with them who changed it; see :func:`send`.

    Raises
    ------
    InvalidInputError
        Others deployed the service, and nobody adopted it.
    """
    managed.refuse_document(change.document)
    signed, paths = codec.sign(change.document, acting.actor(clients), Deed.CHANGED)
    account = str(signed.get("template", {}).get("serviceAccount", ""))
    fields = dict.fromkeys([*change.paths, *paths])
    acting_as.until_allowed(
        clients,
        lambda: service_json.patch(clients, signed, fields),
        str(signed["name"]).split("/")[1],
        account,
    )
