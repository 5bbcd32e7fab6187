"""A repository of models as one token sees it: its answers as checked values."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, unquote, urlsplit

import requests
from msgspec import Meta, Struct

from llm_widgets.errors import Fix, HubError
from llm_widgets.hubs import documents, facts, http
from llm_widgets.hubs.failures import Refusal, refuse_page
from llm_widgets.hubs.huggingface import failures
from llm_widgets.hubs.huggingface.client import asking, client

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo

    from llm_widgets.exchanges.limits import Answer
    from llm_widgets.hubs.headers import ReadRange
    from llm_widgets.hubs.huggingface.client import Explain

_LARGEST_ANSWER = 4 << 20  # bytes
_WORD = "[A-Za-z0-9_][A-Za-z0-9_.-]*"
ID = rf"^(?!.*\.\.){_WORD}(/{_WORD})?\Z"
"""Pattern of a model's id."""

QUANTIZED = "base_model:quantized:"
"""Begins the tag of a model that is a quantized form of another one, whose id follows."""

_RELATIONS = frozenset({"", "adapter", "finetune", "merge", "quantized"})
_Sha1 = Annotated[str, Meta(pattern=r"^[0-9a-f]{40}\Z")]
_Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
_Size = Annotated[int, Meta(ge=0, le=documents.LARGEST_FILE)]


class LargeFile(Struct, frozen=True):
    """A file that git does not hold itself."""

    sha256: _Sha256


class File(Struct, frozen=True):
    """A file of a commit.

    Attributes
    ----------
    rfilename
        Path in the repository.
    size
        Bytes.
    blob_id
        Git's digest of it.
    """

    rfilename: Annotated[str, Meta(min_length=1, pattern=documents.TEXT)]
    size: _Size | None = None
    blob_id: _Sha1 | None = None
    lfs: LargeFile | None = None


class Weights(Struct, frozen=True):
    """Parameters of the weights: of each dtype, and all."""

    parameters: dict[str, int]
    total: int


class Model(Struct, frozen=True):
    """A model at a revision.

    Attributes
    ----------
    sha
        The commit that the revision names now.
    gated
        How access is given, or ``False``.
    """

    id: Annotated[str, Meta(pattern=ID)]
    sha: _Sha1
    siblings: tuple[File, ...] | None = None
    gated: bool | str | None = None
    private: bool | None = None
    safetensors: Weights | None = None
    pipeline_tag: documents.Text | None = None
    library_name: documents.Text | None = None
    last_modified: datetime | None = None
    tags: tuple[documents.Text, ...] | None = None

    @property
    def base(self) -> str:
        """The model that it was made from, by its author's word; empty where none is named."""
        for tag in self.tags or ():
            relation, _, model_id = tag.removeprefix("base_model:").rpartition(":")
            if tag.startswith("base_model:") and "/" in model_id and relation in _RELATIONS:
                return model_id
        return ""

    @property
    def quantized_from(self) -> str:
        """The model that it is a quantized form of, by its author's word; empty for none."""
        tags = (tag for tag in self.tags or () if tag.startswith(QUANTIZED))
        named = (tag.removeprefix(QUANTIZED) for tag in tags)
        return next((each for each in named if "/" in each), "")

    @property
    def files(self) -> dict[str, File]:
        """Its files by path."""
        return {file.rfilename: file for file in self.siblings or ()}


class Repository:
    """A model's repository as one token sees it; refusals become errors for a person.

    Attributes
    ----------
    endpoint
        Base URL of the hub.
    """

    def __init__(self, endpoint: str, token: str) -> None:
        self.endpoint = endpoint
        self._token = token
        self._session = http.session()

    def model(self, model_id: str, revision: str) -> tuple[Model, str]:
        """Ask for a model at a revision, with sizes and digests of its files; and its licence.

        Raises
        ------
        ManagerError
            There is none that this token may read, or the answer is something else.
        """
        wrong = f"The hub's answer for {model_id} is not one of a model."
        fix = Fix(text=f"Check that {self.endpoint} is a hub of models, then try again.")
        try:
            with asking(self._explainer(model_id, revision)) as exchange:
                info = client(self.endpoint, self._token).model_info(
                    model_id, revision=revision, files_metadata=True
                )
        except (LookupError, TypeError, AttributeError, ValueError, RecursionError) as error:
            cause = (
                "The answer is not JSON."
                if isinstance(error, ValueError)
                else "Fields of it are missing, or are of another type."
            )
            raise HubError(wrong, cause=cause, fix=fix) from error
        try:
            model = documents.checked(info, Model, wrong=wrong)
        except HubError as error:
            error.fix = fix
            raise
        _check_id(model.id, model_id, exchange.url)
        return model, _license(info, model)

    def check_access(self, model_id: str) -> None:
        """Check that this token may read a gated or private model.

        Raises
        ------
        ManagerError
            It may not.
        """
        # Not by the client's auth_check, which would wait for ever.
        url = f"{self.endpoint}/api/models/{model_id}/auth-check"
        answer = http.get(self._session, url, limit=_LARGEST_ANSWER, token=self._token)
        self._check(answer, model_id, "")

    def read(self, model: Model, path: str, *, limit: int) -> bytes | None:
        """Read one of a model's files; ``None`` when it has no such file.

        Parameters
        ----------
        limit
            The most bytes that it may have.
        """
        if path not in model.files:
            return None
        url = self.file_url(model, path)
        answer = http.get(self._session, url, limit=limit, token=self._token)
        self._check(answer, model.id, model.sha)
        return answer.body

    def file_url(self, model: Model, path: str) -> str:
        """Return the address of a file's bytes; the hub redirects from it to signed ones."""
        return file_url(self.endpoint, model.id, model.sha, path)

    def range_reader(self) -> ReadRange:
        """Return what reads parts of the hub's files."""
        return http.range_reader(self._session, token=self._token, seconds=facts.SECONDS)

    def _check(self, answer: Answer, model_id: str, revision: str) -> None:
        """Raise what an answer means that is not what was asked for."""
        refusal = Refusal(answer.status, answer.headers, answer.body)
        if answer.status != requests.codes.ok:
            raise self._explainer(model_id, revision)(refusal)
        refuse_page(refusal, hub=failures.HUB)

    def _explainer(self, model_id: str, revision: str) -> Explain:
        asked = failures.Asked(self.endpoint, model_id, revision, bool(self._token))
        return partial(failures.explained, asked=asked)


def _check_id(found: str, wanted: str, url: str) -> None:
    """Refuse the answer about another model; that of a renamed one comes from its new address."""
    is_renamed = f"/api/models/{found}" in unquote(urlsplit(url).path)
    if found.lower() != wanted.lower() and not is_renamed:
        raise HubError(
            f"{wanted} was requested, and the hub answered about {found}.",
            cause="A model that was renamed is answered for at its new address.",
            fix=Fix(text=f"Enter {found} if that is the model you mean, or check the hub."),
        )


def _license(info: ModelInfo, model: Model) -> str:
    """Return the licence's id; for one of the publisher's own, its name, as far as it is text."""
    return "".join(letter for letter in _named_license(info, model) if letter.isprintable())


def _named_license(info: ModelInfo, model: Model) -> str:
    # The author of the model writes the card: it may hold anything.
    card: dict[str, Any] = getattr(info.card_data, "__dict__", {})
    named = card.get("license_name") if card.get("license") == "other" else None
    found = named or card.get("license") or ""
    if isinstance(found, list):
        found = ", ".join(str(part) for part in found)
    if found:
        return str(found)
    tags = [tag for tag in model.tags or () if tag.startswith("license:")]
    return tags[0].removeprefix("license:") if tags else ""


def file_url(endpoint: str, model_id: str, revision: str, path: str) -> str:
    """Return the address of a file of a model at a commit."""
    return f"{endpoint}/{quote(model_id)}/resolve/{quote(revision, safe='')}/{quote(path)}"
