"""Models that a person may want to start with, from dated lists and from hubs that are asked."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, TypeVar

import msgspec
import requests

from llm_widgets.hubs import documents, failures, http
from llm_widgets.hubs.base import Suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST = 20
"""Suggestions that are made at most."""

_LARGEST_LIST = 4 << 20  # bytes
_T = TypeVar("_T")


class _Listed(msgspec.Struct, frozen=True):
    """The file ``suggestions.json`` of a hub's folder."""

    date: str
    about: str
    models: tuple[Suggestion, ...]


def listed(package: str, query: str) -> tuple[Suggestion, ...]:
    """Return those of the dated list of a hub whose id contains what was typed.

    Parameters
    ----------
    package
        The hub's folder, which holds ``suggestions.json``.
    """
    wanted = query.strip().lower()
    return tuple(entry for entry in _list(package) if wanted in entry.id.lower())[:MOST]


def smallest_first(found: Iterable[Suggestion]) -> tuple[Suggestion, ...]:
    """Return suggestions in the order in which they are shown."""
    return tuple(sorted(found, key=lambda suggestion: suggestion.size))


def read(session: requests.Session, url: str, kind: type[_T]) -> _T | None:
    """Read an answer of a hub as values of a type; ``None`` where the hub has no such page.

    Raises
    ------
    ManagerError
        The hub is away or refuses, or its answer is something else.
    """
    answer = http.get(session, url, limit=_LARGEST_LIST)
    if answer.status == requests.codes.not_found:
        return None
    if answer.status != requests.codes.ok:
        refusal = failures.Refusal(answer.status, answer.headers, answer.body)
        raise failures.general(refusal, hub="The model hub")
    return documents.read(answer.body, kind, name=f"The model hub's answer from {url}")


@cache
def _list(package: str) -> tuple[Suggestion, ...]:
    text = resources.files(package).joinpath("suggestions.json").read_bytes()
    return msgspec.json.decode(text, type=_Listed).models
