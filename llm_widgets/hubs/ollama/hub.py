"""Ollama's registry as the product sees it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from llm_widgets.errors import TransferError
from llm_widgets.hubs.base import Hub, HubForm, Suggestion
from llm_widgets.hubs.huggingface.client import ENDPOINT as HUGGING_FACE
from llm_widgets.hubs.huggingface.names import HOSTS as HUGGING_FACE_HOSTS
from llm_widgets.hubs.huggingface.names import SHORT_HOST
from llm_widgets.hubs.ollama import names, preflight, suggestions
from llm_widgets.hubs.ollama.client import ENDPOINT, Registry

if TYPE_CHECKING:
    from llm_widgets.config import Settings
    from llm_widgets.domain.imports import HubFile, HubModel

_MANIFESTS = "manifests"
_MANIFEST_PARTS = 5  # manifests/<host>/<namespace>/<model>/<tag>


class Ollama(Hub):
    """Models by name and tag; a revision is the sha256 of a manifest."""

    id = "ollama"
    label = "Ollama"
    endpoint = ENDPOINT
    hosts = names.HOSTS | HUGGING_FACE_HOSTS
    form = HubForm(
        title="Ollama",
        text="Fast cold start and fast single-user performance.",
        model_key="ollama_id",
        placeholder="gemma3:4b",
        examples="gemma3:4b, user/model:tag or hf.co/user/repository:Q4_K_M",
    )

    def inspect(
        self,
        text: str,
        settings: Settings,
        *,
        token: str = "",
        revision: str = "",
        look_inside: bool = True,
    ) -> HubModel:
        """Find a model that Ollama runs on Linux: see :func:`.ollama.preflight.inspect`.

        Token and revision are not used: the protocol takes no token, and a tag names the
        revision.
        """
        del token, revision
        return preflight.inspect(
            text,
            hub_id=self.id,
            registry=settings.endpoint(ENDPOINT),
            hugging_face=settings.endpoint(HUGGING_FACE),
            look_inside=look_inside,
        )

    def newest_revision(self, model_id: str, settings: Settings) -> str:
        """Return the sha256 of the manifest that a model's tag has now."""
        return preflight.newest_revision(
            model_id,
            registry=settings.endpoint(ENDPOINT),
            hugging_face=settings.endpoint(HUGGING_FACE),
        )

    def suggest(self, query: str, settings: Settings) -> tuple[Suggestion, ...]:
        """Return models whose name contains the query: see :func:`.ollama.suggestions.find`."""
        return suggestions.find(query, registry=settings.endpoint(ENDPOINT))

    def folder(self, model: HubModel) -> str:
        """Return a folder for each manifest: a complete ``OLLAMA_MODELS`` that can be removed."""
        for file in model.files:
            parts = PurePosixPath(file.path).parts
            if len(parts) == _MANIFEST_PARTS and parts[0] == _MANIFESTS:
                name = "/".join(part.replace(":", "-") for part in parts[1:])
                return f"{name}/{model.revision[:12]}"
        raise TransferError(f"{model.id} has no manifest, so Ollama could not load it.")

    def is_id(self, model_id: str) -> bool:
        """Return whether a text is the shortest name of a model, with its tag."""
        return names.is_id(model_id)

    def file_url(self, model_id: str, revision: str, file: HubFile, settings: Settings) -> str:
        """Return the address of a blob."""
        del revision
        registry = Registry(
            names.model(model_id),
            registry=settings.endpoint(ENDPOINT),
            hugging_face=settings.endpoint(HUGGING_FACE),
        )
        return registry.url_of(file.digest.value)

    def page(self, model_id: str, settings: Settings) -> str:
        """Return the address of a model's page; another registry than Ollama's own has none."""
        if settings.endpoint(ENDPOINT) != ENDPOINT.default:
            return ""
        if model_id.startswith(f"{SHORT_HOST}/"):
            return f"https://{model_id.partition(':')[0]}"
        return f"https://ollama.com/{model_id if '/' in model_id else f'library/{model_id}'}"
