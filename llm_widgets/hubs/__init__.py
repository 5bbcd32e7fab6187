"""Where models come from: one folder for each hub, and what they share.

An id becomes a :class:`~llm_widgets.domain.imports.HubModel`: what is copied, pinned to one
revision, with sizes and digests, and the proof that this person may read it. Hubs are named by
their ids; one that this version does not know is shown as what it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.names import shown
from llm_widgets.errors import InvalidInputError
from llm_widgets.hubs import names, pasted, registry

if TYPE_CHECKING:
    from llm_widgets.config import Settings
    from llm_widgets.domain.found_models import FoundModel, Search
    from llm_widgets.domain.imports import HubModel
    from llm_widgets.hubs.base import Found, Hub, Suggestion


def check_endpoints(settings: Settings) -> None:
    """Check the addresses of all hubs, before one of them is needed.

    Raises
    ------
    InvalidInputError
        The environment names something that is no address; the message names the variable.
    """
    for hub in registry.HUBS:
        settings.endpoint(hub.endpoint)


def inspect(
    hub_id: str,
    text: str,
    settings: Settings,
    *,
    token: str = "",
    revision: str = "",
    look_inside: bool = True,
) -> HubModel:
    """Make the pre-flight of an import: see :meth:`llm_widgets.hubs.base.Hub.inspect`.

    Raises
    ------
    InvalidInputError
        There is no such hub, or the text is the address of a page of another one.
    ManagerError
        What the hub raises.
    """
    hub = registry.get(hub_id)
    _refuse_page_of_another(hub, text)
    return hub.inspect(text, settings, token=token, revision=revision, look_inside=look_inside)


def token(hub_id: str, text: str, settings: Settings) -> str:
    """Return a token as Python gives it: see :meth:`llm_widgets.hubs.base.Hub.token`."""
    return registry.get(hub_id).token(text, settings)


def newest_revision(hub_id: str, model_id: str, settings: Settings) -> str:
    """Return the newest revision: see :meth:`llm_widgets.hubs.base.Hub.newest_revision`."""
    return registry.get(hub_id).newest_revision(model_id, settings)


def suggest(hub_id: str, query: str, settings: Settings) -> tuple[Suggestion, ...]:
    """Return models that exist: see :meth:`llm_widgets.hubs.base.Hub.suggest`."""
    return registry.get(hub_id).suggest(query, settings)


def find(hub_id: str, wanted: Search, settings: Settings, token: str = "") -> Found:
    """Search a hub for models: see :meth:`llm_widgets.hubs.base.Hub.find`."""
    return registry.get(hub_id).find(wanted, settings, token)


def look(model: FoundModel, settings: Settings, token: str = "") -> HubModel | None:
    """Read by one request whether a model fits: see :meth:`llm_widgets.hubs.base.Hub.look`."""
    return registry.get(model.source).look(model, settings, token)


def label(hub_id: str) -> str:
    """Return a hub's name as people write it; the id where the hub is not known."""
    hub = registry.of(hub_id)
    return hub.label if hub else hub_id


def page(hub_id: str, model_id: str, settings: Settings) -> str:
    """Return the address of a model's page; empty where it has none, or the hub is not known."""
    hub = registry.of(hub_id)
    return hub.page(model_id, settings) if hub else ""


def _refuse_page_of_another(hub: Hub, text: str) -> None:
    try:
        typed = pasted.read(text, "").text
    except InvalidInputError:
        return  # the hub that was chosen says what is wrong
    host = names.host(typed)
    if host in hub.hosts:
        return
    for other in registry.HUBS:
        if host in other.hosts:
            raise names.invalid(
                f"{shown(typed)} is a model of {other.label}.",
                f"Choose {other.label} as the source.",
            )
