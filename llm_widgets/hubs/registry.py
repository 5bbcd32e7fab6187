"""The hubs that there are. A further one takes a folder beside this file, and a line in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.errors import InvalidInputError
from llm_widgets.hubs.huggingface.hub import HuggingFace
from llm_widgets.hubs.ollama.hub import Ollama

if TYPE_CHECKING:
    from llm_widgets.hubs.base import Hub

HUBS: tuple[Hub, ...] = (
    HuggingFace(),
    Ollama(),
)
"""All hubs, in the order in which they are offered."""

FIRST = Ollama.id
"""Id of the hub that is chosen when the import form opens."""


def of(hub_id: str) -> Hub | None:
    """Return the hub with an id; ``None`` for an id that this version does not know."""
    return next((hub for hub in HUBS if hub.id == hub_id), None)


def get(hub_id: str) -> Hub:
    """Return the hub with an id.

    Raises
    ------
    InvalidInputError
        This version does not know it.
    """
    hub = of(hub_id)
    if hub is None:
        known = " or ".join(repr(each.id) for each in HUBS)
        raise InvalidInputError(f"{hub_id!r} is not a source: use {known}.", field="source")
    return hub
