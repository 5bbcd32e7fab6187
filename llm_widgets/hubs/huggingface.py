"""Models of the Hugging Face Hub: the pre-flight of an import."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

from llm_widgets.domain.imports import Digest, DigestKind, HubFile, HubModel, refuse_too_large
from llm_widgets.domain.models import Source
from llm_widgets.errors import Fix, HubError
from llm_widgets.hubs import facts, failures, http, names, selection
from llm_widgets.hubs.client import asking, client

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo, RepoSibling

    from llm_widgets.hubs.client import Explain
    from llm_widgets.hubs.headers import ReadRange

_LARGEST_CONFIG = 4 << 20  # bytes
_LARGEST_INDEX = 64 << 20  # bytes; a thousand shards of a mixture of experts take 20 MB


def inspect(
    text: str,
    *,
    endpoint: str,
    token: str = "",
    revision: str = "",
    look_inside: bool = True,
    session: requests.Session | None = None,
) -> HubModel:
    """Find a model and prove that it can be read: the pre-flight of an import.

    Parameters
    ----------
    text
        What was typed: an id, or the address of the model's page.
    endpoint
        Base URL of the hub.
    token
        The hub's token, or empty. It is sent to the hub and kept nowhere.
    revision
        Branch, tag or commit; empty for the newest.
    look_inside
        Whether the headers of the weights are read too.

    Raises
    ------
    InvalidInputError
        The id, the revision or the token can't be one, or the hub does not know the token.
    NotFoundError
        There is no such model or revision.
    GatedModelError
        This token, or none, may not read the model.
    HubError
        The model can't be served by vLLM, or the hub refused.
    TransferError
        A file is too large to be had over HTTP.
    UnavailableError
        The hub does not answer.
    """
    name = names.hugging_face(text)
    token = names.token(token)
    hub = _Hub(endpoint, token, session or requests.Session())
    wanted = names.revision(revision) or name.revision or "main"
    info = hub.info(name.id, wanted)
    if info.gated or info.private:
        hub.check_access(info.id)
    config = hub.read_json(info, "config.json", _LARGEST_CONFIG)
    index = hub.read_json(info, selection.SAFETENSORS_INDEX, _LARGEST_INDEX)
    files = _files(info, endpoint, index)
    notes = []
    if config is None:
        notes.append("It has no config.json; vLLM may not know how to load it.")
    if selection.is_pytorch(file.path for file in files if not file.skipped):
        notes.append("Its weights are in PyTorch's format, which loads slowly and can carry code.")
    if config and config.get("auto_map"):
        notes.append("It brings code of its own, which vLLM runs with --trust-remote-code.")
    known = _facts(info, config or {})
    if look_inside:
        known |= facts.memory_of_safetensors(config or {}, files, hub.range_reader())
    return HubModel(
        source=Source.HUGGING_FACE,
        id=info.id,
        revision=str(info.sha),
        files=files,
        license=_license(info),
        gated=bool(info.gated),
        facts=known,
        notes=tuple(notes),
    )


def newest_revision(model_id: str, *, endpoint: str, token: str = "") -> str:
    """Give the newest commit of a model's main branch.

    Raises
    ------
    ManagerError
        As :func:`inspect`.
    """
    hub = _Hub(endpoint, names.token(token), requests.Session())
    return str(hub.info(names.hugging_face(model_id).id, "main").sha)


class _Hub:
    """The hub as one token sees it; its refusals become errors for a person."""

    def __init__(self, endpoint: str, token: str, session: requests.Session) -> None:
        self._endpoint = endpoint
        self._token = token
        self._session = session

    def info(self, model_id: str, revision: str) -> ModelInfo:
        """Ask for a model at a revision, with sizes and digests of its files."""
        with asking(self._endpoint, self._explainer(model_id, revision)):
            return client(self._endpoint, self._token).model_info(
                model_id, revision=revision, files_metadata=True, timeout=http.TIMEOUT
            )

    def check_access(self, model_id: str) -> None:
        """See that this token may read a gated or private model."""
        # Not by the client's auth_check, which would wait for ever.
        url = f"{self._endpoint}/api/models/{model_id}/auth-check"
        answer = http.get(self._session, url, limit=_LARGEST_CONFIG, token=self._token)
        if answer.status != requests.codes.ok:
            raise self._explainer(model_id, "")(answer.status, answer.headers)

    def read_json(self, info: ModelInfo, path: str, limit: int) -> dict[str, Any] | None:
        """Read one of the model's JSON files; ``None`` when it has none."""
        if path not in {file.rfilename for file in info.siblings or ()}:
            return None
        url = file_url(self._endpoint, info.id, str(info.sha), path)
        answer = http.get(self._session, url, limit=limit, token=self._token)
        if answer.status != requests.codes.ok:
            raise self._explainer(info.id, str(info.sha))(answer.status, answer.headers)
        try:
            value = json.loads(answer.body)
        except ValueError as error:
            raise HubError(f"{path} of {info.id} is not JSON.", cause=str(error)) from error
        if not isinstance(value, dict):
            raise HubError(f"{path} of {info.id} is no JSON object.")
        return value

    def range_reader(self) -> ReadRange:
        """Give what reads parts of the hub's files."""
        return http.range_reader(self._session, token=self._token, seconds=facts.SECONDS)

    def _explainer(self, model_id: str, revision: str) -> Explain:
        return partial(
            failures.hugging_face,
            endpoint=self._endpoint,
            model_id=model_id,
            revision=revision,
            has_token=bool(self._token),
        )


def file_url(endpoint: str, model_id: str, revision: str, path: str) -> str:
    """Give the address of a file's bytes; the hub redirects from it to signed ones."""
    return f"{endpoint}/{model_id}/resolve/{quote(revision, safe='')}/{quote(path)}"


def _files(info: ModelInfo, endpoint: str, index: dict[str, Any] | None) -> tuple[HubFile, ...]:
    siblings = {file.rfilename: file for file in info.siblings or ()}
    shards = set(index.get("weight_map", {}).values()) if index else None
    try:
        reasons = selection.choose(siblings.keys(), shards or None)
    except selection.WeightsError as error:
        fix = None
        if any(path.endswith(".gguf") for path in siblings):
            fix = Fix(text=f"Choose Ollama as the source and enter hf.co/{info.id}:Q4_K_M.")
        raise HubError(f"vLLM can't load {info.id}.", cause=str(error), fix=fix) from error
    files = tuple(
        _file(file, info, endpoint, reasons[path]) for path, file in sorted(siblings.items())
    )
    for file in files:
        if not file.skipped:
            refuse_too_large(Source.HUGGING_FACE, file)
    return files


def _file(file: RepoSibling, info: ModelInfo, endpoint: str, skipped: str) -> HubFile:
    path = file.rfilename
    if path.startswith("/") or ".." in path.split("/"):
        raise HubError(f"{info.id} has a file that leads out of its folder.", cause=path)
    if file.lfs:
        digest = Digest(DigestKind.SHA256, file.lfs.sha256)
    elif file.blob_id:
        digest = Digest(DigestKind.GIT_SHA1, file.blob_id)
    else:
        raise HubError(f"The hub tells no digest of {path} of {info.id}.")
    return HubFile(
        path=path,
        size=file.size or 0,
        digest=digest,
        url=file_url(endpoint, info.id, str(info.sha), path),
        skipped=skipped,
    )


def _license(info: ModelInfo) -> str:
    """Give the licence's id; for one of the publisher's own, its name."""
    card: dict[str, Any] = vars(info.card_data) if info.card_data else {}
    named = card.get("license_name") if card.get("license") == "other" else None
    found = named or card.get("license") or ""
    if isinstance(found, list):
        found = ", ".join(str(part) for part in found)
    if found:
        return str(found)
    tags = [tag for tag in info.tags or () if tag.startswith("license:")]
    return tags[0].removeprefix("license:") if tags else ""


def _facts(info: ModelInfo, config: dict[str, Any]) -> dict[str, Any]:
    found = facts.from_config(config)
    if info.safetensors:
        found["parameters"] = dict(info.safetensors.parameters)
        found["parameter_count"] = info.safetensors.total
    if info.pipeline_tag:
        found["task"] = info.pipeline_tag
    if info.last_modified:
        found["last_modified"] = info.last_modified.isoformat()
    return found
