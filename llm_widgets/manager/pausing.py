"""Pausing a service: no instances, whoever calls, until it is resumed as it was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from llm_widgets.errors import DeploymentError, Fix, InvalidInputError
from llm_widgets.gcp.run import rollout
from llm_widgets.manager import acting, change, leasing
from llm_widgets.manager.audit import recorded
from llm_widgets.serving.codec import scaling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llm_widgets.gcp.client.clients import Clients

Json = dict[str, Any]
_PERIOD = 0.5  # seconds between two looks: no revision is made, which would take long


@recorded("service.pause", on="{name}")
def pause(clients: Clients, name: str) -> None:
    """Have a service run no instances, given its resource name.

    Its configuration, its URL and its revisions stay; requests are refused. What it scaled
    between is kept with it. One that is paused stays as it is.

    Raises
    ------
    ManagerError
        It may not be changed, or others keep changing it.
    """

    def paused(document: Json) -> change.Change | None:
        if scaling.pause_of(document) is not None:
            return None
        by = acting.actor(clients).name
        return change.Change(*scaling.paused(document, datetime.now(UTC), by))

    change.decided(clients, name, paused)


@recorded("service.resume", on="{name}")
def resume(clients: Clients, name: str) -> None:
    """Have a paused service scale by itself again, between what it did before.

    Raises
    ------
    InvalidInputError
        It is not paused: what others have set since stays.
    ManagerError
        It may not be changed, or others keep changing it.
    """

    def resumed(document: Json) -> change.Change | None:
        found = scaling.pause_of(document)
        if found is None:
            raise InvalidInputError(
                f"{_id(document)} is not paused.",
                fix=Fix(text="Somebody may have resumed it; reload it."),
            )
        leasing.forget(clients, document)
        return change.Change(*scaling.resumed(document, found))

    change.decided(clients, name, resumed)


def settle(clients: Clients, name: str, watch: Callable[[str], None] = lambda _: None) -> None:
    """Wait until Cloud Run has carried out a pause or its end.

    Parameters
    ----------
    watch
        Called with what Cloud Run says of it, at each look.

    Raises
    ------
    ManagerError
        The service is gone, or not to be seen.
    """
    try:
        for each in rollout.follow_service(clients, name, period=_PERIOD):
            watch(each.message)
    except DeploymentError:
        return  # its newest revision had failed before: it has no instances all the same


def _id(document: Mapping[str, Any]) -> str:
    return str(document["name"]).rsplit("/", 1)[-1]
