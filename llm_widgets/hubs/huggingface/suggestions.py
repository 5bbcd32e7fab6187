"""Models of the Hugging Face Hub that a person may want to start with."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec

from llm_widgets.hubs import http
from llm_widgets.hubs.base import Suggestion
from llm_widgets.hubs.huggingface.client import ENDPOINT
from llm_widgets.hubs.suggestions import MOST, listed, read, smallest_first

if TYPE_CHECKING:
    from collections.abc import Iterator

# Bytes that one parameter of a dtype takes; safetensors' names.
_WIDTH = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2}


class _Weights(msgspec.Struct, frozen=True):
    parameters: dict[str, int] | None = None


class _Found(msgspec.Struct, frozen=True):
    """A model in the answer of a search."""

    id: str
    gated: bool | str | None = None
    safetensors: _Weights | None = None


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
    return smallest_first(_searched(query, endpoint))


def _searched(query: str, endpoint: str) -> Iterator[Suggestion]:
    wanted = [("limit", str(MOST)), ("expand", "gated"), ("expand", "safetensors")]
    if query.strip():
        wanted.append(("search", query.strip()))
    with http.session() as session:
        url = f"{endpoint}/api/models?{urlencode(wanted)}"
        models = read(session, url, tuple[_Found, ...])
    for model in models or ():
        # Without safetensors, vLLM loads it slowly or not at all.
        if model.safetensors and (counts := model.safetensors.parameters):
            size = sum(_WIDTH.get(dtype, 1) * count for dtype, count in counts.items())
            yield Suggestion(model.id, size, gated=bool(model.gated))
