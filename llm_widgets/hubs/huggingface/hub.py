"""The Hugging Face Hub as the product sees it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.domain.imports import HubModel
from llm_widgets.errors import Fix, InvalidInputError
from llm_widgets.hubs.base import Found, Hub, HubField, HubForm, Suggestion
from llm_widgets.hubs.huggingface import (
    addresses,
    listing,
    names,
    preflight,
    repository,
    suggestions,
    tokens,
)
from llm_widgets.hubs.huggingface.client import ENDPOINT

if TYPE_CHECKING:
    from llm_widgets.config import Settings
    from llm_widgets.domain.found_models import FoundModel, Search
    from llm_widgets.domain.imports import HubFile


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
            help="Only for gated and private models. Stored in Secret Manager while the import "
            "runs.",
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
        """Find a model that vLLM can load: see :func:`.huggingface.preflight.inspect`.

        Raises
        ------
        InvalidInputError
            Beside what is raised there: the text and the field name two revisions.
        """
        named = names.model(text, settings.endpoint(ENDPOINT))
        wanted = names.revision(revision)
        if wanted and named.revision and wanted != named.revision:
            raise InvalidInputError(
                f"Two revisions are named: “{named.revision}” with the model, and “{wanted}”.",
                field="revision",
                fix=Fix(text=f"Enter {named.id} as the model, and the revision that you mean."),
            )
        found = preflight.inspect(
            text,
            hub_id=self.id,
            endpoint=settings.endpoint(ENDPOINT),
            token=token,
            revision=revision,
            look_inside=look_inside,
        )
        mirror = addresses.about_mirror(text, settings.endpoint(ENDPOINT))
        return replace(found, notes=(*mirror, *_about_files(named), *found.notes))

    def token(self, text: str, settings: Settings) -> str:
        """Return a token, or the one that ``HF_TOKEN`` or ``hf auth login`` names."""
        return tokens.named(text, settings)

    def newest_revision(self, model_id: str, settings: Settings) -> str:
        """Return the newest commit of a model's main branch."""
        return preflight.newest_revision(model_id, endpoint=settings.endpoint(ENDPOINT))

    def suggest(self, query: str, settings: Settings) -> tuple[Suggestion, ...]:
        """Return models whose id contains the query: see :func:`.huggingface.suggestions.find`."""
        return suggestions.find(query, endpoint=settings.endpoint(ENDPOINT))

    def find(self, wanted: Search, settings: Settings, token: str = "") -> Found:
        """Search the models that have safetensors: see :mod:`.huggingface.listing`."""
        endpoint = settings.endpoint(ENDPOINT)
        found = listing.search(
            wanted, source=self.id, endpoint=endpoint, format_=listing.SAFETENSORS, token=token
        )
        return Found(found)

    def look(self, model: FoundModel, settings: Settings, token: str = "") -> HubModel | None:
        """Read the configuration of a model whose weights the list counts, and nothing else."""
        if model.size is None:
            return None
        endpoint = settings.endpoint(ENDPOINT)
        known = listing.memory_facts(model, endpoint=endpoint, token=token)
        return HubModel(self.id, model.id, "", (), model.license, bool(model.gated), known)

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


def _about_files(named: names.Name) -> tuple[str, ...]:
    """Return what to know where single files were named."""
    if not named.files:
        return ()
    some = ", ".join(named.files[:3]) + (", …" if len(named.files) > 3 else "")  # noqa: PLR2004 - as many as a line takes
    told = f"You named files ({some}). All that the engine loads is copied; you can change the "
    return (f"{told}choice of files below.",)
