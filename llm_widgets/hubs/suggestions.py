"""Models that a person may want to start with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import requests

from llm_widgets.config import HUGGING_FACE, OLLAMA_REGISTRY
from llm_widgets.domain.models import Source
from llm_widgets.errors import HubError
from llm_widgets.hubs import failures, http

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 20
"""Suggestions that are given at most."""

_LARGEST_LIST = 4 << 20  # bytes
# Bytes that one parameter of a dtype takes; safetensors' names.
_WIDTH = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A model that exists.

    Attributes
    ----------
    size
        Bytes that an import copies, rounded; 0 when not known.
    gated
        Whether its licence must be accepted first.
    """

    id: str
    source: Source
    size: int = 0
    gated: bool = False


def hugging_face(query: str, *, endpoint: str) -> tuple[Suggestion, ...]:
    """Give models whose id contains what was typed, smallest first.

    Those of the real hub come from a dated list in this package; any other hub is asked.

    Raises
    ------
    ManagerError
        The hub does not answer, or refuses.
    """
    if endpoint == HUGGING_FACE:
        return _listed(Source.HUGGING_FACE, query)
    return _smallest_first(_searched(query, endpoint))


def ollama(query: str, *, registry: str) -> tuple[Suggestion, ...]:
    """Give models whose name contains what was typed, smallest first.

    Ollama's own registry can't be searched: its models come from a dated list in this package.
    Any other registry is asked for its catalogue.

    Raises
    ------
    ManagerError
        The registry does not answer.
    """
    if registry == OLLAMA_REGISTRY:
        return _listed(Source.OLLAMA, query)
    return _smallest_first(_catalogue(query, registry))


@cache
def _lists() -> dict[str, list[dict[str, Any]]]:
    text = resources.files(__package__).joinpath("suggestions.json").read_text()
    lists: dict[str, list[dict[str, Any]]] = json.loads(text)
    return lists


def _listed(source: Source, query: str) -> tuple[Suggestion, ...]:
    wanted = query.strip().lower()
    found = [Suggestion(source=source, **entry) for entry in _lists()[source.value]]
    return tuple(entry for entry in found if wanted in entry.id.lower())[:MOST]


def _searched(query: str, endpoint: str) -> Iterator[Suggestion]:
    wanted = [("limit", str(MOST)), ("expand", "gated"), ("expand", "safetensors")]
    if query.strip():
        wanted.append(("search", query.strip()))
    with requests.Session() as session:
        models = _read(session, f"{endpoint}/api/models?{urlencode(wanted)}")
    for model in models or ():
        # Without safetensors, vLLM loads it slowly or not at all.
        if counts := (model.get("safetensors") or {}).get("parameters"):
            size = sum(_WIDTH.get(dtype, 1) * count for dtype, count in counts.items())
            yield Suggestion(model["id"], Source.HUGGING_FACE, size, gated=bool(model.get("gated")))


def _catalogue(query: str, registry: str) -> Iterator[Suggestion]:
    """List the tags of a registry that has a catalogue, as Docker's protocol describes it."""
    wanted = query.strip().lower()
    found = 0
    with requests.Session() as session:
        catalogue = _read(session, f"{registry}/v2/_catalog") or {}
        for repository in catalogue.get("repositories") or ():
            listed = _read(session, f"{registry}/v2/{repository}/tags/list") or {}
            for tag in listed.get("tags") or ():
                name = f"{repository}:{tag}".removeprefix("library/")
                if wanted in name.lower() and found < MOST:
                    found += 1
                    manifest = _read(session, f"{registry}/v2/{repository}/manifests/{tag}") or {}
                    size = sum(layer["size"] for layer in manifest.get("layers") or ())
                    yield Suggestion(name, Source.OLLAMA, size)


def _read(session: requests.Session, url: str) -> Any:
    """Read JSON; ``None`` where the hub has no such page."""
    answer = http.get(session, url, limit=_LARGEST_LIST)
    if answer.status == requests.codes.not_found:
        return None
    if answer.status != requests.codes.ok:
        raise failures.general(answer.status, answer.headers, hub="The model hub")
    try:
        return json.loads(answer.body)
    except ValueError as error:
        raise HubError("The model hub's answer is not JSON.", cause=f"It was {url}.") from error


def _smallest_first(found: Iterator[Suggestion]) -> tuple[Suggestion, ...]:
    return tuple(sorted(found, key=lambda suggestion: suggestion.size))
