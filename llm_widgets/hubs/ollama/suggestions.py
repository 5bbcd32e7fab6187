"""Models of Ollama that a person may want to start with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from llm_widgets.hubs import http
from llm_widgets.hubs.base import Suggestion
from llm_widgets.hubs.ollama.client import ENDPOINT
from llm_widgets.hubs.ollama.documents import Manifest
from llm_widgets.hubs.suggestions import MOST, listed, read, smallest_first

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Catalogue(msgspec.Struct, frozen=True):
    repositories: tuple[str, ...] | None = None


class _Tags(msgspec.Struct, frozen=True):
    tags: tuple[str, ...] | None = None


def find(query: str, *, registry: str) -> tuple[Suggestion, ...]:
    """Return models whose name contains what was typed, smallest first.

    Ollama's own registry can't be searched: its models come from a dated list in this folder.
    Any other registry is asked for its catalogue.

    Raises
    ------
    ManagerError
        The registry does not answer.
    """
    if registry == ENDPOINT.default:
        return listed(__package__, query)
    return smallest_first(_catalogue(query, registry))


def _catalogue(query: str, registry: str) -> Iterator[Suggestion]:
    """List the tags of a registry that has a catalogue, as Docker's protocol describes it."""
    wanted = query.strip().lower()
    found = 0
    with http.session() as session:
        catalogue = read(session, f"{registry}/v2/_catalog", _Catalogue) or _Catalogue()
        for repository in catalogue.repositories or ():
            base = f"{registry}/v2/{repository}"
            listed_tags = read(session, f"{base}/tags/list", _Tags) or _Tags()
            for tag in listed_tags.tags or ():
                name = f"{repository}:{tag}".removeprefix("library/")
                if wanted in name.lower() and found < MOST:
                    found += 1
                    manifest = read(session, f"{base}/manifests/{tag}", Manifest)
                    layers = (manifest.layers if manifest else None) or ()
                    yield Suggestion(name, sum(layer.size for layer in layers))
