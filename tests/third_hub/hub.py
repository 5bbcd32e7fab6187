"""The shelf as the product would see it; written from ``llm_widgets.hubs.base`` alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

import requests
from msgspec import Struct

from llm_widgets.config import Endpoint
from llm_widgets.domain.imports import Digest, DigestKind, HubFile, HubModel
from llm_widgets.errors import Fix, NotFoundError, TransferError
from llm_widgets.hubs import documents, failures, http, names
from llm_widgets.hubs.base import Hub, HubField, HubForm, Suggestion

if TYPE_CHECKING:
    from llm_widgets.config import Settings

_Found = TypeVar("_Found")
LARGEST_FILE = 1_000_000  # bytes
_NAME = re.compile(r"[a-z]+", re.ASCII)


class _File(Struct, frozen=True):
    path: str
    size: int
    sha256: str


class _Model(Struct, frozen=True):
    name: str
    number: int
    files: tuple[_File, ...]
    license: str = ""


class Shelf(Hub):
    """Models with one word for a name."""

    id = "shelf"
    label = "The Shelf"
    endpoint = Endpoint("LLM_WIDGETS_SHELF", "https://shelf.example")
    hosts = frozenset({"shelf.example"})
    form = HubForm(
        title="The Shelf (by hand)",
        text="Models that stand on a shelf.",
        model_key="shelf_name",
        placeholder="atlas",
        examples="atlas or globe",
        revision=HubField("shelf_number", "Number", help="The newest when empty."),
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
        del token, look_inside
        typed = names.one_word(text, "Enter a word.")
        host, parts = names.address(typed, self.hosts)
        name = parts[-1] if host else typed
        if not _NAME.fullmatch(name):
            raise names.invalid("That is no word.", "Enter a word.")
        base = settings.endpoint(self.endpoint)
        found = self._read(settings, f"models/{name}/{revision or 'newest'}", _Model)
        files = tuple(
            HubFile(
                path=file.path,
                size=file.size,
                digest=Digest(DigestKind.SHA256, file.sha256),
                url=f"{base}/files/{name}/{found.number}/{file.path}",
                skipped="" if file.path.endswith(".safetensors") else "not needed",
            )
            for file in found.files
        )
        return HubModel(self.id, name, f"number-{found.number}", files, license=found.license)

    def newest_revision(self, model_id: str, settings: Settings) -> str:
        return self.inspect(model_id, settings).revision

    def suggest(self, query: str, settings: Settings) -> tuple[Suggestion, ...]:
        found = self._read(settings, "models", tuple[_Model, ...])
        made = [Suggestion(each.name, sum(file.size for file in each.files)) for each in found]
        return tuple(sorted((each for each in made if query in each.id), key=lambda e: e.size))

    def folder(self, model: HubModel) -> str:
        return f"{model.id}/{model.revision}"

    def page(self, model_id: str, settings: Settings) -> str:
        return f"{settings.endpoint(self.endpoint)}/pages/{model_id}"

    def check_file(self, file: HubFile) -> None:
        if file.size > LARGEST_FILE:
            raise TransferError(f"{file.path} does not fit through the door.")

    def _read(self, settings: Settings, path: str, kind: type[_Found]) -> _Found:
        url = f"{settings.endpoint(self.endpoint)}/{path}"
        with http.session() as session:
            answer = http.get(session, url, limit=1 << 20)
        if answer.status == failures.NOT_FOUND:
            raise NotFoundError(
                "No such model stands on the shelf.", fix=Fix(text="Look at another shelf.")
            )
        if answer.status != requests.codes.ok:
            refusal = failures.Refusal(answer.status, answer.headers, answer.body)
            raise failures.general(refusal, hub=self.label)
        return documents.read(answer.body, kind, name="The shelf's answer")
