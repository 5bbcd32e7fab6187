"""Where the manifest and the blobs of a model are read: at a registry, or from files."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from llm_widgets.errors import ManagerError
from llm_widgets.hubs import quantizations
from llm_widgets.hubs.failures import FORBIDDEN, NOT_FOUND, UNAUTHORIZED, Refusal
from llm_widgets.hubs.huggingface.addresses import MAIN, SHORT_HOST
from llm_widgets.hubs.huggingface.repository import Repository
from llm_widgets.hubs.ollama import failures
from llm_widgets.hubs.ollama.client import Registry
from llm_widgets.hubs.ollama.gguf_files import GgufFiles

if TYPE_CHECKING:
    from llm_widgets.hubs.headers import ReadRange
    from llm_widgets.hubs.ollama.documents import Layer
    from llm_widgets.hubs.ollama.names import Name

_MAY_BE_CLOSED = frozenset({UNAUTHORIZED, FORBIDDEN, NOT_FOUND})


class Source(Protocol):
    """What a model is read from.

    Attributes
    ----------
    license
        As the hub tells it beside the manifest; empty where the manifest has it.
    """

    license: str

    def manifest(self) -> bytes:
        """Return the manifest, byte for byte as it is stored."""
        ...

    def blob(self, layer: Layer) -> bytes:
        """Return a short blob."""
        ...

    def blob_url(self, layer: Layer) -> str:
        """Return the address of a blob."""
        ...

    def range_reader(self) -> ReadRange:
        """Return what reads parts of blobs."""
        ...


def opened(name: Name, *, registry: str, hugging_face: str, token: str = "") -> Source:
    """Return where a model is read: what its registry refuses, the token may open.

    Raises
    ------
    ManagerError
        The model can't be read; a repository's other quantizations are named where it has them.
    """
    source = Registry(name, registry=registry, hugging_face=hugging_face)
    found = source.asked()
    if not isinstance(found, Refusal):
        return source
    if name.host != SHORT_HOST:
        raise failures.explained(found, name)
    repository = Repository(hugging_face, token)
    if token and found.status in _MAY_BE_CLOSED:
        return GgufFiles(repository, name, hugging_face)
    raise failures.explained(found, name, _others(repository, name))


def _others(repository: Repository, name: Name) -> tuple[str, ...]:
    """Return the quantizations that a repository has; none where that can't be told."""
    with suppress(ManagerError):
        model, _ = repository.model(f"{name.namespace}/{name.model}", MAIN)
        return quantizations.offered(model.files)
    return ()
