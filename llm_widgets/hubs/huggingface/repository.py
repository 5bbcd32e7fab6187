"""A repository of models as one token sees it: its answers as checked values."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import requests
from msgspec import Meta, Struct

from llm_widgets.errors import HubError
from llm_widgets.hubs import documents, facts, http
from llm_widgets.hubs.huggingface import failures
from llm_widgets.hubs.huggingface.client import asking, client

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo

    from llm_widgets.hubs.headers import ReadRange
    from llm_widgets.hubs.huggingface.client import Explain

_LARGEST_ANSWER = 4 << 20  # bytes
_WORD = "[A-Za-z0-9_][A-Za-z0-9_.-]*"
_Sha1 = Annotated[str, Meta(pattern=r"^[0-9a-f]{40}\Z")]
_Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
_Size = Annotated[int, Meta(ge=0)]


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

    id: Annotated[str, Meta(pattern=rf"^(?!.*\.\.){_WORD}(/{_WORD})?\Z")]
    sha: _Sha1
    siblings: tuple[File, ...] | None = None
    gated: bool | str | None = None
    private: bool | None = None
    safetensors: Weights | None = None
    pipeline_tag: str | None = None
    last_modified: datetime | None = None
    tags: tuple[str, ...] | None = None

    @property
    def files(self) -> dict[str, File]:
        """Its files by path."""
        return {file.rfilename: file for file in self.siblings or ()}


class Repository:
    """A model's repository as one token sees it; refusals become errors for a person."""

    def __init__(self, endpoint: str, token: str) -> None:
        self._endpoint = endpoint
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
        with asking(self._endpoint, self._explainer(model_id, revision)):
            try:
                info = client(self._endpoint, self._token).model_info(
                    model_id, revision=revision, files_metadata=True, timeout=http.TIMEOUT
                )
            except (KeyError, TypeError, AttributeError) as error:
                raise HubError(wrong, cause=f"{type(error).__name__}: {error}") from error
        model = documents.checked(info, Model, wrong=wrong)
        return model, _license(info, model)

    def check_access(self, model_id: str) -> None:
        """Check that this token may read a gated or private model.

        Raises
        ------
        ManagerError
            It may not.
        """
        # Not by the client's auth_check, which would wait for ever.
        url = f"{self._endpoint}/api/models/{model_id}/auth-check"
        answer = http.get(self._session, url, limit=_LARGEST_ANSWER, token=self._token)
        if answer.status != requests.codes.ok:
            raise self._explainer(model_id, "")(answer.status, answer.headers)

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
        if answer.status != requests.codes.ok:
            raise self._explainer(model.id, model.sha)(answer.status, answer.headers)
        return answer.body

    def file_url(self, model: Model, path: str) -> str:
        """Return the address of a file's bytes; the hub redirects from it to signed ones."""
        return file_url(self._endpoint, model.id, model.sha, path)

    def range_reader(self) -> ReadRange:
        """Return what reads parts of the hub's files."""
        return http.range_reader(self._session, token=self._token, seconds=facts.SECONDS)

    def _explainer(self, model_id: str, revision: str) -> Explain:
        return partial(
            failures.explained,
            endpoint=self._endpoint,
            model_id=model_id,
            revision=revision,
            has_token=bool(self._token),
        )


def _license(info: ModelInfo, model: Model) -> str:
    """Return the licence's id; for one of the publisher's own, its name."""
    # The author of the model writes the card: it may hold anything.
    card: dict[str, Any] = vars(info.card_data) if info.card_data else {}
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
