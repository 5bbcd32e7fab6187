"""What a search for models asks a hub for, and what the hub's list tells of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

SORTS = ("downloads", "likes", "trending", "changed", "created")
"""What the results of a search may be sorted by, the most or newest first."""

LIMIT = 20
"""Models that a search gives where it is not told how many."""

MOST = 200
"""Models that a search gives at most: a list is told by hubs in pages, each a request."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for.

    Attributes
    ----------
    text
        Part of an id; empty for any.
    task
        In the hub's own word, for example ``text-generation``; empty for any.
    sort
        One of :data:`SORTS`.
    limit
        Models at most.
    quantized_from
        Id of a model whose quantized versions are meant; empty for any model.
    """

    text: str = ""
    task: str = ""
    sort: str = SORTS[0]
    limit: int = LIMIT
    quantized_from: str = ""


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model as the list of a hub tells of it; what the list does not tell is ``None`` or empty.

    Attributes
    ----------
    source, id
        By which it is imported.
    size
        Bytes of the weights, by what the hub counted in the files' headers; all that an import
        copies, where the model was inspected. ``None`` where several may be packed into one
        element.
    parameters
        Numbers that the model was trained to.
    license
        As its author named it.
    gated
        Whether its licence must be accepted first.
    downloads
        Of the last 30 days.
    task
        In the hub's own word.
    quantization
        Method of the weights.
    base
        Id of the model that it is a quantized version of, by its author's word.
    elements
        How many the weights have of each type, by safetensors' names of these.
    """

    source: str
    id: str
    size: int | None = None
    parameters: int | None = None
    license: str = ""
    gated: bool | None = None
    downloads: int | None = None
    task: str = ""
    changed: datetime | None = None
    quantization: str = ""
    base: str = ""
    elements: tuple[tuple[str, int], ...] = ()
