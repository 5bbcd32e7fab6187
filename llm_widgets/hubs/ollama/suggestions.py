"""Models of Ollama that a person may want to start with."""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from llm_widgets.hubs import http
from llm_widgets.hubs.base import Suggestion
from llm_widgets.hubs.ollama import names
from llm_widgets.hubs.ollama.client import ENDPOINT
from llm_widgets.hubs.ollama.documents import Manifest
from llm_widgets.hubs.suggestions import MOST, listed, read, smallest_first

if TYPE_CHECKING:
    from collections.abc import Iterator


_MOST_ASKED = 100
"""Repositories of a catalogue whose tags are asked for: a catalogue may have any number."""


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
    deadline = time.monotonic() + http.SECONDS
    with http.session() as session:
        catalogue = read(session, f"{registry}/v2/_catalog", _Catalogue) or _Catalogue()
        named = (each for each in catalogue.repositories or () if _is_name(f"{each}:latest"))
        for repository in islice(named, _MOST_ASKED):
            if found == MOST or time.monotonic() > deadline:
                return
            base = f"{registry}/v2/{repository}"
            listed_tags = read(session, f"{base}/tags/list", _Tags) or _Tags()
            for tag in listed_tags.tags or ():
                name = f"{repository}:{tag}".removeprefix("library/")
                if wanted in name.lower() and found < MOST and _is_name(f"{repository}:{tag}"):
                    found += 1
                    manifest = read(session, f"{base}/manifests/{tag}", Manifest)
                    layers = (manifest.layers if manifest else None) or ()
                    yield Suggestion(name, sum(layer.size for layer in layers))


def _is_name(text: str) -> bool:
    """Return whether a repository with a tag is one that Ollama takes: it becomes an address."""
    return names.is_id(text.removeprefix("library/"))
