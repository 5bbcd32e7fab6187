"""Models of the Hugging Face Hub that a person may want to start with."""

from __future__ import annotations

from llm_widgets.domain.found_models import Search
from llm_widgets.hubs.base import Suggestion
from llm_widgets.hubs.huggingface import listing
from llm_widgets.hubs.huggingface.client import ENDPOINT
from llm_widgets.hubs.suggestions import MOST, listed, smallest_first


def find(query: str, *, endpoint: str) -> tuple[Suggestion, ...]:
    """Return models whose id contains what was typed, smallest first.

    Those of the real hub come from a dated list in this folder; any other hub is asked.

    Raises
    ------
    ManagerError
        The hub does not answer, or refuses.
    """
    if endpoint == ENDPOINT.default:
        return listed(__package__, query)
    wanted = Search(query, limit=MOST)
    found = listing.search(wanted, source="", endpoint=endpoint, format_=listing.SAFETENSORS)
    # Without safetensors, vLLM loads it slowly or not at all.
    return smallest_first(
        Suggestion(each.id, each.size, gated=bool(each.gated)) for each in found if each.size
    )
