"""Where models come from: the Hugging Face Hub and Ollama's registry.

An id becomes a :class:`~llm_widgets.domain.imports.HubModel`: what is copied, pinned to one
revision, with sizes and digests, and the proof that this person may read it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.models import Source
from llm_widgets.hubs import huggingface, ollama, suggestions
from llm_widgets.hubs.selection import rechosen
from llm_widgets.hubs.suggestions import Suggestion

if TYPE_CHECKING:
    from llm_widgets.config import Settings
    from llm_widgets.domain.imports import HubModel

__all__ = ["Suggestion", "inspect", "newest_revision", "rechosen", "suggest"]


def inspect(
    source: Source,
    text: str,
    settings: Settings,
    *,
    token: str = "",
    revision: str = "",
    look_inside: bool = True,
) -> HubModel:
    """Make the pre-flight of an import: see `huggingface.inspect` and `ollama.inspect`.

    Parameters
    ----------
    text
        What was typed for the model.
    token, revision
        For Hugging Face only.
    look_inside
        Whether the headers of the weights are read too, which tell how much memory the model
        takes: a request for each file. Who types an id does not wait for that.

    Raises
    ------
    ManagerError
        The model does not exist, may not be read, or can't be served; or the hub is away.
    """
    if source is Source.OLLAMA:
        return ollama.inspect(
            text,
            registry=settings.ollama_registry,
            hugging_face=settings.hugging_face_endpoint,
            look_inside=look_inside,
        )
    return huggingface.inspect(
        text,
        endpoint=settings.hugging_face_endpoint,
        token=token,
        revision=revision,
        look_inside=look_inside,
    )


def newest_revision(source: Source, model_id: str, settings: Settings, *, token: str = "") -> str:
    """Give the revision that an import of this model would have now.

    Raises
    ------
    ManagerError
        The model is gone, may not be read any more, or the hub is away.
    """
    if source is Source.OLLAMA:
        return ollama.newest_revision(
            model_id,
            registry=settings.ollama_registry,
            hugging_face=settings.hugging_face_endpoint,
        )
    return huggingface.newest_revision(
        model_id, endpoint=settings.hugging_face_endpoint, token=token
    )


def suggest(source: Source, query: str, settings: Settings) -> tuple[Suggestion, ...]:
    """Give models that exist and whose id contains what was typed, smallest first.

    Raises
    ------
    ManagerError
        The hub is away, or refuses.
    """
    if source is Source.OLLAMA:
        return suggestions.ollama(query, registry=settings.ollama_registry)
    return suggestions.hugging_face(query, endpoint=settings.hugging_face_endpoint)
