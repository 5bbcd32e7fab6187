"""Ollama's registry as the product sees it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from llm_widgets.errors import TransferError
from llm_widgets.hubs.base import Found, Hub, HubField, HubForm, Suggestion
from llm_widgets.hubs.huggingface import tokens
from llm_widgets.hubs.huggingface.addresses import about_mirror
from llm_widgets.hubs.huggingface.client import ENDPOINT as HUGGING_FACE
from llm_widgets.hubs.huggingface.names import HOSTS as HUGGING_FACE_HOSTS
from llm_widgets.hubs.huggingface.names import SHORT_HOST
from llm_widgets.hubs.huggingface.names import token as hugging_face_token
from llm_widgets.hubs.ollama import gguf_files, names, preflight, search, suggestions
from llm_widgets.hubs.ollama.client import ENDPOINT, Registry

if TYPE_CHECKING:
    from llm_widgets.config import Settings
    from llm_widgets.domain.found_models import Search
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
        token=HubField(
            "ollama_token",
            "Hugging Face token",
            help="Only for gated and private models of Hugging Face, whose ID begins with hf.co/. "
            "Stored in Secret Manager while the import runs.",
        ),
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

        The token is one of Hugging Face. The revision is not used: a tag names it.
        """
        del revision
        found = preflight.inspect(
            text,
            hub_id=self.id,
            registry=settings.endpoint(ENDPOINT),
            hugging_face=settings.endpoint(HUGGING_FACE),
            token=hugging_face_token(token),
            look_inside=look_inside,
        )
        mirror = about_mirror(text, settings.endpoint(HUGGING_FACE))
        return replace(found, notes=(*mirror, *found.notes))

    def token(self, text: str, settings: Settings) -> str:
        """Return a token of Hugging Face, or the one that is named: only its files take one."""
        return tokens.named(text, settings)

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

    def find(self, wanted: Search, settings: Settings, token: str = "") -> Found:
        """Search the registry's models and the GGUF models of hf.co: see :mod:`.ollama.search`."""
        return search.find(
            wanted,
            source=self.id,
            registry=settings.endpoint(ENDPOINT),
            hugging_face=settings.endpoint(HUGGING_FACE),
            token=token,
        )

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
        """Return the address of a blob, or of the file of a repository that is one."""
        del revision
        name = names.model(model_id)
        if url := gguf_files.file_url(name, file.url, settings.endpoint(HUGGING_FACE)):
            return url
        registry = Registry(
            name,
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
