"""The Hugging Face Hub as the product sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.hubs.base import Hub, HubField, HubForm, Suggestion
from llm_widgets.hubs.huggingface import limits, names, preflight, repository, suggestions
from llm_widgets.hubs.huggingface.client import ENDPOINT

if TYPE_CHECKING:
    from llm_widgets.config import Settings
    from llm_widgets.domain.imports import HubFile, HubModel


class HuggingFace(Hub):
    """Models by organisation and name; a revision is a commit."""

    id = "huggingface"
    label = "Hugging Face"
    endpoint = ENDPOINT
    hosts = names.HOSTS
    form = HubForm(
        title="Hugging Face (vLLM)",
        text="Slower cold starts, but better performance for high-traffic use cases.",
        model_key="hugging_face_id",
        placeholder="Qwen/Qwen3-0.6B",
        examples="Qwen/Qwen3-0.6B",
        revision=HubField(
            "revision",
            "Revision",
            help="Branch, tag or commit; the newest commit when empty.",
            placeholder="main",
        ),
        token=HubField(
            "token",
            "Hugging Face token",
            help="Only for gated and private models. It goes into Secret Manager for as long as "
            "the import runs, and nowhere else.",
        ),
    )
    can_choose_files = True

    def inspect(
        self,
        text: str,
        settings: Settings,
        *,
        token: str = "",
        revision: str = "",
        look_inside: bool = True,
    ) -> HubModel:
        """Find a model that vLLM can load: see :func:`.huggingface.preflight.inspect`."""
        return preflight.inspect(
            text,
            hub_id=self.id,
            endpoint=settings.endpoint(ENDPOINT),
            token=token,
            revision=revision,
            look_inside=look_inside,
        )

    def newest_revision(self, model_id: str, settings: Settings) -> str:
        """Return the newest commit of a model's main branch."""
        return preflight.newest_revision(model_id, endpoint=settings.endpoint(ENDPOINT))

    def suggest(self, query: str, settings: Settings) -> tuple[Suggestion, ...]:
        """Return models whose id contains the query: see :func:`.huggingface.suggestions.find`."""
        return suggestions.find(query, endpoint=settings.endpoint(ENDPOINT))

    def folder(self, model: HubModel) -> str:
        """Return the model's id and its commit."""
        return f"{model.id}/{model.revision}"

    def page(self, model_id: str, settings: Settings) -> str:
        """Return the address of a model's page, at whichever hub it was asked for."""
        return f"{settings.endpoint(ENDPOINT)}/{model_id}"

    def is_id(self, model_id: str) -> bool:
        """Return whether a text is an organisation and a name."""
        return names.is_id(model_id)

    def file_url(self, model_id: str, revision: str, file: HubFile, settings: Settings) -> str:
        """Return the address of a file at its commit."""
        endpoint = settings.endpoint(ENDPOINT)
        return repository.file_url(endpoint, model_id, revision, file.path)

    def check_file(self, file: HubFile) -> None:
        """Check that a file can be had over HTTP: see :func:`.huggingface.limits.check_file`."""
        limits.check_file(file)
