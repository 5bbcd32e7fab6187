"""A search for models that Ollama runs: its registry's, and the GGUF models of hf.co.

The registry can't be searched: its models come from a dated list, and the name itself that was
typed is asked for, which tells whether there is such a model and how large it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.domain.found_models import FoundModel
from llm_widgets.errors import InvalidInputError, ManagerError, NotFoundError
from llm_widgets.hubs import documents
from llm_widgets.hubs.base import Found
from llm_widgets.hubs.failures import Refusal
from llm_widgets.hubs.huggingface import listing
from llm_widgets.hubs.huggingface.addresses import SHORT_HOST
from llm_widgets.hubs.ollama import failures, names, suggestions
from llm_widgets.hubs.ollama.client import Registry
from llm_widgets.hubs.ollama.documents import Manifest

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.found_models import Search


def find(
    wanted: Search, *, source: str, registry: str, hugging_face: str, token: str = ""
) -> Found:
    """Return models, those of the registry first: how often they are asked for nobody tells.

    Each part that does not answer is told as failed beside what the others have.

    Raises
    ------
    ManagerError
        None of them answered.
    """

    def suggested() -> list[FoundModel]:
        found = suggestions.find(wanted.text, registry=registry)[: wanted.limit]
        return [FoundModel(source, each.id, size=each.size or None) for each in found]

    def files() -> list[FoundModel]:
        found = listing.search(
            wanted, source=source, endpoint=hugging_face, format_=listing.GGUF, token=token
        )
        short = (replace(each, id=f"{SHORT_HOST}/{each.id}") for each in found)
        return [each for each in short if _is_name(each.id)]

    parts: list[Callable[[], list[FoundModel]]] = [files]
    if not wanted.task and not wanted.quantized_from:
        parts = [lambda: _named(wanted.text, source, registry, hugging_face), suggested, files]
    found: dict[str, FoundModel] = {}
    failed: list[ManagerError] = []
    for part in parts:
        try:
            for each in part():
                found.setdefault(each.id, each)
        except ManagerError as error:
            failed.append(error)
    if len(failed) == len(parts):
        raise failed[0]
    return Found(tuple(found.values()), tuple(failed))


def _named(text: str, source: str, registry: str, hugging_face: str) -> list[FoundModel]:
    """Return the model of the name that was typed; none where the registry does not have it.

    Raises
    ------
    ManagerError
        The registry is away or refuses.
    """
    try:
        name = names.model(text)
    except InvalidInputError:
        return []  # a word to search for need not be a name
    if name.host == SHORT_HOST:
        return []
    manifest = Registry(name, registry=registry, hugging_face=hugging_face).asked()
    if isinstance(manifest, Refusal):
        error = failures.explained(manifest, name)
        if isinstance(error, NotFoundError):
            return []
        raise error
    told = documents.read(manifest, Manifest, name=f"The manifest of {name.id}")
    size = sum(layer.size for layer in told.layers or ())
    return [FoundModel(source, name.id, size=size or None)]


def _is_name(text: str) -> bool:
    """Return whether Ollama takes a name: of the Hub's, it needs a user and a repository."""
    try:
        return names.model(text).host == SHORT_HOST
    except InvalidInputError:
        return False
